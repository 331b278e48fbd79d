"""Metrics of detection: clips that hold a word or do not, and false alarms an hour in a stream.

Scores are logits or probabilities, higher for the word. Rates are shares (0-1). Curves are scikit-learn's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Receiver operating characteristic: false and true positive rate at each threshold, from strict to lenient."""

    fpr: Array
    tpr: Array
    thresholds: Array


@dataclass(frozen=True)
class Counts:
    """The confusion matrix at one threshold."""

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int

    @property
    def n(self) -> int:
        return self.true_positives + self.false_positives + self.true_negatives + self.false_negatives

    @property
    def accuracy(self) -> float | None:
        return _ratio(self.true_positives + self.true_negatives, self.n)

    @property
    def precision(self) -> float | None:
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float | None:
        return _ratio(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)

    @property
    def fpr(self) -> float | None:
        return _ratio(self.false_positives, self.false_positives + self.true_negatives)

    @property
    def fnr(self) -> float | None:
        return _ratio(self.false_negatives, self.true_positives + self.false_negatives)


@dataclass(frozen=True)
class Bin:
    """Of a reliability diagram: `n` answers with this mean confidence, of which `accuracy` were right."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


def counts(scores: Sequence[float] | Array, truth: Sequence[bool] | NDArray[np.bool_], threshold: float) -> Counts:
    """A score at the threshold counts as the word. Raises ValueError for different lengths."""
    given, right = _checked(scores, truth)
    detected = given >= threshold
    return Counts(
        int((detected & right).sum()),
        int((detected & ~right).sum()),
        int((~detected & ~right).sum()),
        int((~detected & right).sum()),
    )


def roc(scores: Sequence[float] | Array, truth: Sequence[bool] | NDArray[np.bool_]) -> Curve:
    """Raises ValueError where one class is missing."""
    from sklearn.metrics import roc_curve

    given, right = _checked(scores, truth)
    if right.all() or not right.any():
        raise ValueError(f"expected both classes, got {int(right.sum())} positive of {len(right)}")
    fpr, tpr, thresholds = roc_curve(right, given, drop_intermediate=False)
    return Curve(fpr, tpr, thresholds)


def area(curve: Curve, max_fpr: float = 1.0) -> float:
    """Area under the curve up to `max_fpr`, divided by it: the mean recall at false positive rates up to there."""
    inside = curve.fpr <= max_fpr
    edge = np.interp(max_fpr, curve.fpr, curve.tpr)
    fpr, tpr = np.append(curve.fpr[inside], max_fpr), np.append(curve.tpr[inside], edge)
    return float(np.trapezoid(tpr, fpr) / max_fpr)


def equal_error_rate(curve: Curve) -> float:
    """Where as large a share of words is missed as of the rest is taken for one, between the curve's points."""
    difference = (1.0 - curve.tpr) - curve.fpr
    after = int(np.argmax(difference <= 0.0))
    if after == 0:
        return float(curve.fpr[0])
    before = after - 1
    share = difference[before] / (difference[before] - difference[after])
    return float(curve.fpr[before] + share * (curve.fpr[after] - curve.fpr[before]))


def poisson_interval(events: int, hours: float, level: float = 0.95) -> tuple[float, float]:
    """Rate per hour, exact (Garwood 1936). None in T hours bounds the rate by 3.7 / T, one-sided by 3 / T."""
    tail = (1.0 - level) / 2.0
    low = stats.chi2.ppf(tail, 2 * events) / 2.0 if events else 0.0
    return float(low / hours), float(stats.chi2.ppf(1.0 - tail, 2 * events + 2) / 2.0 / hours)


def share_interval(events: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Of a share, exact (Clopper and Pearson 1934). Raises ValueError for n = 0."""
    interval = stats.binomtest(events, n).proportion_ci(level, "exact")
    return float(interval.low), float(interval.high)


def fit_temperature(logits: Sequence[float] | Array, truth: Sequence[bool] | NDArray[np.bool_]) -> float:
    """What logits are divided by so that their probabilities are the most likely (Guo et al. 2017), between .05 and
    20. The truth is softened by the number of examples of each class, to (n + 1) / (n + 2) and 1 / (n + 2) (Platt
    1999): few examples that are told apart without an error would make a detector sure without end."""
    given, right = _checked(logits, truth)
    n_right = right.sum()
    wanted = np.where(right, (n_right + 1.0) / (n_right + 2.0), 1.0 / (len(right) - n_right + 2.0))

    def loss(log_temperature: float) -> float:
        log_odds = given / np.exp(log_temperature)
        return float((np.logaddexp(0.0, log_odds) - wanted * log_odds).mean())

    return float(np.exp(optimize.minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded").x))


def reliability(
    probabilities: Sequence[float] | Array, truth: Sequence[bool] | NDArray[np.bool_], n_bins: int = 10
) -> list[Bin]:
    """How often the word was there, by how sure the model was of it."""
    given, right = _checked(probabilities, truth)
    bin_of = np.minimum((given * n_bins).astype(int), n_bins - 1)
    bins = []
    for number in range(n_bins):
        members = bin_of == number
        n = int(members.sum())
        bins.append(
            Bin(
                number / n_bins, (number + 1) / n_bins, n, float(given[members].mean()) if n else None,
                float(right[members].mean()) if n else None,
            )
        )  # fmt: skip
    return bins


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: the mean distance of confidence from accuracy, by the answers in each bin."""
    n = sum(bin_.n for bin_ in bins)
    return sum(
        bin_.n / n * abs(bin_.confidence - bin_.accuracy)
        for bin_ in bins
        if bin_.confidence is not None and bin_.accuracy is not None
    )


def _checked(
    scores: Sequence[float] | Array, truth: Sequence[bool] | NDArray[np.bool_]
) -> tuple[Array, NDArray[np.bool_]]:
    given, right = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.bool_)
    if given.shape != right.shape or given.ndim != 1:
        raise ValueError(f"expected as many scores as answers, got {given.shape} and {right.shape}")
    return given, right


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
