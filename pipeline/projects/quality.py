"""How each expert of a project works: against known answers, against themselves, over time, and how fast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.projects.project import Project
from pipeline.records import Purpose, RatingAction, RatingEvent, Seconds

MIN_FOR_DRIFT = 20
HURRIED_SHARE = 0.1
BAD_MAE = 15.0


@dataclass(frozen=True)
class Beside:
    """Differences of ratings (0-100) from something, over `n` of them: mean absolute, and mean (positive: higher)."""

    n: int
    mae: float | None
    bias: float | None


@dataclass(frozen=True)
class ExpertQuality:
    """`calibration` and `gold` beside the known answers, `repeats` the later beside the earlier rating. `drift` is how
    much higher, in points, the last ratings are beside the others' than the first (a line over the expert's ratings in
    their order); `hurried` the share given in less time than the recording lasts; `warnings` in words."""

    name: str
    n: int
    calibration: Beside
    gold: Beside
    repeats: Beside
    drift: float | None
    median_s: Seconds | None
    hurried: float
    warnings: tuple[str, ...]


def quality_of(
    project: Project,
    name: str,
    events: Sequence[tuple[str, RatingEvent]],
    durations_s: Mapping[str, Seconds | None],
    others: Mapping[str, float],
    answer_of: Mapping[str, float],
) -> ExpertQuality:
    """`events` are the expert's standing ones in the project with their recordings, oldest first; `others` the median
    of the other experts by recording (0-100), `answer_of` the known answers (0-100)."""
    rated = [(key, e) for key, e in events if e.action is RatingAction.RATE and e.score is not None]
    by: dict[Purpose, list[tuple[str, RatingEvent]]] = {purpose: [] for purpose in Purpose}
    for key, event in rated:
        by[event.purpose].append((key, event))
    first = {key: event.score for key, event in reversed(by[Purpose.WORK]) if event.score is not None}
    repeats = _beside([(e.score, first[key]) for key, e in by[Purpose.REPEAT] if key in first])
    calibration, gold = (
        _beside([(e.score, answer_of[key]) for key, e in by[purpose] if key in answer_of])
        for purpose in (Purpose.CALIBRATION, Purpose.GOLD)
    )
    work = by[Purpose.WORK]
    drift = _drift([float(e.score or 0.0) - others[key] for key, e in work if key in others])
    times = [(e.took_s, durations_s.get(key)) for key, e in rated if e.took_s is not None]
    hurried = [took < lasts for took, lasts in times if lasts]
    share = sum(hurried) / len(hurried) if hurried else 0.0
    return ExpertQuality(
        name=name,
        n=len(work),
        calibration=calibration,
        gold=gold,
        repeats=repeats,
        drift=drift,
        median_s=float(np.median([took for took, _ in times])) if times else None,
        hurried=share,
        warnings=tuple(_warnings(project, calibration, gold, repeats, drift, share)),
    )


def _beside(pairs: Sequence[tuple[float | None, float]]) -> Beside:
    differences = np.array([a - b for a, b in pairs if a is not None])
    if not len(differences):
        return Beside(0, None, None)
    return Beside(len(differences), float(np.abs(differences).mean()), float(differences.mean()))


def _drift(differences: Sequence[float]) -> float | None:
    if len(differences) < MIN_FOR_DRIFT:
        return None
    place = np.linspace(-0.5, 0.5, len(differences))
    return float(np.polyfit(place, np.asarray(differences), 1)[0])


def _warnings(
    project: Project, calibration: Beside, gold: Beside, repeats: Beside, drift: float | None, hurried: float
) -> list[str]:
    found: list[str] = []
    if project.calibration and calibration.n < project.calibration:
        found.append(f"calibration not finished ({calibration.n} of {project.calibration})")
    for what, beside in (("calibration", calibration), ("gold items", gold)):
        if beside.n >= 3 and beside.mae is not None and beside.mae > BAD_MAE:
            found.append(f"{beside.mae:.0f} points from the known answers on {what}")
    if repeats.n >= 3 and repeats.mae is not None and repeats.mae > BAD_MAE:
        found.append(f"rates the same recording {repeats.mae:.0f} points apart")
    if drift is not None and abs(drift) > BAD_MAE:
        found.append(f"has become {'more lenient' if drift > 0 else 'stricter'} by {abs(drift):.0f} points")
    if hurried > HURRIED_SHARE:
        found.append(f"{hurried:.0%} of the ratings came faster than the recording lasts")
    return found
