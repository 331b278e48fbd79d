"""Vary recordings in training: speed, room, noise, silence around, vocal-tract length, and masked stretches of time and
frequency."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from pipeline.audio.load import AUDIO_SUFFIXES
from pipeline.errors import TrainingError
from pipeline.features.mel import mel_edges_hz
from pipeline.i18n import N_
from pipeline.scoring.speech.training.config import SpeechTrainConfig

Samples = NDArray[np.float32]

RATE_HZ = 16_000
SPEED_CHANCE, ROOM_CHANCE, NOISE_CHANCE, SILENCE_CHANCE, WARP_CHANCE = 0.6, 0.2, 0.4, 0.5, 0.6
NOISE_SNR_DB = (8.0, 30.0)
SILENCE_DB = (-70.0, -35.0)  # of its noise, relative to the recording's peak
LONGEST_LOST_S = 0.15  # of what a recording has before and after the speech
HIGHEST_FORMANT_HZ = 4800.0  # above it the warped frequencies run back to 8 kHz (Jaitly & Hinton 2013)
LONGEST_ROOM = 8000  # samples, .5 s
N_MASKS = 2
WIDEST_BAND_SHARE, LONGEST_STRETCH_SHARE, LONGEST_STRETCH = 0.15, 0.12, 20


class Augmenter:
    """Draws variations from its own generator, so that a seed gives the same ones again; `share` (0-1) scales how often
    and how much."""

    def __init__(
        self, seed: int, speed: float, share: float = 1.0, noise: Sequence[Samples] = (), rooms: Sequence[Samples] = (),
        *, warp: float = 0.0, silence_s: float = 0.0,
    ) -> None:  # fmt: skip
        self._draw = np.random.default_rng(seed)
        self._speed, self._share, self._noise, self._rooms = speed, share, noise, rooms
        self._warp, self._silence_s = warp, silence_s

    def samples(self, samples: Samples) -> Samples:
        """Faster or slower (pitch moves along), in another room, with noise, with more or less silence around it."""
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
        if self._silence_s and draw.random() < self._share * SILENCE_CHANCE:
            varied = self._with_silence(varied)
        return varied.astype(np.float32)

    def _with_silence(self, samples: NDArray[np.floating]) -> NDArray[np.floating]:
        """With up to `silence_s` of faint noise more before and after it, or a little less of what is there."""
        before, after = (round(RATE_HZ * float(self._draw.uniform(-LONGEST_LOST_S, self._silence_s))) for _ in range(2))
        level = np.abs(samples).max() * 10.0 ** (self._draw.uniform(*SILENCE_DB) / 20.0)
        kept = samples[max(0, -before) : len(samples) - max(0, -after)]
        around = (level * self._draw.normal(size=max(0, n)) for n in (before, after))
        return np.concatenate([next(around), kept, next(around)])

    def warped(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """As a shorter or longer vocal tract shapes log-mel frames [n_mels, T]; a waveform is returned as it is."""
        if inputs.ndim != 2 or not self._warp or self._draw.random() >= self._share * WARP_CHANCE:
            return inputs
        return warp_bands(inputs, float(self._draw.uniform(1 - self._warp, 1 + self._warp)))

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


def augmenter(config: SpeechTrainConfig, number: int, noise: Sequence[Samples], rooms: Sequence[Samples]) -> Augmenter:
    """The variations of one epoch, or of one varied copy, of a run."""
    return Augmenter(
        config.seed * 1000 + number, config.speed, config.variation, noise, rooms, warp=config.warp,
        silence_s=config.silence_s,
    )  # fmt: skip


def warp_bands(inputs: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Log-mel frames [n_mels, T] whose frequencies up to HIGHEST_FORMANT_HZ are read at `factor` times themselves."""
    n_bands, top_hz = len(inputs), RATE_HZ / 2
    hz = mel_edges_hz(n_bands, 0.0, top_hz, "slaney")[1:-1]
    knee = HIGHEST_FORMANT_HZ * min(1.0, 1.0 / factor)
    source = np.where(hz <= knee, hz * factor, top_hz - (top_hz - knee * factor) / (top_hz - knee) * (top_hz - hz))
    place = np.interp(source, hz, np.arange(n_bands))
    low = np.floor(place).astype(int)
    share = (place - low)[:, None]
    return np.asarray((1 - share) * inputs[low] + share * inputs[np.minimum(low + 1, n_bands - 1)], dtype=np.float32)


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
        raise TrainingError(N_("{folder} contains no audio files."), folder=str(folder))
    found: list[Samples] = []
    for path in files:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        found.append(np.asarray(soxr.resample(samples[:, 0], rate, 16_000), dtype=np.float32))
    return found
