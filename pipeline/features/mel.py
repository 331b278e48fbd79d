"""Mel scales and triangular filterbanks: the one rule for all front ends."""

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Scale = Literal["slaney", "oshaughnessy"]
# Slaney's scale (Auditory Toolbox, 1998): linear to 1 kHz, logarithmic above.
_SLANEY_BREAK_HZ, _SLANEY_BREAK_MEL = 1000.0, 15.0


def hz_to_mel(hz: float, scale: Scale) -> float:
    if scale == "oshaughnessy":
        return float(2595.0 * np.log10(1.0 + hz / 700.0))
    if hz < _SLANEY_BREAK_HZ:
        return hz / (200.0 / 3.0)
    return float(_SLANEY_BREAK_MEL + np.log(hz / _SLANEY_BREAK_HZ) / (np.log(6.4) / 27.0))


def mel_to_hz(mel: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    if scale == "oshaughnessy":
        return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))
    above = _SLANEY_BREAK_HZ * np.exp((mel - _SLANEY_BREAK_MEL) * np.log(6.4) / 27.0)
    return np.where(mel < _SLANEY_BREAK_MEL, mel * 200.0 / 3.0, above)


@cache
def mel_edges_hz(n_mels: int, low_hz: float, high_hz: float, scale: Scale) -> NDArray[np.float64]:
    """Edges [n_mels + 2] of the bands: band i rises from edge i to edge i + 1 and falls to edge i + 2."""
    return mel_to_hz(np.linspace(hz_to_mel(low_hz, scale), hz_to_mel(high_hz, scale), n_mels + 2), scale)


@cache
def mel_filters(
    n_mels: int, fft_size: int, rate_hz: int, low_hz: float, high_hz: float, scale: Scale, *, unit_area: bool
) -> NDArray[np.float32]:
    """Triangles [n_mels, fft_size // 2 + 1], each of height 1 or, with `unit_area`, of area 1 in hertz."""
    edges_hz = mel_edges_hz(n_mels, low_hz, high_hz, scale)
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    bins_hz = np.fft.rfftfreq(fft_size, 1.0 / rate_hz)
    triangles = np.maximum(0.0, np.minimum((bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre)))
    if unit_area:
        triangles = triangles * 2.0 / (high - low)
    return np.asarray(triangles, dtype=np.float32)
