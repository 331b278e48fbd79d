"""Features that adapt to noise and level: the magnitudes of mel bands over what they were in the last second.

After the front end of TensorFlow Lite Micro (noise suppression, then PCAN gain control), in floats, and over a second
instead of from the start on, so that a frame is the same in the middle of a stream, in a clip and in an ONNX graph.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.wakeword.spectra import mel_power

SPECTRUM = 480  # samples of a spectrum
SECOND = 16_000  # samples before it that a frame adapts to
SHARES = (0.025, 0.06)  # of a new spectrum in the level that bands of even and odd number adapt to
LEFT = 0.05  # of a magnitude, at least, when its level is taken away
STRENGTH, OFFSET, GAIN = 0.95, 80.0, 10.0  # of the gain control; magnitudes of 16-bit sound
FULL_SCALE = 32_768.0


def magnitudes(
    samples: NDArray[np.float32], hop: int, n_mels: int, low_hz: float, high_hz: float
) -> NDArray[np.float32]:
    """[n, n_mels] of sound [at least SPECTRUM] in -1 to 1, one every `hop` samples."""
    power = mel_power(samples, SPECTRUM, hop, n_mels, low_hz, high_hz)
    return np.asarray(FULL_SCALE * np.sqrt(power), dtype=np.float32)


def adapted(spectra: NDArray[np.float32], hop: int) -> NDArray[np.float32]:
    """Frames [n - SECOND / hop, n_mels] of magnitudes [n, n_mels]: those that have a second before them."""
    weights = taps(hop)
    first = weights.shape[1] - 1
    if len(spectra) <= first:
        return np.zeros((0, spectra.shape[1]), dtype=np.float32)
    seconds = np.lib.stride_tricks.sliding_window_view(spectra, first + 1, axis=0)  # [n - first, n_mels, first + 1]
    level = np.empty_like(spectra[first:])
    for parity in range(2):
        level[:, parity::2] = seconds[:, parity::2] @ weights[parity, ::-1]
    now = spectra[first:]
    over = np.maximum(now - level, LEFT * now)
    return np.asarray(np.log1p(GAIN * over / (level + OFFSET) ** STRENGTH), dtype=np.float32)


def taps(hop: int) -> NDArray[np.float32]:
    """Weights [2, 1 + SECOND / hop] of this and the spectra before in the level of bands of even and odd number."""
    weights = np.array([share * (1.0 - share) ** np.arange(1 + SECOND // hop) for share in SHARES])
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)
