"""What all acoustic extractors share: one framing, one Fourier transform, and what follows from them.

Frames are 40 ms Hann windows every 10 ms, centred on multiples of the hop (the ends padded with zeros). The power
spectrum of each serves the mel bands, the spectral shape, the formants and, transformed back, the autocorrelation from
which pitch and harmonicity come: nothing is computed twice.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from pipeline.audio.load import TARGET_RATE_HZ, Audio
from pipeline.features.mel import mel_edges_hz, mel_filters

WINDOW = 640
HOP = 160
FFT_SIZE = 1024
N_MELS = 40
F0_MIN_HZ, F0_MAX_HZ = 75.0, 500.0
# Praat's thresholds (Boersma 1993): a frame is voiced from this periodicity on, and if it is not too quiet.
VOICING_THRESHOLD = 0.45
SILENCE_THRESHOLD = 0.03
# A candidate an octave lower must be clearly more periodic to be preferred.
OCTAVE_COST = 0.02
# Formants are looked for below this frequency, two poles a formant (Makhoul 1975, selective linear prediction).
FORMANT_CEILING_HZ = 5500.0
LPC_ORDER = 10
PRE_EMPHASIS = 0.97

FREQUENCY_HZ = np.fft.rfftfreq(FFT_SIZE, 1.0 / TARGET_RATE_HZ).astype(np.float32)


@dataclass(frozen=True)
class Pitch:
    """`f0_hz` [n_frames], 0 where unvoiced; `periodicity` [n_frames] in 0-1, the height of the autocorrelation peak."""

    f0_hz: NDArray[np.float32]
    periodicity: NDArray[np.float32]

    @property
    def voiced(self) -> NDArray[np.bool_]:
        return np.asarray(self.f0_hz > 0)


class Frames:
    """One recording's frames; every property is computed once, when first asked for."""

    def __init__(self, audio: Audio) -> None:
        samples = audio.samples if len(audio.samples) else np.zeros(1, dtype=np.float32)
        self.samples = samples
        padded = np.zeros(len(samples) + WINDOW, dtype=np.float32)
        padded[WINDOW // 2 : WINDOW // 2 + len(samples)] = samples
        self.raw = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]

    def __len__(self) -> int:
        return len(self.raw)

    @cached_property
    def rms(self) -> NDArray[np.float32]:
        """Root mean square of each frame [n_frames], full scale 1."""
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", self.raw, self.raw) / WINDOW))

    @cached_property
    def power(self) -> NDArray[np.float32]:
        """Power spectrum [n_frames, 513], scaled so that a full-scale sine has power about 1 in its bin."""
        window, _ = _window()
        spectrum = scipy.fft.rfft(self.raw * window, FFT_SIZE, axis=1)
        return np.asarray((spectrum.real**2 + spectrum.imag**2) / (0.25 * WINDOW) ** 2)

    @cached_property
    def log_mel_db(self) -> NDArray[np.float32]:
        """Mel band levels [n_frames, 40] in dB, floored at 80 dB under the loudest and at -100 dB."""
        level_db = 10.0 * np.log10(np.maximum(self.power @ _mel_filters().T, 1e-10))
        return np.asarray(np.maximum(level_db, level_db.max() - 80.0))

    @cached_property
    def active(self) -> NDArray[np.bool_]:
        """Frames [n_frames] within 40 dB of the loudest and above -60 dBFS: where somebody speaks."""
        loudest = float(self.rms.max())
        return np.asarray(self.rms > max(1e-3, 0.01 * loudest))

    @cached_property
    def pitch(self) -> Pitch:
        """Autocorrelation pitch (Boersma 1993), 75-500 Hz, in two passes.

        The autocorrelation of the windowed frame is divided by the window's own, the highest peak of each frame taken,
        and the search repeated within an octave around the median, which mends most octave errors (De Looze & Hirst
        2008).
        """
        periodicity = self._normalised_autocorrelation
        loud = self.rms > SILENCE_THRESHOLD * max(float(self.rms.max()), 1e-4)
        first = _best_peaks(periodicity, F0_MIN_HZ, F0_MAX_HZ)
        voiced = loud & (first.periodicity > VOICING_THRESHOLD)
        if not voiced.any():
            return Pitch(np.zeros(len(self), np.float32), np.where(loud, first.periodicity, 0.0).astype(np.float32))
        middle = float(np.median(first.f0_hz[voiced]))
        second = _best_peaks(periodicity, max(F0_MIN_HZ, 0.6 * middle), min(F0_MAX_HZ, 1.7 * middle))
        voiced = loud & (second.periodicity > VOICING_THRESHOLD)
        f0_hz = np.where(voiced, second.f0_hz, 0.0).astype(np.float32)
        return Pitch(f0_hz, np.where(loud, second.periodicity, 0.0).astype(np.float32))

    @cached_property
    def voicing(self) -> NDArray[np.float32]:
        """Height [n_frames] in 0-1 of each frame's highest autocorrelation peak at 75-500 Hz, whatever the pitch and
        the level about it: near 1 in a voice, some tenths in breath and hiss."""
        return _best_peaks(self._normalised_autocorrelation, F0_MIN_HZ, F0_MAX_HZ).periodicity

    @cached_property
    def _normalised_autocorrelation(self) -> NDArray[np.float32]:
        """[n_frames, max lag + 2], 1 at lag 0."""
        _, window_autocorrelation = _window()
        n_lags = int(TARGET_RATE_HZ / F0_MIN_HZ) + 2
        raw = scipy.fft.irfft(self.power, FFT_SIZE, axis=1)[:, :n_lags]
        return np.asarray(raw / (np.maximum(raw[:, :1], 1e-12) * window_autocorrelation[:n_lags]), dtype=np.float32)

    @cached_property
    def formants_hz(self) -> NDArray[np.float32]:
        """F1-F3 [n, 3] of every second voiced frame in which three resonances were found; [0, 3] where none was.

        Linear prediction of order 10 on the spectrum below 5.5 kHz with pre-emphasis. As in Praat, every pole counts,
        however wide: a cut at 600 Hz drops weak second formants and moved the mean F2 by 200 Hz.
        """
        rows = np.flatnonzero(self.pitch.voiced)[::2]
        if len(rows) == 0:
            return np.zeros((0, 3), dtype=np.float32)
        n_bins = int(FORMANT_CEILING_HZ / TARGET_RATE_HZ * FFT_SIZE) + 1
        band = self.power[rows, :n_bins] * _emphasis()[:n_bins]
        size = 2 * (n_bins - 1)
        rate_hz = size * TARGET_RATE_HZ / FFT_SIZE
        lags = scipy.fft.irfft(band.astype(np.float64), size, axis=1)[:, : LPC_ORDER + 1]
        lags[:, 0] = lags[:, 0] * (1.0 + 1e-6) + 1e-15
        index = np.abs(np.subtract.outer(np.arange(LPC_ORDER), np.arange(LPC_ORDER)))
        coefficients = np.linalg.solve(lags[:, index], lags[:, 1:, None])[..., 0]
        companion = np.zeros((len(rows), LPC_ORDER, LPC_ORDER))
        companion[:, 0] = coefficients
        companion[:, np.arange(1, LPC_ORDER), np.arange(LPC_ORDER - 1)] = 1.0
        poles = np.linalg.eigvals(companion)
        frequency_hz = np.angle(poles) * rate_hz / (2.0 * np.pi)
        usable = (frequency_hz > 50.0) & (frequency_hz < FORMANT_CEILING_HZ - 50.0)
        ordered = np.sort(np.where(usable, frequency_hz, np.inf), axis=1)[:, :3]
        return np.asarray(ordered[np.isfinite(ordered).all(axis=1)], dtype=np.float32)

    @cached_property
    def onset_strength(self) -> NDArray[np.float32]:
        """Mean rise of the mel levels in dB from frame to frame [n_frames - 1]: high where a syllable sets in."""
        return np.asarray(np.maximum(np.diff(self.log_mel_db, axis=0), 0.0).mean(axis=1))


