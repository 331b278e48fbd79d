"""Frames of a signal around given times."""

import numpy as np
from numpy.typing import NDArray

FRAMES_AT_ONCE = 1000  # so that long recordings fit the memory


def frames_around(samples: NDArray[np.float64], centres: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Frames [n, length] about the positions `centres` (in samples), zero beyond the ends of the signal."""
    padded = np.pad(samples, length)
    first = np.round(centres - length / 2).astype(np.int64) + length
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, length)[first])


def gaussian(length: int) -> NDArray[np.float64]:
    """Praat's Gaussian window, exp(-12) at its edges taken off, so that it ends at zero."""
    place = 2.0 * (np.arange(length) + 0.5) / length - 1.0
    edge = np.exp(-12.0)
    return np.asarray((np.exp(-12.0 * place**2) - edge) / (1.0 - edge))
