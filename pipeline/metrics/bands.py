"""Do a scorer and the experts put recordings into the same verbal bands?

Cohen's kappa with quadratic weights (Cohen 1968) over the bands of 0-100 scores. Beside it stands what one expert
reaches with the median of the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.metrics.bootstrap import interval, resampled_sums
from pipeline.metrics.rater_agreement import kappa_columns, kappa_of_sums
from pipeline.records import BANDS

LOWS = sorted(band.low for band in BANDS)


@dataclass(frozen=True)
class BandAgreement:
    """Weighted kappa over `n` recordings, None where all lie in one band, its 95 % interval over speakers, and the
    kappa of each expert with the median of the others."""

    kappa: float | None
    interval: tuple[float, float] | None
    n: int
    experts: tuple[float, ...] = ()


def band_agreement(
    reference: ArrayLike, predicted: ArrayLike, speakers: Sequence[str], n_resamples: int = 1000
) -> BandAgreement:
    """Of scores [n], 0-100. Raises ValueError for different lengths."""
    truth, guess = _levels(reference), _levels(predicted)
    if not len(truth) == len(guess) == len(speakers):
        raise ValueError(f"expected three of a length, got {len(truth)}, {len(guess)}, {len(speakers)}")
    columns = kappa_columns(truth, guess)
    kappa = _defined(columns.sum(axis=0))
    if kappa is None or len(set(speakers)) < 2 or not n_resamples:
        return BandAgreement(kappa, None, len(truth))
    drawn = resampled_sums(columns, speakers, n_resamples=n_resamples)
    with np.errstate(invalid="ignore", divide="ignore"):
        return BandAgreement(kappa, interval(kappa_of_sums(drawn)), len(truth))


def experts_in_bands(scores: ArrayLike) -> tuple[float, ...]:
    """Of scores [n, experts], 0-100: each expert's kappa with the median of the others; those that are defined."""
    table = np.asarray(scores, dtype=np.float64)
    found = []
    for expert in range(table.shape[1] if table.ndim == 2 and table.shape[1] > 1 else 0):
        median = np.median(np.delete(table, expert, axis=1), axis=1)
        kappa = _defined(kappa_columns(_levels(median), _levels(table[:, expert])).sum(axis=0))
        found += [] if kappa is None else [kappa]
    return tuple(found)


def _levels(scores: ArrayLike) -> NDArray[np.float64]:
    """The place of each score's band, from 0 for the lowest."""
    return np.asarray(np.searchsorted(LOWS, np.asarray(scores, dtype=np.float64), side="right") - 1, dtype=np.float64)


def _defined(sums: NDArray[np.float64]) -> float | None:
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa = float(kappa_of_sums(sums))
    return kappa if np.isfinite(kappa) else None
