"""How far predicted scores lie from the experts': MAE, RMSE, R2, PCC and shares within 5 and 10 points.

Conventions: scores are 0-100; the error is predicted minus expert, so a positive bias is a lenient machine. R2 is the
coefficient of determination, 1 - SS_res / SS_tot around the experts' own mean; it is negative for a machine worse than
that mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.metrics.bootstrap import N_RESAMPLES, interval, resample_weights
from pipeline.metrics.correlation import MIN_ITEMS, spearman, weighted_pearson

METRIC_NAMES = ("mae", "rmse", "r2", "pcc", "bias", "within_5", "within_10")


@dataclass(frozen=True)
class TargetLevels:
    """What the word scorer is to reach: `acceptable`, `good`, `excellent`, as the project set it for itself."""

    metric: str
    label: str
    lower_is_better: bool
    acceptable: float
    good: float
    excellent: float

    def reached(self, value: float | None) -> str:
        """`excellent`, `good`, `acceptable`, or `missed`."""
        if value is None:
            return "missed"
        for name in ("excellent", "good", "acceptable"):
            bound = getattr(self, name)
            if value < bound if self.lower_is_better else value > bound:
                return name
        return "missed"


TARGETS = (
    TargetLevels("mae", "MAE", True, 10.0, 7.0, 5.0),
    TargetLevels("rmse", "RMSE", True, 12.0, 9.0, 6.0),
    TargetLevels("r2", "R²", False, 0.70, 0.80, 0.90),
)


@dataclass(frozen=True)
class RegressionMetrics:
    """Each figure is None where it is undefined (fewer than 3 items, or constant values); `intervals` holds the 95 %
    bootstrap interval of those that are defined."""

    n: int
    mae: float | None = None
    rmse: float | None = None
    r2: float | None = None
    pcc: float | None = None
    spearman: float | None = None
    bias: float | None = None
    within_5: float | None = None
    within_10: float | None = None
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)


def validate(expert: ArrayLike, predicted: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as float64 [n]. Raises ValueError for different lengths or values that are no finite numbers."""
    truth, guess = np.asarray(expert, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if truth.shape != guess.shape or truth.ndim != 1:
        raise ValueError(f"expected two vectors of one length, got shapes {truth.shape} and {guess.shape}")
    if not (np.isfinite(truth).all() and np.isfinite(guess).all()):
        raise ValueError("scores must be finite numbers; leave out what could not be scored, and count it")
    return truth, guess


def regression_metrics(
    expert: ArrayLike,
    predicted: ArrayLike,
    *,
    speakers: Sequence[str] | None = None,
    n_boot: int = N_RESAMPLES,
    seed: int = 0,
) -> RegressionMetrics:
    """All figures for scores [n]; intervals draw whole speakers where `speakers` [n] is given."""
    truth, guess = validate(expert, predicted)
    n = len(truth)
    if n < MIN_ITEMS:
        return RegressionMetrics(n)
    values = _weighted(truth, guess, np.ones((1, n)))
    point = {name: float(v[0]) if np.isfinite(v[0]) else None for name, v in values.items()}
    intervals: dict[str, tuple[float, float]] = {}
    if n_boot and (speakers is None or len(set(speakers)) > 1):  # one speaker drawn again and again does not vary
        resampled = _weighted(truth, guess, resample_weights(n, speakers, n_resamples=n_boot, seed=seed))
        bounds = {name: interval(resampled[name]) for name in METRIC_NAMES if point[name] is not None}
        intervals = {name: pair for name, pair in bounds.items() if pair is not None}
    return RegressionMetrics(n=n, spearman=spearman(truth, guess), intervals=intervals, **point)


def _weighted(
    truth: NDArray[np.float64], guess: NDArray[np.float64], weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Each metric [m] under each row of `weights` [m, n]."""
    error = guess - truth
    total = weights.sum(axis=1)
    squared = weights @ error**2
    centred = truth - truth.mean()
    spread = weights @ centred**2 - (weights @ centred) ** 2 / total
    with np.errstate(invalid="ignore", divide="ignore"):
        r2 = np.where(spread > 1e-9, 1.0 - squared / spread, np.nan)
    return {
        "mae": weights @ np.abs(error) / total,
        "rmse": np.sqrt(squared / total),
        "r2": r2,
        "pcc": weighted_pearson(truth, guess, weights),
        "bias": weights @ error / total,
        "within_5": weights @ (np.abs(error) <= 5.0) / total,
        "within_10": weights @ (np.abs(error) <= 10.0) / total,
    }
