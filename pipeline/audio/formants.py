"""Formant frequencies over time."""

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.framing import FRAMES_AT_ONCE, frames_around, gaussian
from pipeline.audio.load import Audio
from pipeline.records import Seconds

N_FORMANTS = 5
WINDOW_S: Seconds = 0.05  # the effective length is half of that
EMPHASIS_FROM_HZ = 50.0
SAFETY_HZ = 50.0  # nearer to 0 Hz or the ceiling a pole is no formant


def formants_hz(audio: Audio, times_s: NDArray[np.float64], ceiling_hz: float) -> NDArray[np.float64]:
    """F1 to F5 [n, 5] at `times_s`, in rising order, NaN where fewer were found.

    Linear prediction by Burg's method (Childers 1978) of order 10 on the signal resampled to twice the ceiling, with
    pre-emphasis from 50 Hz and Gaussian windows of 50 ms: Praat's "To Formant (burg)". Every pole between 50 Hz and
    the ceiling less 50 Hz counts, however wide.
    """
    import soxr

    rate_hz = 2.0 * ceiling_hz
    samples = soxr.resample(audio.samples.astype(np.float64), audio.sample_rate_hz, rate_hz, quality="VHQ")
    samples[1:] -= np.exp(-2.0 * np.pi * EMPHASIS_FROM_HZ / rate_hz) * samples[:-1]
    window = gaussian(round(WINDOW_S * rate_hz))
    parts = [np.zeros((0, N_FORMANTS))]
    for start in range(0, len(times_s), FRAMES_AT_ONCE):
        centres = times_s[start : start + FRAMES_AT_ONCE] * rate_hz
        parts.append(_resonances(frames_around(samples, centres, len(window)) * window, rate_hz))
    return np.concatenate(parts)


def _resonances(frames: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    coefficients = burg(frames, 2 * N_FORMANTS)
    n, order = coefficients.shape
    companion = np.zeros((n, order, order))
    companion[:, 0] = coefficients
    companion[:, np.arange(1, order), np.arange(order - 1)] = 1.0
    frequency_hz = np.angle(np.linalg.eigvals(companion)) * rate_hz / (2.0 * np.pi)
    usable = (frequency_hz > SAFETY_HZ) & (frequency_hz < rate_hz / 2.0 - SAFETY_HZ)
    return np.asarray(np.sort(np.where(usable, frequency_hz, np.nan), axis=1)[:, :N_FORMANTS])


def burg(frames: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Linear prediction coefficients [n, order] of frames [n, length]: sample t is about the sum over k of
    coefficient k times sample t - k - 1."""
    forward, backward = frames[:, 1:], frames[:, :-1]
    coefficients = np.zeros((len(frames), order))
    for step in range(order):
        energy = (forward**2 + backward**2).sum(axis=1)
        reflection = 2.0 * (forward * backward).sum(axis=1) / np.maximum(energy, 1e-30)
        earlier = coefficients[:, :step]
        coefficients[:, :step] = earlier - reflection[:, None] * earlier[:, ::-1]
        coefficients[:, step] = reflection
        gain = reflection[:, None]
        forward, backward = (
            (forward - gain * backward)[:, 1:],
            (backward - gain * forward)[:, :-1],
        )
    return coefficients
