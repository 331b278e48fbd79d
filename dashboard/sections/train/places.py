"""What the model of a place scores, in words that stand inside sentences."""

from pipeline.i18n import N_, _
from pipeline.records import RubricName
from pipeline.scoring.speech.model_files import FOLDER as SPEECH

PLACES = {
    str(RubricName.WORD): N_("words"),
    str(RubricName.SENTENCE): N_("sentences"),
    SPEECH: N_("English sentences"),
}


def place_name(place: str) -> str:
    return _(PLACES[place])
