"""The 57 acoustic features of the word scorer, in their order.

    39 MFCC          mean, standard deviation and mean delta of coefficients 1-13 (the first is the level)
     3 pitch         mean, standard deviation and range (Hz) of F0 over voiced frames; 0 without voiced frames
     5 formants      F1 mean and standard deviation, F2 mean and standard deviation, F3 mean (Hz); 0 without them
     3 energy        mean, standard deviation and maximum of the frames' RMS
     5 spectral      centroid, roll-off (85 %), bandwidth (Hz), flatness, zero-crossing rate: means over active frames
     1 tempo         onsets a minute: the strongest period of the onset strength, with a broad preference for 120
     1 harmonic      mean periodicity (0-1) of the frames where somebody speaks

A delta is the slope of a line through nine frames (Furui 1986), per frame. Every feature is defined for silence,
unvoiced speech and clips shorter than a frame; none is ever NaN.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import Audio
from pipeline.features.base import EXTRACTORS
from pipeline.features.frames import FREQUENCY_HZ, HOP, N_MELS, WINDOW, Frames
from pipeline.records import Target
from pipeline.settings import Settings

N_MFCC = 13
DELTA_REACH = 4
ROLLOFF_SHARE = 0.85
TEMPO_CENTRE_BPM = 120.0
TEMPO_RANGE_BPM = (40.0, 480.0)
FRAMES_PER_MINUTE = 60.0 * 16_000 / HOP

FEATURE_NAMES: tuple[str, ...] = (
    *(f"mfcc_{i}_mean" for i in range(1, N_MFCC + 1)),
    *(f"mfcc_{i}_std" for i in range(1, N_MFCC + 1)),
    *(f"mfcc_{i}_delta_mean" for i in range(1, N_MFCC + 1)),
    "f0_mean_hz", "f0_std_hz", "f0_range_hz",
    "f1_mean_hz", "f1_std_hz", "f2_mean_hz", "f2_std_hz", "f3_mean_hz",
    "rms_mean", "rms_std", "rms_max",
    "spectral_centroid_hz", "spectral_rolloff_hz", "spectral_bandwidth_hz", "spectral_flatness", "zero_crossing_rate",
    "tempo_bpm",
    "harmonic_ratio",
)  # fmt: skip


class Acoustic57:
    name = "acoustic57"
    version = "1"
    feature_names = FEATURE_NAMES
    knows_words = False
    description = "57 acoustic features: timbre, pitch, formants, energy, spectrum, tempo; does not know the text"

    def extract(self, audio: Audio, target: Target) -> NDArray[np.float32]:
        return acoustic57(Frames(audio))

    def depends_on(self, target: Target) -> str:
        return ""


@EXTRACTORS.register("acoustic57")
def make(settings: Settings) -> Acoustic57:
    return Acoustic57()


def acoustic57(frames: Frames) -> NDArray[np.float32]:
    """All 57 [57]."""
    coefficients = mfcc(frames)
    rms = frames.rms
    values = np.concatenate(
        [
            coefficients.mean(axis=0),
            coefficients.std(axis=0),
            delta(coefficients).mean(axis=0),
            _pitch(frames),
            _formants(frames),
            [rms.mean(), rms.std(), rms.max()],
            spectral_shape(frames),
            [tempo_bpm(frames), harmonic_ratio(frames)],
        ]
    )
    return values.astype(np.float32)


def mfcc(frames: Frames) -> NDArray[np.float32]:
    """Coefficients 1-13 [n_frames, 13]: the orthonormal DCT-II of the mel levels in dB."""
    return cepstra_from_mel(frames.log_mel_db)


def cepstra_from_mel(log_mel_db: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same from mel levels [n_frames, 40]."""
    return np.asarray(log_mel_db @ _dct().T)


