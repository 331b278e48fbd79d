"""Vary recordings in training: speed, room, noise, and masked stretches of time and frequency."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from pipeline.audio.load import AUDIO_SUFFIXES
from pipeline.errors import TrainingError

Samples = NDArray[np.float32]

SPEED_CHANCE, ROOM_CHANCE, NOISE_CHANCE = 0.6, 0.2, 0.4
NOISE_SNR_DB = (8.0, 30.0)
LONGEST_ROOM = 8000  # samples, .5 s
N_MASKS = 2
WIDEST_BAND_SHARE, LONGEST_STRETCH_SHARE, LONGEST_STRETCH = 0.15, 0.12, 20


class Augmenter:
    """Draws variations from its own generator, so that a seed gives the same ones again; `share` (0-1) scales how often
    and how much."""

    def __init__(
        self, seed: int, speed: float, share: float = 1.0, noise: Sequence[Samples] = (), rooms: Sequence[Samples] = ()
    ) -> None:
        self._draw = np.random.default_rng(seed)
        self._speed, self._share, self._noise, self._rooms = speed, share, noise, rooms

    def samples(self, samples: Samples) -> Samples:
        """Faster or slower (pitch moves along), in another room, with noise."""
        draw = self._draw
        varied: NDArray[np.floating] = samples
        if self._speed and draw.random() < self._share * SPEED_CHANCE:
            n = int(len(samples) / draw.uniform(1 - self._speed, 1 + self._speed))
            varied = np.interp(np.linspace(0, len(samples) - 1, n), np.arange(len(samples)), samples)
        if self._rooms and draw.random() < self._share * ROOM_CHANCE:
            room = self._rooms[int(draw.integers(len(self._rooms)))]
            varied = fftconvolve(varied, room)[: len(varied)]
        if self._noise and draw.random() < self._share * NOISE_CHANCE:
            noise = self._noise[int(draw.integers(len(self._noise)))]
            start = draw.integers(0, max(1, len(noise) - len(varied)))
            noise = np.resize(noise[start : start + len(varied)], len(varied))
            ratio = 10 ** (draw.uniform(*NOISE_SNR_DB) / 10)
            varied = varied + noise * np.sqrt((varied**2).mean() / ((noise**2).mean() + 1e-12) / ratio)
        return varied.astype(np.float32)

    def masked(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """SpecAugment (Park et al. 2019) on log-mel frames [n_mels, T]; a waveform is returned as it is."""
        if inputs.ndim != 2:
            return inputs
        masked, (n_bands, n_frames) = inputs.copy(), inputs.shape
        fill = inputs.mean()
        for _ in range(N_MASKS):
            width = int(self._draw.integers(0, max(1, int(self._share * WIDEST_BAND_SHARE * n_bands))))
            low = int(self._draw.integers(0, n_bands - width + 1))
            masked[low : low + width] = fill
            length = int(
                self._draw.integers(0, min(LONGEST_STRETCH, int(self._share * LONGEST_STRETCH_SHARE * n_frames)) + 1)
            )
            start = int(self._draw.integers(0, n_frames - length + 1))
            masked[:, start : start + length] = fill
        return masked


def read_noise(folder: str) -> list[Samples]:
    return _read_folder(folder) if folder else []


def read_rooms(folder: str) -> list[Samples]:
    """Impulse responses from their direct sound on, of unit energy."""
    rooms = []
    for response in _read_folder(folder) if folder else []:
        late = response[np.abs(response).argmax() :][:LONGEST_ROOM]
        rooms.append((late / np.sqrt((late**2).sum())).astype(np.float32))
    return rooms


def _read_folder(folder: str) -> list[Samples]:
    """Raises TrainingError where the folder has no audio. Long noise files are wanted, so no limit on length."""
    import soundfile
    import soxr

    files = [path for path in sorted(Path(folder).rglob("*")) if path.suffix in AUDIO_SUFFIXES]
    if not files:
        raise TrainingError(f"{folder} contains no audio files.")
    found: list[Samples] = []
    for path in files:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        found.append(np.asarray(soxr.resample(samples[:, 0], rate, 16_000), dtype=np.float32))
    return found
