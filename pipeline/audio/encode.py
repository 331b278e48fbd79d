"""Audio for a browser: WAV bytes."""

import io

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import TARGET_RATE_HZ


def to_wav(samples: NDArray[np.float32], sample_rate_hz: int = TARGET_RATE_HZ) -> bytes:
    """Mono 16-bit WAV of samples [n] in -1 .. 1; what exceeds the range is clipped."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate_hz, format="WAV", subtype="PCM_16")
    return buffer.getvalue()
