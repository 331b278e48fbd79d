"""Errors of predictions against people's scores: over time, by learner and text, calibration, and the two arms of a
comparison."""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pipeline.deployment.prediction_log import Labelled
from pipeline.metrics.detection import share_interval

WITHIN = 10.0  # points; what a scorer's confidence is the probability of
CONFIDENCE_BINS = 5
POWER, SIGNIFICANCE = 0.8, 0.05
PERMUTATIONS = 9999
SMALLEST_USEFUL = 2.0  # points of mean error: a smaller difference is not worth a change


@dataclass(frozen=True)
class Group:
    """Labelled predictions with their mean absolute error and bias (predicted less label) in points."""

    name: str
    n: int
    mae: float
    bias: float


@dataclass(frozen=True)
class Calibration:
    """Predictions whose confidence lay about `confidence`, and the share of them within 10 points of the label."""

    confidence: float
    share: float
    interval: tuple[float, float]
    n: int


@dataclass(frozen=True)
class Arm:
    """One arm of a comparison. `errors` holds the mean absolute error of each learner, over `n_labelled` predictions;
    `agreed` the share of scores that each learner agreed with, of learners who gave feedback."""

    n: int
    n_labelled: int
    errors: tuple[float, ...]
    agreed: tuple[float, ...]

    @property
    def mae(self) -> float | None:
        return float(np.mean(self.errors)) if self.errors else None

    @property
    def agreement(self) -> float | None:
        return float(np.mean(self.agreed)) if self.agreed else None


@dataclass(frozen=True)
class Outcome:
    """Result of a comparison. `difference` is that of the mean errors per learner (b less a) with its 95 % interval and
    Welch's p-value; None with fewer than two learners per arm. `still_needed` learners per arm detect a difference of
    2 points with 80 % power; None where the spread is unknown. `agreement_p` is the p-value of a permutation of
    learners over the arms, for the share of scores they agreed with; None with fewer than two per arm."""

    a: Arm
    b: Arm
    difference: float | None
    interval: tuple[float, float] | None
    p_value: float | None
    agreement_p: float | None
    still_needed: int | None


def by_week(labelled: Iterable[Labelled]) -> list[Group]:
    """Monday's date (UTC) as the name, oldest first."""

    def week(prediction: Labelled) -> str:
        day = datetime.fromtimestamp(prediction.at, UTC)
        return datetime.fromisocalendar(*day.isocalendar()[:2], 1).date().isoformat()

    return sorted(_groups(labelled, week), key=lambda group: group.name)


def by_participant(labelled: Iterable[Labelled]) -> list[Group]:
    """The largest errors first; predictions without a name are left out."""
    return sorted(_groups((o for o in labelled if o.participant), lambda o: o.participant), key=lambda g: -g.mae)


def by_text(labelled: Iterable[Labelled]) -> list[Group]:
    return sorted(_groups(labelled, lambda prediction: prediction.text), key=lambda group: -group.mae)


def calibration(labelled: Iterable[Labelled]) -> list[Calibration]:
    """In fifths of the confidence."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for prediction in labelled:
        if prediction.confidence is not None and prediction.error is not None:
            index = min(CONFIDENCE_BINS - 1, int(prediction.confidence * CONFIDENCE_BINS))
            bins[index].append((prediction.confidence, abs(prediction.error) <= WITHIN))
    points = []
    for _, pairs in sorted(bins.items()):
        hits, n = sum(hit for _, hit in pairs), len(pairs)
        points.append(Calibration(sum(c for c, _ in pairs) / n, hits / n, share_interval(hits, n), n))
    return points


def last_errors(labelled: Sequence[Labelled], n: int = 100) -> NDArray[np.float64]:
    """Absolute errors of the last `n` that have one, in points."""
    errors = [abs(prediction.error) for prediction in labelled if prediction.error is not None]
    return np.array(errors[-n:], dtype=np.float64)


def compare(labelled: Iterable[Labelled], counts: dict[str, int]) -> Outcome:
    """Compare the arms a and b by learner, since predictions of one learner depend on each other; predictions without
    a name count as one learner each. `counts` holds the predictions of each arm, labelled or not."""
    predictions = list(labelled)
    a, b = (_arm([p for p in predictions if p.arm == arm], counts.get(arm, 0)) for arm in "ab")
    difference = interval = p_value = needed = None
    if min(len(a.errors), len(b.errors)) >= 2:
        x, y = np.array(a.errors), np.array(b.errors)
        difference = float(y.mean() - x.mean())
        if x.std() or y.std():
            test = stats.ttest_ind(y, x, equal_var=False)
            low, high = test.confidence_interval(1 - SIGNIFICANCE)
            p_value, interval = float(test.pvalue), (float(low), float(high))
        needed = max(0, learners_needed(float(x.std(ddof=1)), float(y.std(ddof=1))) - min(len(x), len(y)))
    agreement_p = None
    if min(len(a.agreed), len(b.agreed)) >= 2:
        agreement_p = _permuted(a.agreed, b.agreed)
    return Outcome(a, b, difference, interval, p_value, agreement_p, needed)


def learners_needed(std_a: float, std_b: float, difference: float = SMALLEST_USEFUL) -> int:
    """Learners per arm for a two-sided test of two means at 5 % with 80 % power (normal approximation)."""
    z = float(stats.norm.ppf(1 - SIGNIFICANCE / 2) + stats.norm.ppf(POWER))
    return max(2, math.ceil((std_a**2 + std_b**2) * (z / difference) ** 2))


def _arm(predictions: Sequence[Labelled], n: int) -> Arm:
    errors: dict[Hashable, list[float]] = defaultdict(list)
    agreed: dict[Hashable, list[float]] = defaultdict(list)
    for prediction in predictions:
        learner = prediction.participant or ("", prediction.id)
        if prediction.error is not None:
            errors[learner].append(abs(prediction.error))
        if prediction.agrees is not None:
            agreed[learner].append(float(prediction.agrees >= 0.5))
    return Arm(n, sum(map(len, errors.values())), _means(errors), _means(agreed))


def _means(values: dict[Hashable, list[float]]) -> tuple[float, ...]:
    return tuple(sum(row) / len(row) for row in values.values())


def _permuted(a: Sequence[float], b: Sequence[float]) -> float:
    """Two-sided: shares of 0 and 1 are far from normal, and may not vary at all."""

    def apart(x: NDArray[np.float64], y: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        return np.asarray(y.mean(axis=axis) - x.mean(axis=axis))

    test = stats.permutation_test(
        (np.array(a), np.array(b)), apart, vectorized=True, n_resamples=PERMUTATIONS, batch=1000,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    return float(test.pvalue)


def _groups(labelled: Iterable[Labelled], name: Callable[[Labelled], str]) -> list[Group]:
    errors: dict[str, list[float]] = defaultdict(list)
    for prediction in labelled:
        if prediction.error is not None:
            errors[name(prediction)].append(prediction.error)
    return [
        Group(key, len(values), float(np.abs(values).mean()), float(np.mean(values))) for key, values in errors.items()
    ]
