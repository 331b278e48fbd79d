"""Intensity over time."""

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.framing import FRAMES_AT_ONCE, frames_around
from pipeline.audio.load import Audio

FLOOR_HZ = 75.0  # the lowest pitch whose periods are smoothed away
REFERENCE_POWER = 4e-10  # Pa², the threshold of hearing squared
LEAST_POWER = 1e-40


def intensity_db(audio: Audio, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intensity [n] at `times_s` in dB re 20 µPa where full scale is 1 Pa, as Praat computes it: the squared samples,
    less their mean, under a Kaiser window (beta 2 π² + .5) of 6.4 periods of 75 Hz."""
    length = 2 * round(3.2 / FLOOR_HZ * audio.sample_rate_hz) + 1
    window = np.kaiser(length, 2.0 * np.pi**2 + 0.5)
    samples, inside = audio.samples.astype(np.float64), np.ones(len(audio.samples))
    parts = [np.zeros(0)]
    for start in range(0, len(times_s), FRAMES_AT_ONCE):
        centres = times_s[start : start + FRAMES_AT_ONCE] * audio.sample_rate_hz
        frames, within = (frames_around(values, centres, length) for values in (samples, inside))
        mean = frames.sum(axis=1) / np.maximum(within.sum(axis=1), 1.0)
        centred = (frames - mean[:, None]) * within
        parts.append((centred**2) @ window / np.maximum(within @ window, 1e-12))
    return np.asarray(10.0 * np.log10(np.maximum(np.concatenate(parts), LEAST_POWER) / REFERENCE_POWER))
