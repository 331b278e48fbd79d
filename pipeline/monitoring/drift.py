"""Distribution drift of features and scores: population stability index over bins, Kolmogorov-Smirnov over values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

SMALLEST_SHARE = 1e-4  # of a bin that is empty on one side
MODERATE, LARGE = 0.1, 0.25  # the limits that credit scoring has used since Siddiqi (2006)
BINS = 10
FEWEST = 50  # values; with fewer neither statistic means anything


@dataclass(frozen=True)
class Drift:
    """`psi` is the population stability index, `ks` the largest distance of the two distribution functions with its
    p-value; None where a side has fewer than 50 values. `verdict` is steady, moderate, large or unknown."""

    name: str
    n_reference: int
    n: int
    psi: float | None
    ks: float | None
    p_value: float | None
    verdict: str


def psi(reference: Sequence[float] | NDArray[Any], now: Sequence[float] | NDArray[Any]) -> float:
    """Population stability index of counts in the same bins: the sum of (q - p) ln(q / p) over their shares."""
    p, q = (np.maximum(np.asarray(side, dtype=np.float64) / max(1.0, float(np.sum(side))), SMALLEST_SHARE)
            for side in (reference, now))  # fmt: skip
    return float(((q - p) * np.log(q / p)).sum())


def of_values(name: str, reference: NDArray[np.floating], now: NDArray[np.floating]) -> Drift:
    """Drift of values [n] against a reference [m], in bins of the reference's tenths. Leaves out values that are not
    finite."""
    a, b = (np.asarray(side, dtype=np.float64)[np.isfinite(side)] for side in (reference, now))
    if min(len(a), len(b)) < FEWEST:
        return Drift(name, len(a), len(b), None, None, None, "unknown")
    edges = np.unique(np.quantile(a, np.linspace(0, 1, BINS + 1)[1:-1]))
    counted = [np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1) for side in (a, b)]
    test = stats.ks_2samp(a, b)
    value = psi(*counted)
    return Drift(name, len(a), len(b), value, float(test.statistic), float(test.pvalue), verdict(value))


def of_counts(name: str, reference: Sequence[int], now: Sequence[int]) -> Drift:
    """Drift between two histograms over the same bins. `ks` is the distance of the cumulated shares, a lower bound of
    the distance between the values, since bins hide what is within them."""
    n, m = int(np.sum(reference)), int(np.sum(now))
    if min(n, m) < FEWEST:
        return Drift(name, n, m, None, None, None, "unknown")
    distance = float(np.abs(np.cumsum(reference) / n - np.cumsum(now) / m).max())
    p_value = float(stats.kstwo.sf(distance, round(n * m / (n + m))))
    value = psi(reference, now)
    return Drift(name, n, m, value, distance, p_value, verdict(value))


def verdict(value: float) -> str:
    return "large" if value >= LARGE else "moderate" if value >= MODERATE else "steady"
