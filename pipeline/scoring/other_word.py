"""Whether a recorded word is another one than was asked for, by the reference recordings of this and of other words.

A recording is strange to a word as far as its distance to the word's reference, by half, exceeds the lead: by how many
dB that reference lies nearer than the nearest of another word. The threshold is the one that refuses 2 % of the words
that are scored 60 or more of the demo's participants 01-04, as they are and in noise. docs/results/practice.md has how
often it is wrong on voices that it was not set on.
"""

from collections.abc import Mapping

from pipeline.audio.load import Audio
from pipeline.features.alignment import SpeechPart, WordMatch, match_word, speech_part
from pipeline.records import Target
from pipeline.text.words import text_key

THRESHOLD_DB = 14.0
FEWEST_WORDS = 5  # with references, so that there is something to be nearer to


def is_other_word(references: Mapping[str, tuple[SpeechPart, ...]], audio: Audio, target: Target) -> bool:
    """Of a recording cut to its speech; False where nothing can be said, for want of references."""
    word = text_key(target.text, target.language)
    speech = speech_part(audio) if word in references and len(references) >= FEWEST_WORDS else None
    return speech is not None and strangeness_db(match_word(speech, word, dict(references))) > THRESHOLD_DB


def strangeness_db(matched: WordMatch) -> float:
    if matched.other_distance is None:
        return 0.0
    return matched.match.distance / 2 - (matched.other_distance - matched.match.distance)
