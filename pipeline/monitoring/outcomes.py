"""How predictions fared against what people said of them: error over time, by learner and text, calibration, and two
sides of a comparison."""

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
SMALLEST_OF_USE = 2.0  # points of mean error: a smaller difference is not worth a change


@dataclass(frozen=True)
class Group:
    """Of labelled predictions: mean absolute error and bias (predicted less said) in points."""

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
class Side:
    """One side of a comparison. `errors` holds a mean absolute error a learner, over `n_labelled` predictions;
    `agreed` the share of the scores that they agreed with a learner, of those who said so."""

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
    """Of a comparison: `difference` of the mean errors a learner (b less a) with its 95 % interval and Welch's p-value;
    None under two learners a side. `still_needed` learners a side for a difference of 2 points to be found with 80 %
    power, None where the spread is unknown. `agreement_p` is the p-value of a permutation of learners over the sides,
    for the difference of what they agreed with; None under two a side."""

    a: Side
    b: Side
    difference: float | None
    interval: tuple[float, float] | None
    p_value: float | None
    agreement_p: float | None
    still_needed: int | None


def by_week(labelled: Iterable[Labelled]) -> list[Group]:
    """Monday's date (UTC) as the name, oldest first."""

    def week(one: Labelled) -> str:
        day = datetime.fromtimestamp(one.at, UTC)
        return datetime.fromisocalendar(*day.isocalendar()[:2], 1).date().isoformat()

    return sorted(_groups(labelled, week), key=lambda group: group.name)


def by_participant(labelled: Iterable[Labelled]) -> list[Group]:
    """The largest errors first; predictions without a name are left out."""
    return sorted(_groups((o for o in labelled if o.participant), lambda o: o.participant), key=lambda g: -g.mae)


def by_text(labelled: Iterable[Labelled]) -> list[Group]:
    return sorted(_groups(labelled, lambda one: one.text), key=lambda group: -group.mae)


def calibration(labelled: Iterable[Labelled]) -> list[Calibration]:
    """In fifths of the confidence."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for one in labelled:
        if one.confidence is not None and one.error is not None:
            place = min(CONFIDENCE_BINS - 1, int(one.confidence * CONFIDENCE_BINS))
            bins[place].append((one.confidence, abs(one.error) <= WITHIN))
    found = []
    for _, pairs in sorted(bins.items()):
        hits, n = sum(hit for _, hit in pairs), len(pairs)
        found.append(Calibration(sum(c for c, _ in pairs) / n, hits / n, share_interval(hits, n), n))
    return found


def last_errors(labelled: Sequence[Labelled], n: int = 100) -> NDArray[np.float64]:
    """Absolute errors of the last `n` that have one, in points."""
    errors = [abs(one.error) for one in labelled if one.error is not None]
    return np.array(errors[-n:], dtype=np.float64)


def compare(labelled: Iterable[Labelled], counts: dict[str, int]) -> Outcome:
    """Predictions of one learner depend on each other, so that learners are compared; those without a name count one
    each. `counts` is how many predictions each side made, labelled or not."""
    everything = list(labelled)
    a, b = (_side([one for one in everything if one.arm == arm], counts.get(arm, 0)) for arm in "ab")
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


def learners_needed(std_a: float, std_b: float, difference: float = SMALLEST_OF_USE) -> int:
    """A side, for a two-sided test of two means at 5 % with 80 % power (normal approximation)."""
    z = float(stats.norm.ppf(1 - SIGNIFICANCE / 2) + stats.norm.ppf(POWER))
    return max(2, math.ceil((std_a**2 + std_b**2) * (z / difference) ** 2))


def _side(own: Sequence[Labelled], n: int) -> Side:
    errors: dict[Hashable, list[float]] = defaultdict(list)
    said: dict[Hashable, list[float]] = defaultdict(list)
    for one in own:
        learner = one.participant or ("", one.id)
        if one.error is not None:
            errors[learner].append(abs(one.error))
        if one.agrees is not None:
            said[learner].append(float(one.agrees >= 0.5))
    return Side(n, sum(map(len, errors.values())), _means(errors), _means(said))


def _means(values: dict[Hashable, list[float]]) -> tuple[float, ...]:
    return tuple(sum(own) / len(own) for own in values.values())


def _permuted(a: Sequence[float], b: Sequence[float]) -> float:
    """Two-sided: shares of 0 and 1 are far from normal, and may not vary at all."""

    def apart(x: NDArray[np.float64], y: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        return np.asarray(y.mean(axis=axis) - x.mean(axis=axis))

    found = stats.permutation_test(
        (np.array(a), np.array(b)), apart, vectorized=True, n_resamples=PERMUTATIONS, batch=1000,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    return float(found.pvalue)


def _groups(labelled: Iterable[Labelled], name: Callable[[Labelled], str]) -> list[Group]:
    errors: dict[str, list[float]] = defaultdict(list)
    for one in labelled:
        if one.error is not None:
            errors[name(one)].append(one.error)
    return [
        Group(key, len(values), float(np.abs(values).mean()), float(np.mean(values))) for key, values in errors.items()
    ]