def delta(coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
    """Slope a frame [n_frames, d]; the first and last four frames take the slope of the nearest full window, and a
    clip under nine frames the slope through all it has."""
    n = len(coefficients)
    reach = min(DELTA_REACH, (n - 1) // 2)
    if reach == 0:
        return np.zeros_like(coefficients)
    steps = np.arange(-reach, reach + 1)
    weights = (steps / (steps**2).sum()).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(coefficients, len(steps), axis=0)
    return np.asarray(np.pad(windows @ weights, ((reach, n - len(windows) - reach), (0, 0)), mode="edge"))


def spectral_shape(frames: Frames) -> NDArray[np.float64]:
    """Centroid, roll-off, bandwidth (Hz), flatness (0-1), zero crossings a sample [5], means over active frames."""
    active = frames.active
    if not active.any():
        return np.zeros(5)
    power = frames.power[active]
    magnitude = np.sqrt(power)
    total = np.maximum(magnitude.sum(axis=1), 1e-12)
    centroid = magnitude @ FREQUENCY_HZ / total
    variance = magnitude @ FREQUENCY_HZ**2 / total - centroid**2
    cumulated = np.cumsum(magnitude, axis=1)
    rolloff = FREQUENCY_HZ[(cumulated < ROLLOFF_SHARE * cumulated[:, -1:]).sum(axis=1)]
    floored = np.maximum(power, 1e-10)
    flatness = np.exp(np.log(floored).mean(axis=1)) / floored.mean(axis=1)
    signs = np.signbit(frames.raw[active])
    crossings = (signs[:, 1:] != signs[:, :-1]).sum(axis=1) / WINDOW
    columns = (centroid, rolloff, np.sqrt(np.maximum(variance, 0.0)), flatness, crossings)
    return np.array([float(column.mean()) for column in columns])


def tempo_bpm(frames: Frames) -> float:
    """The lag at which the onset strength resembles itself most, as beats a minute, weighted with a log-normal
    preference one octave wide around 120 (Ellis 2007); 0 for clips too short to hold two onsets, and for silence."""
    onset = frames.onset_strength
    shortest, longest = (round(FRAMES_PER_MINUTE / bpm) for bpm in reversed(TEMPO_RANGE_BPM))
    longest = min(longest, len(onset) - 1)
    if longest <= shortest or not frames.active.any():
        return 0.0
    centred = onset - onset.mean()
    size = 1 << int(2 * len(onset) - 1).bit_length()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(centred, size)) ** 2, size)[shortest : longest + 1]
    bpm = FRAMES_PER_MINUTE / np.arange(shortest, longest + 1)
    weighted = np.maximum(correlation, 0.0) * np.exp(-0.5 * np.log2(bpm / TEMPO_CENTRE_BPM) ** 2)
    return float(bpm[weighted.argmax()]) if weighted.max() > 0 else 0.0


def harmonic_ratio(frames: Frames) -> float:
    active = frames.active
    return float(frames.pitch.periodicity[active].mean()) if active.any() else 0.0


def _pitch(frames: Frames) -> list[float]:
    voiced = frames.pitch.f0_hz[frames.pitch.voiced]
    if len(voiced) == 0:
        return [0.0, 0.0, 0.0]
    return [float(voiced.mean()), float(voiced.std()), float(np.ptp(voiced))]


def _formants(frames: Frames) -> list[float]:
    formants = frames.formants_hz
    if len(formants) == 0:
        return [0.0] * 5
    mean, std = formants.mean(axis=0), formants.std(axis=0)
    return [float(v) for v in (mean[0], std[0], mean[1], std[1], mean[2])]


@lru_cache(maxsize=1)
def _dct() -> NDArray[np.float32]:
    """The first 13 rows [13, 40] of the orthonormal DCT-II."""
    rows, columns = np.arange(N_MFCC)[:, None], np.arange(N_MELS)[None, :]
    matrix = np.sqrt(2.0 / N_MELS) * np.cos(np.pi * rows * (columns + 0.5) / N_MELS)
    matrix[0] /= np.sqrt(2.0)
    return np.asarray(matrix, dtype=np.float32)
