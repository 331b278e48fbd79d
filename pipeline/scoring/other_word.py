"""Whether a recorded word is another one than was asked for, by the reference recordings of this and of other words.

A recording is strange to a word as far as its distance to the word's reference, by half, exceeds the lead: by how many
dB that reference lies nearer than the nearest of another word. The threshold is the one that refuses 2 % of the words
that are scored 60 or more of the demo's participants 01-04, as they are and in noise. docs/results/practice.md has how
often it is wrong on voices that it was not set on.

What is not strange enough to be refused, and lies nearer to another word all the same, is scored, and that is told: of
3 of the demo's 143 words that score 60 or more, and of 5 of the 13 other words (of 176) that are not refused.
"""

from collections.abc import Mapping

from pipeline.audio.load import Audio
from pipeline.features.alignment import SpeechPart, WordMatch, match_word, speech_part
from pipeline.i18n import N_, Message
from pipeline.records import ScoreResult, Target
from pipeline.text.words import text_key

THRESHOLD_DB = 14.0
FEWEST_WORDS = 5  # with references, so that there is something to be nearer to
NEARER_BY_DB = 1.0
SOUNDS_LIKE_ANOTHER = N_("It sounds more like “{other}” than like “{word}”.")
NOT_CHECKED = N_("Whether it was the word “{word}” was not checked: there is no reference recording of it.")


def matched_word(references: Mapping[str, tuple[SpeechPart, ...]], audio: Audio, target: Target) -> WordMatch | None:
    """How a recording, cut to its speech, lies over the asked word and over others; None where nothing can be said, for
    want of references."""
    word = text_key(target.text, target.language)
    speech = speech_part(audio) if word in references and len(references) >= FEWEST_WORDS else None
    return None if speech is None else match_word(speech, word, dict(references))


def is_other_word(matched: WordMatch) -> bool:
    return strangeness_db(matched) > THRESHOLD_DB


def nearer_word(matched: WordMatch, by_db: float = NEARER_BY_DB) -> str | None:
    """The word that the recording lies nearer to than to the asked one, by more than `by_db`."""
    if matched.other_distance is None or matched.other_distance + by_db >= matched.match.distance:
        return None
    return matched.other_word


def sounds_like_another(result: ScoreResult) -> str | None:
    """What a result says of another word that it may have been; None where it says nothing of the kind."""
    told = (warning for warning in result.warnings if isinstance(warning, Message))
    return next((warning for warning in told if warning.msgid == SOUNDS_LIKE_ANOTHER), None)


def strangeness_db(matched: WordMatch) -> float:
    if matched.other_distance is None:
        return 0.0
    return matched.match.distance / 2 - (matched.other_distance - matched.match.distance)
