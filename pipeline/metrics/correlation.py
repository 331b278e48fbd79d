"""Pearson (PCC) and Spearman correlation."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

MIN_ITEMS = 3


def pearson(a: ArrayLike, b: ArrayLike) -> float | None:
    """The product-moment correlation of two vectors [n]; None for n < 3 or where either is constant."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if len(x) < MIN_ITEMS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(weighted_pearson(x, y, np.ones((1, len(x))))[0])


def spearman(a: ArrayLike, b: ArrayLike) -> float | None:
    """Pearson's correlation of the ranks, ties sharing their mean rank; None as for `pearson`."""
    from scipy.stats import rankdata

    return pearson(rankdata(np.asarray(a)), rankdata(np.asarray(b)))


def weighted_pearson(
    x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """PCC of x and y [n] under each row of `weights` [m, n] -> [m]; NaN where a weighted variance vanishes."""
    x, y = x - x.mean(), y - y.mean()  # centred first: sums of squares of large means would lose digits
    total = weights.sum(axis=1)
    mean_x, mean_y = weights @ x / total, weights @ y / total
    cov = weights @ (x * y) / total - mean_x * mean_y
    var_x = weights @ (x * x) / total - mean_x**2
    var_y = weights @ (y * y) / total - mean_y**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where((var_x > 1e-12) & (var_y > 1e-12), cov / np.sqrt(var_x * var_y), np.nan))
