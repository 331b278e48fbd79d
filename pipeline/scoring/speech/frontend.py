"""From samples to what an encoder reads, in numpy; a front end is described by a few numbers in a model's config."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.log_mel import log_mel

SAMPLE_RATE_HZ = 16_000
PITCH_WINDOW, PITCH_FFT = 800, 2048  # samples
SHORTEST_LAG, LONGEST_LAG = SAMPLE_RATE_HZ // 500, SAMPLE_RATE_HZ // 70
OCTAVE_COST = 0.01  # of two peaks nearly as high, the shorter lag
PITCH_FLOOR_DB = 40.0  # below the loudest frame nothing counts as voiced
KINDS = ("log_mel", "waveform")


@dataclass(frozen=True)
class FrontEnd:
    """`kind` is one of KINDS; `n_mels` counts for log_mel alone. Sample rate 16 kHz."""

    kind: str
    n_mels: int = 0

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """[n_mels, T] or [n_samples]; zero mean and unit variance where the waveform is read."""
        if self.kind == "log_mel":
            return log_mel(samples, self.n_mels)
        return np.asarray((samples - samples.mean()) / np.sqrt(samples.var() + 1e-7), dtype=np.float32)


def log_mel_front_end(n_mels: int) -> FrontEnd:
    return FrontEnd("log_mel", n_mels)


def waveform_front_end() -> FrontEnd:
    return FrontEnd("waveform")


@dataclass(frozen=True)
class FrameSound:
    """`level_db`, `log2_pitch` (of the fundamental in Hz) and `periodicity` (0-1, how sure there is one) of each
    frame [T]."""

    level_db: NDArray[np.float64]
    log2_pitch: NDArray[np.float64]
    periodicity: NDArray[np.float64]


def frame_sound(samples: NDArray[np.float32], n_frames: int) -> FrameSound:
    """Of `n_frames` equal stretches of a recording at 16 kHz."""
    return FrameSound(frame_levels(samples, n_frames), *_pitch(samples, n_frames))


def frame_levels(samples: NDArray[np.float32], n_frames: int) -> NDArray[np.float64]:
    """Level of each of `n_frames` equal stretches of the recording, dB."""
    edges = np.linspace(0, len(samples), n_frames + 1).astype(int)
    power = np.add.reduceat(np.append(samples.astype(np.float64) ** 2, 0.0), edges[:-1]) / np.maximum(np.diff(edges), 1)
    return np.asarray(10.0 * np.log10(power + 1e-9), dtype=np.float64)


def _pitch(samples: NDArray[np.float32], n_frames: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log2 of the fundamental in Hz, and the height of its peak, by autocorrelation divided by the window's (Boersma
    1993)."""
    centres = ((np.arange(n_frames) + 0.5) * len(samples) / n_frames).astype(int)
    padded = np.pad(samples.astype(np.float64), PITCH_WINDOW // 2)
    frames = padded[centres[:, None] + np.arange(PITCH_WINDOW)]
    window = np.hanning(PITCH_WINDOW)
    frames = (frames - frames.mean(axis=1, keepdims=True)) * window
    energy = _autocorrelation(frames)
    ratio = energy / (energy[:, :1] + 1e-9) / _normal(_autocorrelation(window[None]))
    lags = np.arange(SHORTEST_LAG, LONGEST_LAG)
    middle = ratio[:, lags]
    is_peak = (middle >= ratio[:, lags - 1]) & (middle >= ratio[:, lags + 1])
    best = np.where(is_peak, middle - OCTAVE_COST * np.log2(lags / SHORTEST_LAG), -1.0).argmax(axis=1)
    height = np.clip(middle[np.arange(n_frames), best], 0.0, 1.0)
    level = 10.0 * np.log10(energy[:, 0] + 1e-9)
    return np.log2(SAMPLE_RATE_HZ / lags[best]), np.where(level > level.max() - PITCH_FLOOR_DB, height, 0.0)


def _autocorrelation(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n, LONGEST_LAG + 1]."""
    spectrum = np.fft.rfft(frames, PITCH_FFT, axis=1)
    return np.asarray(np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, : LONGEST_LAG + 1])


def _normal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values / values[:, :1]
