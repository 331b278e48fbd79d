"""Power in mel bands, which log-mel, cepstral and adaptive features begin with."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from pipeline.features.mel import mel_filters

RATE_HZ = 16_000


def mel_power(
    samples: NDArray[np.float32], window: int, hop: int, n_mels: int, low_hz: float, high_hz: float
) -> NDArray[np.float32]:
    """[n, n_mels] of sound [at least window] at 16 kHz: `window` samples under a Hann window, every `hop`."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    size = 1 << (window - 1).bit_length()
    power = np.abs(rfft(frames * np.hanning(window).astype(np.float32), size, axis=1)) ** 2
    filters = mel_filters(n_mels, size, RATE_HZ, low_hz, high_hz, "oshaughnessy", unit_area=False)
    return np.asarray(power @ filters.T)
