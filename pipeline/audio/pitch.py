"""Fundamental frequency over time: autocorrelation and the best path through its peaks (Boersma 1993).

Boersma, P. (1993). Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
sampled sound. Proceedings of the Institute of Phonetic Sciences 17, 97-110.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.framing import FRAMES_AT_ONCE, frames_around
from pipeline.audio.load import Audio
from pipeline.records import Seconds

FLOOR_HZ, CEILING_HZ = 75.0, 600.0
PERIODS = 3  # of the lowest pitch, in a window
# Praat's standard settings.
SILENCE_THRESHOLD = 0.03
VOICING_THRESHOLD = 0.45
OCTAVE_COST = 0.01
OCTAVE_JUMP_COST = 0.35
VOICED_UNVOICED_COST = 0.14
COSTS_AT_S: Seconds = 0.01  # the step that the costs of a change hold for
N_CANDIDATES = 14
OVERSAMPLING = 2  # of the autocorrelation, so that a parabola through three of its points meets the peak


@dataclass(frozen=True)
class _Candidates:
    """Of each frame, by row: frequency (0 Hz: unvoiced, always the first) and strength; -inf where there are fewer."""

    frequency_hz: NDArray[np.float64]
    strength: NDArray[np.float64]


def f0_hz(audio: Audio, times_s: NDArray[np.float64], step_s: Seconds) -> NDArray[np.float64]:
    """F0 [n] at `times_s`, which are `step_s` apart, between 75 and 600 Hz; NaN where unvoiced."""
    samples = audio.samples.astype(np.float64)
    length = round(PERIODS / FLOOR_HZ * audio.sample_rate_hz)
    peak = float(np.abs(samples - samples.mean()).max()) if len(samples) else 0.0
    if peak == 0.0:
        return np.full(len(times_s), np.nan)
    parts = []
    for start in range(0, len(times_s), FRAMES_AT_ONCE):
        centres = times_s[start : start + FRAMES_AT_ONCE] * audio.sample_rate_hz
        parts.append(_candidates(frames_around(samples, centres, length), audio.sample_rate_hz, peak))
    frequency_hz = np.concatenate([part.frequency_hz for part in parts])
    path = _best_path(frequency_hz, np.concatenate([part.strength for part in parts]), COSTS_AT_S / step_s)
    best_hz = frequency_hz[np.arange(len(path)), path]
    return np.where(best_hz > 0, best_hz, np.nan)


def _candidates(frames: NDArray[np.float64], rate_hz: int, peak: float) -> _Candidates:
    """The highest peaks of the autocorrelation, and silence."""
    centred = frames - frames.mean(axis=1, keepdims=True)
    loudness = np.abs(centred).max(axis=1) / peak
    correlation = _autocorrelation(centred)
    fine_hz = rate_hz * OVERSAMPLING
    first, last = int(fine_hz / CEILING_HZ), int(np.ceil(fine_hz / FLOOR_HZ))
    before, middle, after = (correlation[:, first + shift : last + shift] for shift in (-1, 0, 1))
    is_peak = (middle > before) & (middle >= after) & (middle > 0.5 * VOICING_THRESHOLD)
    lags = np.arange(first, last)
    preferred = np.where(is_peak, middle - OCTAVE_COST * np.log2(lags * CEILING_HZ / fine_hz), -np.inf)
    chosen = np.argsort(-preferred, axis=1)[:, :N_CANDIDATES]
    left, top, right = (np.take_along_axis(values, chosen, axis=1) for values in (before, middle, after))
    curvature = np.minimum(left - 2.0 * top + right, -1e-12)
    shift = np.clip(0.5 * (left - right) / curvature, -0.5, 0.5)
    height = np.minimum(top - 0.25 * (left - right) * shift, 1.0)
    voiced_hz = fine_hz / (lags[chosen] + shift)
    strength = height - OCTAVE_COST * np.log2(CEILING_HZ / voiced_hz)
    usable = np.take_along_axis(is_peak, chosen, axis=1) & (voiced_hz >= FLOOR_HZ) & (voiced_hz <= CEILING_HZ)
    quiet = np.maximum(0.0, 2.0 - loudness / (SILENCE_THRESHOLD / (1.0 + VOICING_THRESHOLD)))
    return _Candidates(
        np.concatenate([np.zeros((len(frames), 1)), np.where(usable, voiced_hz, 0.0)], axis=1),
        np.concatenate([(VOICING_THRESHOLD + quiet)[:, None], np.where(usable, strength, -np.inf)], axis=1),
    )


def _autocorrelation(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each frame under a Hann window, over the window's own, 1 at lag 0; lags are halves of a sample."""
    import scipy.fft

    length = frames.shape[1]
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * (np.arange(length) + 0.5) / length)
    size = scipy.fft.next_fast_len(2 * length, real=True)
    n_lags = OVERSAMPLING * length // PERIODS + OVERSAMPLING + 2

    def correlated(values: NDArray[np.float64]) -> NDArray[np.float64]:
        power = np.abs(scipy.fft.rfft(values, size, axis=-1)) ** 2
        lags = scipy.fft.irfft(power, OVERSAMPLING * size, axis=-1)[..., :n_lags]
        return np.asarray(lags / np.maximum(lags[..., :1], 1e-30))

    return np.asarray(correlated(frames * window) / correlated(window))


def _best_path(
    frequency_hz: NDArray[np.float64], strength: NDArray[np.float64], correction: float
) -> NDArray[np.int64]:
    """Which candidate to take in each frame, so that strengths less the costs of jumps are highest (Viterbi)."""
    log_hz = np.log2(np.maximum(frequency_hz, 1.0))
    is_voiced = frequency_hz > 0
    total = strength[0]
    back = np.zeros(frequency_hz.shape, dtype=np.int64)
    for frame in range(1, len(frequency_hz)):
        was, now = is_voiced[frame - 1][:, None], is_voiced[frame][None, :]
        jump = OCTAVE_JUMP_COST * np.abs(log_hz[frame - 1][:, None] - log_hz[frame][None, :])
        cost = np.where(was & now, jump, np.where(was != now, VOICED_UNVOICED_COST, 0.0))
        reached = total[:, None] - correction * cost
        back[frame] = reached.argmax(axis=0)
        total = reached.max(axis=0) + strength[frame]
    path = np.zeros(len(frequency_hz), dtype=np.int64)
    path[-1] = total.argmax()
    for frame in range(len(path) - 1, 0, -1):
        path[frame - 1] = back[frame, path[frame]]
    return path