def mel_centres_hz() -> NDArray[np.float64]:
    """Centre frequencies [40] of the mel bands."""
    return mel_edges_hz(N_MELS, 0.0, TARGET_RATE_HZ / 2.0, "slaney")[1:-1]


def _mel_filters() -> NDArray[np.float32]:
    """Slaney's triangular filters [40, 513] of unit area from 0 to 8 kHz, as in Auditory Toolbox (Slaney 1998)."""
    return mel_filters(N_MELS, FFT_SIZE, TARGET_RATE_HZ, 0.0, TARGET_RATE_HZ / 2.0, "slaney", unit_area=True)


@lru_cache(maxsize=1)
def _window() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The Hann window [640] and its normalised autocorrelation [1024]."""
    window = (0.5 - 0.5 * np.cos(2.0 * np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)).astype(np.float32)
    autocorrelation = scipy.fft.irfft(np.abs(scipy.fft.rfft(window, 2 * FFT_SIZE)) ** 2)[:FFT_SIZE]
    return window, (autocorrelation / autocorrelation[0]).astype(np.float32)


@lru_cache(maxsize=1)
def _emphasis() -> NDArray[np.float32]:
    """Power response [513] of the filter 1 - .97 z^-1."""
    omega = 2.0 * np.pi * FREQUENCY_HZ / TARGET_RATE_HZ
    return np.asarray(1.0 + PRE_EMPHASIS**2 - 2.0 * PRE_EMPHASIS * np.cos(omega), dtype=np.float32)


def _best_peaks(correlation: NDArray[np.float32], low_hz: float, high_hz: float) -> Pitch:
    """The best peak of each row with a parabola through its top; 0 Hz and 0 where a row has none."""
    first, last = int(np.ceil(TARGET_RATE_HZ / high_hz)), int(TARGET_RATE_HZ / low_hz)
    middle = correlation[:, first : last + 1]
    before, after = correlation[:, first - 1 : last], correlation[:, first + 1 : last + 2]
    lags = np.arange(first, last + 1)
    is_peak = (middle > before) & (middle >= after) & (middle > 0)
    preferred = middle - OCTAVE_COST * np.log2(lags / first).astype(np.float32)
    best = np.where(is_peak, preferred, -np.inf).argmax(axis=1)
    rows = np.arange(len(correlation))
    has_peak = is_peak[rows, best]
    left, top, right = before[rows, best], middle[rows, best], after[rows, best]
    curvature = left - 2.0 * top + right
    shift = np.where(np.abs(curvature) > 1e-9, 0.5 * (left - right) / np.where(curvature == 0, 1, curvature), 0.0)
    height = top - 0.25 * (left - right) * shift
    f0_hz = np.where(has_peak, TARGET_RATE_HZ / (lags[best] + np.clip(shift, -0.5, 0.5)), 0.0)
    return Pitch(f0_hz.astype(np.float32), np.where(has_peak, np.clip(height, 0.0, 1.0), 0.0).astype(np.float32))
