"""From samples to what an encoder reads, in numpy; a front end is described by a few numbers in a model's config."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.log_mel import log_mel

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


def frame_levels(samples: NDArray[np.float32], n_frames: int) -> NDArray[np.float64]:
    """Level of each of `n_frames` equal stretches of the recording, dB."""
    edges = np.linspace(0, len(samples), n_frames + 1).astype(int)
    power = np.add.reduceat(np.append(samples.astype(np.float64) ** 2, 0.0), edges[:-1]) / np.maximum(np.diff(edges), 1)
    return np.asarray(10.0 * np.log10(power + 1e-9), dtype=np.float64)
