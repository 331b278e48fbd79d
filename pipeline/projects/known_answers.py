"""Known answers of a project from what was decided or rated, and taking them out again."""

import statistics
from collections.abc import Sequence
from dataclasses import replace

from pipeline.errors import ProjectError
from pipeline.i18n import N_, joined
from pipeline.people.access import Action, Identity
from pipeline.projects.project import Project, change_project
from pipeline.projects.review import Dispute, ProjectReview
from pipeline.records import RatingAction
from pipeline.settings import Settings


def add_known_answers(
    settings: Settings, project: Project, ids: Sequence[str], by: Identity, *, calibrate: bool = False
) -> Project:
    """Make recordings known answers of the project, those that have one with their answer of now: a reviewer's
    decision, else the median of the ratings. With `calibrate` they are for calibration, else they come silently. Raises
    ProjectError naming recordings that nobody has rated or decided."""
    by.require(Action.MANAGE_PROJECTS)
    review = ProjectReview(settings, project, by)
    answers, missing = {}, []
    for key in ids:
        dispute = review.look(key)
        answer = _answer(dispute, review)
        if answer is None:
            missing.append(f"“{dispute.recording.text}” ({dispute.recording.speaker})")
        else:
            answers[key] = answer
    if missing:
        raise ProjectError(
            N_("Nobody has rated these yet, so their answer is not known: {recordings}."),
            recordings=joined(missing[:5]),
        )

    def change(now: Project) -> Project:
        kept = tuple(key for key in now.calibrate if key not in answers)
        return replace(now, gold={**now.gold, **answers}, calibrate=(*kept, *answers) if calibrate else kept)

    return change_project(settings, project.name, change, by)


def remove_known_answers(settings: Settings, project: Project, ids: Sequence[str], by: Identity) -> Project:
    """Raises ProjectError where the project then has too few of them."""

    def change(now: Project) -> Project:
        gold = {key: answer for key, answer in now.gold.items() if key not in ids}
        return replace(now, gold=gold, calibrate=tuple(key for key in now.calibrate if key in gold))

    return change_project(settings, project.name, change, by)


def assign(settings: Settings, project: Project, ids: Sequence[str], names: Sequence[str], by: Identity) -> Project:
    """Give recordings to these experts; to everybody again where there are none."""

    def change(now: Project) -> Project:
        assigned = {name: tuple(key for key in listed if key not in ids) for name, listed in now.assigned.items()}
        for name in names:
            assigned[name] = (*assigned.get(name, ()), *ids)
        return replace(now, assigned={name: listed for name, listed in assigned.items() if listed})

    return change_project(settings, project.name, change, by)


def median_of(dispute: Dispute, review: ProjectReview) -> dict[str, float] | None:
    """The median of the ratings in the values of the project's rubric; None where nobody has rated."""
    rated = [review.values_of(event) for event in dispute.ratings.values() if event.action is RatingAction.RATE]
    whole = [values for values in rated if values is not None]
    if not whole:
        return None
    return {key: statistics.median(values[key] for values in whole) for key in whole[0]}


def _answer(dispute: Dispute, review: ProjectReview) -> dict[str, float] | None:
    verdict = dispute.verdict
    if verdict is not None and verdict.action is RatingAction.DECIDE:
        return review.values_of(verdict)
    return median_of(dispute, review)
