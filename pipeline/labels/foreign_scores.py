"""Scores in label files of other programs, which do not say their scale: left out until somebody has said it."""

from pipeline.i18n import N_, NN_, Message
from pipeline.labels.result_file import ResultFile, scale_is_unknown
from pipeline.labels.scale import question
from pipeline.records import Problem, Recording, RubricName
from pipeline.rubrics import RUBRICS

Labelled = list[tuple[Recording, ResultFile]]


def with_known_scales(set_name: str, labelled: Labelled) -> tuple[Labelled, set[str], list[Problem]]:
    """Without those whose scores came from another program and do not look as if they were given on the rubric's
    scale; their ids, and the question."""
    foreign = {
        recording.id: [event.score for event in result.ratings if scale_is_unknown(event) and event.score is not None]
        for recording, result in labelled
    }
    asked = question({"score": [s for scores in foreign.values() for s in scores]}, RUBRICS[RubricName.WORD].dimensions)
    if asked is None:
        return labelled, set(), []
    held = {key for key, scores in foreign.items() if scores}
    left_out = NN_("The scores of {n} label file are left out.", "The scores of {n} label files are left out.")
    message = Message(
        N_("{left_out} {question} `pronlab label scale --set {set} --scale 10` (or another) answers for all of them."),
        left_out=Message(left_out, n=len(held)), question=asked, set=set_name,
    )  # fmt: skip
    problem = Problem("label_scale", message, "error", min(held))
    return [(recording, result) for recording, result in labelled if recording.id not in held], held, [problem]
