"""Noise: from files, coloured, or babble, mixed in at a signal-to-noise ratio."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import AUDIO_SUFFIXES, audio_files
from pipeline.errors import CorpusError
from pipeline.i18n import N_
from pipeline.wakeword.data.decoded_clips import load_clip
from pipeline.wakeword.features import RATE_HZ

Samples = NDArray[np.float32]
FRAME = round(0.03 * RATE_HZ)
TINY = 1e-12


def read_noise(folders: Sequence[str]) -> list[Samples]:
    """Raises CorpusError where a folder has no audio, AudioError for a file that cannot be read."""
    sounds: list[Samples] = []
    for folder in map(Path, folders):
        files = audio_files(folder)
        if not files:
            raise CorpusError(
                N_("{folder} holds no noise to mix in ({endings}). Name another folder, or none."),
                folder=str(folder), endings=", ".join(AUDIO_SUFFIXES),
            )  # fmt: skip
        sounds += [load_clip(path) for path in files]
    return sounds


def stretch_of(noise: Samples, n: int, draw: np.random.Generator) -> Samples:
    """`n` samples from a random place on; a shorter noise is repeated."""
    start = int(draw.integers(0, max(1, len(noise) - n)))
    return np.resize(noise[start : start + n], n)


def coloured(n: int, slope: float, draw: np.random.Generator) -> Samples:
    """Gaussian noise whose power falls with frequency to the `slope`: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(draw.standard_normal(n))
    frequency = np.fft.rfftfreq(n, 1.0 / RATE_HZ)
    spectrum *= np.maximum(frequency, 20.0) ** (-slope / 2.0)
    noise = np.fft.irfft(spectrum, n)
    return np.asarray(noise / (np.abs(noise).max() + TINY), dtype=np.float32)


def loudest_energy(samples: Samples) -> float:
    """The largest mean energy of a frame of 30 ms, by which the wake-word benchmark sets its ratios."""
    n = max(1, len(samples) // FRAME)
    return float(np.square(np.resize(samples, (n, FRAME))).mean(axis=1).max())


def mixed(samples: Samples, noise: Samples, snr_db: float, energy: float | None = None) -> Samples:
    """`samples` with `noise` of the same length at `snr_db` between the loudest frames; `energy` in place of the
    samples' own loudest, where they are part of something longer."""
    signal = loudest_energy(samples) if energy is None else energy
    scale = np.sqrt(signal / (loudest_energy(noise) + TINY) / 10.0 ** (snr_db / 10.0))
    return np.asarray(samples + scale * noise, dtype=np.float32)
