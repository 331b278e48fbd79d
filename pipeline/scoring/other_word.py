"""Whether a recorded word is another one than was asked for, by the reference recordings of this and of other words.

`lead` is by how many dB the reference of the asked word lies nearer than the nearest of another word. A recording is
another word where the lead is small for how far it lies from its own reference: lead < distance / 2 - THRESHOLD_DB. The
threshold is the one that refuses 2 % of the words scored 60 or more of the demo's participants 01-04. On 21 synthetic
voices that it was not set on it refused 2 of 462 right words, and let pass none of 231 that were another word of the
list and 27 of 231 that were a word of no list (docs/results/practice.md; the voices are all eSpeak NG's).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.audio.load import Audio
from pipeline.features.alignment import SpeechPart, WordMatch, match_word, speech_part
from pipeline.records import Target
from pipeline.text.words import text_key

THRESHOLD_DB = 11.8
# Nearer than that to the other word's reference, it is named: of those in the list 212 of 216 were that word.
NAMED_WITHIN_DB = 20.0
FEWEST_WORDS = 5  # with references, so that there is something to be nearer to


@dataclass(frozen=True)
class OtherWord:
    """`word` is the one that it sounds like, None where it is like none that is known."""

    word: str | None


def other_word(references: Mapping[str, tuple[SpeechPart, ...]], audio: Audio, target: Target) -> OtherWord | None:
    """Of a recording cut to its speech; None for the word that was asked for, and where nothing can be said."""
    word = text_key(target.text, target.language)
    speech = speech_part(audio) if word in references and len(references) >= FEWEST_WORDS else None
    if speech is None:
        return None
    matched = match_word(speech, word, dict(references))
    if not is_other(matched) or matched.other_distance is None:
        return None
    return OtherWord(matched.other_word if matched.other_distance < NAMED_WITHIN_DB else None)


def is_other(matched: WordMatch) -> bool:
    distance = matched.match.distance
    return matched.other_distance is not None and matched.other_distance - distance < distance / 2 - THRESHOLD_DB
