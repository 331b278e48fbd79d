"""The English scorer, for pages that ask what was heard and not how good it was."""

from typing import TYPE_CHECKING

from pipeline.records import RubricName
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.scoring.speech.scorer import SpeechScorer


def english_listener(settings: Settings) -> "SpeechScorer":
    """Raises ModelError where there is none."""
    from pipeline.scoring.selection import SPEECH, load_scorer
    from pipeline.scoring.speech.scorer import SpeechScorer

    scorer = load_scorer(settings, SPEECH, RubricName.SENTENCE)
    if not isinstance(scorer, SpeechScorer):
        raise TypeError(f"{SPEECH} is no SpeechScorer")
    return scorer
