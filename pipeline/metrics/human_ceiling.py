"""How far people agree with each other: the ceiling beside which a machine is judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.metrics.regression import RegressionMetrics, regression_metrics, validate

LIMITS_Z = 1.96


@dataclass(frozen=True)
class BlandAltman:
    """Bland & Altman (1986): per item the `mean` and the `difference` (predicted - expert), the mean difference
    (bias) and the limits of agreement, bias +- 1.96 standard deviations (n - 1)."""

    mean: tuple[float, ...]
    difference: tuple[float, ...]
    bias: float
    lower: float
    upper: float


def bland_altman(expert: ArrayLike, predicted: ArrayLike) -> BlandAltman | None:
    """For scores [n]; None for n < 2."""
    truth, guess = validate(expert, predicted)
    if len(truth) < 2:
        return None
    difference = guess - truth
    bias, half = float(difference.mean()), LIMITS_Z * float(difference.std(ddof=1))
    mean = (truth + guess) / 2.0
    return BlandAltman(tuple(mean.tolist()), tuple(difference.tolist()), bias, bias - half, bias + half)


@dataclass(frozen=True)
class LeaveOneOut:
    """One rater against the median of the others. `raters` holds each rater's figures; `mean` their average, a
    figure that is undefined for some rater averaged over the rest."""

    raters: tuple[RegressionMetrics, ...]
    mean: dict[str, float]


def leave_one_out(ratings: ArrayLike, *, speakers: Sequence[str] | None = None, n_boot: int = 0) -> LeaveOneOut | None:
    """`ratings` is [n, raters], NaN where a rater did not rate; None for fewer than two raters who share items.

    The rater is the "prediction" and the median of the others the "expert", over the items that the rater and at
    least one other rated.
    """
    table = np.asarray(ratings, dtype=np.float64)
    metrics: list[RegressionMetrics] = []
    for column in range(table.shape[1]):
        others = np.delete(table, column, axis=1)
        shared = np.isfinite(table[:, column]) & np.isfinite(others).any(axis=1)
        if shared.sum() < 3:
            continue
        who = None if speakers is None else [s for s, keep in zip(speakers, shared, strict=True) if keep]
        reference = np.nanmedian(others[shared], axis=1)
        metrics.append(regression_metrics(reference, table[shared, column], speakers=who, n_boot=n_boot))
    if len(metrics) < 2:
        return None
    mean = {
        name: float(np.mean(values))
        for name in ("mae", "rmse", "r2", "pcc", "within_5", "within_10")
        if (values := [value for m in metrics if (value := getattr(m, name)) is not None])
    }
    return LeaveOneOut(tuple(metrics), mean)
