"""Weights that make up for bands with few items: without them a model learns the bands that raters give most."""

import numpy as np
from numpy.typing import NDArray

from pipeline.records import BANDS, band_of

LARGEST = 5.0  # a single item of a band must not outweigh the rest


def band_weights(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """One weight per item [n] for scores 0-100 [n]: the inverse of its band's share of the items, cut at 5 times the
    smallest, with mean 1."""
    names = np.array([band_of(float(score)).key for score in scores])
    counts = {band.key: max(1, int((names == band.key).sum())) for band in BANDS}
    weights = np.array([1.0 / counts[name] for name in names])
    weights = np.minimum(weights, LARGEST * weights.min())
    return np.asarray(weights / weights.mean())
