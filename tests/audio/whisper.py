"""Speech without a voice."""

import numpy as np
import scipy.signal


def whispered(samples: np.ndarray) -> np.ndarray:
    """The same sounds with noise in place of the voice, as loud in each band and moment."""
    _, _, spectrum = scipy.signal.stft(samples, nperseg=256)
    noise = np.random.default_rng(0).standard_normal(len(samples))
    _, _, carrier = scipy.signal.stft(noise, nperseg=256)
    _, sound = scipy.signal.istft(np.abs(spectrum) * carrier / np.abs(carrier), nperseg=256)
    return np.asarray(sound[: len(samples)], dtype=np.float32)
