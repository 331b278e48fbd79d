"""How reliably each expert of a project rates: errors on known answers and repeats, drift, and pace."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.i18n import _, number, percent
from pipeline.projects.project import Project
from pipeline.records import Purpose, RatingAction, RatingEvent, Seconds

MIN_FOR_DRIFT = 20
MIN_FOR_WARNING = 3
HURRIED_SHARE = 0.1
HEARD_WHOLE = 0.95  # the last moments before the end of a file are not always played
BAD_MAE = 15.0


@dataclass(frozen=True)
class ErrorSummary:
    """Differences between `n` ratings and a reference, in points of 0-100: mean absolute, and mean (positive: the
    ratings are higher)."""

    n: int
    mae: float | None
    bias: float | None


@dataclass(frozen=True)
class ExpertQuality:
    """How one expert rates.

    `calibration` and `gold` are errors against the known answers, `repeats` against the expert's earlier rating.
    `drift`: how much the difference from the other experts' median grew from the first rating to the last, in points
    (a line fitted over the ratings in their order). `hurried`: share of ratings saved before the whole recording was
    played, or, where that is not known, in less time than it lasts. `warnings`: sentences in the reader's language.
    """

    name: str
    n: int
    calibration: ErrorSummary
    gold: ErrorSummary
    repeats: ErrorSummary
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
    """Summarise one expert's ratings in a project.

    Args:
        events: The expert's standing events with the recordings' ids, oldest first.
        durations_s: Of the recordings, by id.
        others: The median of the other experts by recording, 0-100.
        answer_of: The known answers by recording, 0-100.
    """
    rated = [(key, e) for key, e in events if e.action is RatingAction.RATE and e.score is not None]
    by: dict[Purpose, list[tuple[str, RatingEvent]]] = {purpose: [] for purpose in Purpose}
    for key, event in rated:
        by[event.purpose].append((key, event))
    first = {key: event.score for key, event in reversed(by[Purpose.WORK]) if event.score is not None}
    repeats = _errors([(e.score, first[key]) for key, e in by[Purpose.REPEAT] if key in first])
    calibration, gold = (
        _errors([(e.score, answer_of[key]) for key, e in by[purpose] if key in answer_of])
        for purpose in (Purpose.CALIBRATION, Purpose.GOLD)
    )
    work = by[Purpose.WORK]
    drift = _drift([float(e.score or 0.0) - others[key] for key, e in work if key in others])
    times = [e.took_s for _key, e in rated if e.took_s is not None]
    hurried = [is_hurried for key, e in rated if (is_hurried := _is_hurried(e, durations_s.get(key))) is not None]
    share = sum(hurried) / len(hurried) if hurried else 0.0
    return ExpertQuality(
        name=name,
        n=len(work),
        calibration=calibration,
        gold=gold,
        repeats=repeats,
        drift=drift,
        median_s=float(np.median(times)) if times else None,
        hurried=share,
        warnings=tuple(_warnings(project, name, calibration, gold, repeats, drift, share)),
    )


def _is_hurried(event: RatingEvent, lasts_s: Seconds | None) -> bool | None:
    if event.heard is not None:
        return event.heard < HEARD_WHOLE
    return None if event.took_s is None or not lasts_s else event.took_s < lasts_s


def _errors(pairs: Sequence[tuple[float | None, float]]) -> ErrorSummary:
    differences = np.array([rating - reference for rating, reference in pairs if rating is not None])
    if not len(differences):
        return ErrorSummary(0, None, None)
    return ErrorSummary(len(differences), float(np.abs(differences).mean()), float(differences.mean()))


def _drift(differences: Sequence[float]) -> float | None:
    if len(differences) < MIN_FOR_DRIFT:
        return None
    position = np.linspace(-0.5, 0.5, len(differences))
    return float(np.polyfit(position, np.asarray(differences), 1)[0])


def _warnings(
    project: Project,
    name: str,
    calibration: ErrorSummary,
    gold: ErrorSummary,
    repeats: ErrorSummary,
    drift: float | None,
    hurried: float,
) -> Iterator[str]:
    if project.calibration and calibration.n < project.calibration:
        yield _("{name} has not finished calibration ({done} of {needed} items).").format(
            name=name, done=number(calibration.n), needed=number(project.calibration)
        )
    if _is_bad(calibration):
        yield _("{name} is off by {points} points on average in calibration.").format(
            name=name, points=number(calibration.mae or 0.0)
        )
    if _is_bad(gold):
        yield _("{name} is off by {points} points on average on later items with known answers.").format(
            name=name, points=number(gold.mae or 0.0)
        )
    if _is_bad(repeats):
        yield _("{name} rates the same recording {points} points apart on average.").format(
            name=name, points=number(repeats.mae or 0.0)
        )
    if drift is not None and abs(drift) > BAD_MAE:
        text = (
            _("{name} has become more lenient by {points} points.")
            if drift > 0
            else _("{name} has become stricter by {points} points.")
        )
        yield text.format(name=name, points=number(abs(drift)))
    if hurried > HURRIED_SHARE:
        yield _("{name} saved {share} of the ratings before hearing the whole recording.").format(
            name=name, share=percent(hurried)
        )


def _is_bad(errors: ErrorSummary) -> bool:
    return errors.n >= MIN_FOR_WARNING and errors.mae is not None and errors.mae > BAD_MAE
