"""Input of Whisper's encoders (Radford et al. 2022): log-mel frames of 25 ms every 10 ms, without padding to 30 s."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.features.mel import mel_filters

FFT_SIZE, HOP = 400, 160
SAMPLE_RATE_HZ = 16_000


def log_mel(samples: NDArray[np.float32], n_mels: int = 80) -> NDArray[np.float32]:
    """[n_mels, n_samples / 160]: log10 mel power, floored 8 under the peak, scaled to about one."""
    padded = np.pad(samples, FFT_SIZE // 2, mode="reflect" if len(samples) > FFT_SIZE // 2 else "constant")
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(padded, (0, FFT_SIZE)), FFT_SIZE)[::HOP]
    frames = frames[: max(2, len(samples) // HOP)]
    window = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FFT_SIZE) / FFT_SIZE)).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    level = np.log10(np.maximum(power @ _filters(n_mels), 1e-10)).T
    return np.asarray((np.maximum(level, level.max() - 8.0) + 4.0) / 4.0, dtype=np.float32)


@cache
def _filters(n_mels: int) -> NDArray[np.float32]:
    """Triangles of equal area on Slaney's mel scale, 0-8000 Hz, [201, n_mels]."""
    filters = mel_filters(n_mels, FFT_SIZE, SAMPLE_RATE_HZ, 0.0, SAMPLE_RATE_HZ / 2, "slaney", unit_area=True)
    return np.ascontiguousarray(filters.T)
