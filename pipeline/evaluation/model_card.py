"""Write the results of an evaluation into the card of a model."""

from dataclasses import replace
from pathlib import Path

from pipeline import artifacts
from pipeline.evaluation.evaluate import Evaluation
from pipeline.evaluation.saved import RELEASED_FILE


def write_to_card(model: Path, evaluation: Evaluation) -> None:
    """Put the figures into the card of a model folder, of whichever kind; a speech model also keeps them as JSON."""
    from pipeline.scoring.feature_based import card as acoustic_card
    from pipeline.scoring.speech.model_files import is_speech_folder
    from pipeline.scoring.speech.packaging import card as speech_card

    report = evaluation.report
    if not is_speech_folder(model):
        acoustic_card.write_evaluation(model, report)
        return
    groups = speech_card.by_group([item.extra for item in evaluation.items], evaluation.pairs)
    speech_card.write_evaluation(model, report, groups)
    artifacts.write_json(model / RELEASED_FILE, replace(report, worst=(), source=Path(report.source).parent.name))
