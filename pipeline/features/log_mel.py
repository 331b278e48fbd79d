"""Input of Whisper's encoders (Radford et al. 2022): log-mel frames of 25 ms every 10 ms, without padding to 30 s."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

FFT_SIZE, HOP = 400, 160
SAMPLE_RATE_HZ = 16_000
# Slaney's mel scale: linear to 1 kHz, logarithmic above.
_HZ_A_MEL = 200.0 / 3.0
_BREAK_MEL = 15.0
_LOG_STEP = np.log(6.4) / 27.0


def log_mel(samples: NDArray[np.float32], n_mels: int = 80) -> NDArray[np.float32]:
    """[n_mels, n_samples / 160]: log10 mel power, floored 8 under the peak, scaled to about one."""
    padded = np.pad(samples, FFT_SIZE // 2, mode="reflect" if len(samples) > FFT_SIZE // 2 else "constant")
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(padded, (0, FFT_SIZE)), FFT_SIZE)[::HOP]
    frames = frames[: max(2, len(samples) // HOP)]
    window = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FFT_SIZE) / FFT_SIZE)).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    level = np.log10(np.maximum(power @ mel_filters(n_mels), 1e-10)).T
    return np.asarray((np.maximum(level, level.max() - 8.0) + 4.0) / 4.0, dtype=np.float32)


@cache
def mel_filters(n_mels: int) -> NDArray[np.float32]:
    """Triangles of equal area on Slaney's mel scale, 0-8000 Hz, [201, n_mels] (Slaney 1998, Auditory Toolbox)."""
    top_mel = _BREAK_MEL + np.log(SAMPLE_RATE_HZ / 2 / 1000.0) / _LOG_STEP
    mels = np.linspace(0.0, top_mel, n_mels + 2)
    edges_hz = np.where(mels < _BREAK_MEL, _HZ_A_MEL * mels, 1000.0 * np.exp(_LOG_STEP * (mels - _BREAK_MEL)))
    bins_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, FFT_SIZE // 2 + 1)[:, None]
    rising = (bins_hz - edges_hz[:-2]) / np.diff(edges_hz)[:-1]
    falling = (edges_hz[2:] - bins_hz) / np.diff(edges_hz)[1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (edges_hz[2:] - edges_hz[:-2])
    return np.asarray(triangles, dtype=np.float32)
