"""Audio for ears and eyes: WAV bytes, and a spectrogram as an image."""

import io

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import TARGET_RATE_HZ, Audio

WINDOW = 400  # 25 ms at 16 kHz
FFT_SIZE = 512
MAX_FRAMES = 1600
RANGE_DB = 70.0


def to_wav(samples: NDArray[np.float32], sample_rate_hz: int = TARGET_RATE_HZ) -> bytes:
    """Mono 16-bit WAV of samples [n] in -1 .. 1; what exceeds the range is clipped."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate_hz, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def spectrogram_u8(audio: Audio) -> NDArray[np.uint8]:
    """Levels [n_frequency, n_time] from 70 dB under the loudest (0) to the loudest (255), 0 Hz in the last row.

    25 ms Hann windows every 5 ms, fewer for recordings over 8 s so that the image stays under 1,600 columns.
    """
    n = len(audio.samples)
    hop = max(80, -(-n // MAX_FRAMES))
    padded = np.pad(audio.samples, (WINDOW // 2, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[: max(1, n) : hop]
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), FFT_SIZE)).T
    level_db = 20.0 * np.log10(np.maximum(magnitude, 1e-6))
    scaled = (level_db - level_db.max() + RANGE_DB) / RANGE_DB
    return np.asarray(255.0 * np.clip(scaled[::-1], 0.0, 1.0), dtype=np.uint8)
