"""Percentile bootstrap intervals, over items or over whole speakers.

Utterances of one speaker are alike, so an interval that draws single utterances is too narrow; drawing speakers with
all their utterances (cluster bootstrap; Field & Welsh 2007) is not. Each resample is a vector of counts, so that any
statistic that is a function of weighted sums is computed for all resamples at once.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

N_RESAMPLES = 1000
CONFIDENCE = 0.95


def resample_weights(
    n: int, clusters: Sequence[str] | None, *, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """How often each item [n] is drawn in each resample: [n_resamples, n]."""
    generator = np.random.default_rng(seed)
    if clusters is None:
        return generator.multinomial(n, np.full(n, 1.0 / n), size=n_resamples).astype(np.float64)
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    drawn = generator.multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=n_resamples)
    return drawn[:, member].astype(np.float64)


def resampled_sums(
    columns: NDArray[np.float64], clusters: Sequence[str], *, n_resamples: int = N_RESAMPLES
) -> NDArray[np.float64]:
    """Sums [n_resamples, k] of `columns` [n, k] under resampled clusters: each cluster is added up once, as a thousand
    times 20,000 items is much."""
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.stack([np.bincount(member, weights=column) for column in columns.T], axis=1)
    return resample_weights(len(names), None, n_resamples=n_resamples) @ sums


def interval(values: NDArray[np.float64], confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """The central `confidence` of the finite resampled values; None where more than one in twenty is undefined."""
    finite = values[np.isfinite(values)]
    if len(finite) < 0.95 * len(values) or len(finite) == 0:
        return None
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(finite, [tail, 100.0 - tail])
    return float(low), float(high)
