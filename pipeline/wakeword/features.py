"""Log-mel or MFCC features of clips, worked out once and kept memory-mapped.

    <folder>/features.npy    float32 [clips, frames, bins], one fixed length: shorter clips end in silence, of longer
                             ones the part around the loudest stretch is kept
    <folder>/features.json   the configuration and the clips, with a digest that training checks

A store made with another configuration or from other clips is refused with both named: a detector that was trained on
one kind of feature and fed another fails without a word.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct, rfft

from pipeline import artifacts
from pipeline.audio.load import load_audio
from pipeline.errors import CorpusError, FeatureError
from pipeline.parallel import Progress, map_ordered
from pipeline.presets import outside
from pipeline.records import Seconds
from pipeline.wakeword.clips import Clip

RATE_HZ = 16_000
FLOOR = 1e-6  # of the mel energies, under any microphone's noise
ARRAY, INDEX = "features.npy", "features.json"
KINDS = ("mel", "mfcc")
Frames = NDArray[np.float32]


@dataclass(frozen=True)
class FeatureConfig:
    """`mel` gives `n_mels` log energies a frame, `mfcc` the first `n_mfcc` cepstral coefficients of them."""

    kind: str = "mel"
    n_mels: int = 40
    n_mfcc: int = 20
    window_s: Seconds = 0.025
    hop_s: Seconds = 0.010
    clip_s: Seconds = 1.5
    low_hz: float = 60.0
    high_hz: float = 7600.0

    def __post_init__(self) -> None:
        """Raises FeatureError naming all that is wrong at once."""
        wrong: list[str] = []
        if self.kind not in KINDS:
            wrong.append(f"kind is one of {', '.join(KINDS)}, got {self.kind!r}")
        limits: dict[str, tuple[float, float]] = {
            "n_mels": (40, 128), "n_mfcc": (5, 128), "window_s": (0.01, 0.1), "hop_s": (0.005, 0.05),
            "clip_s": (0.3, 10.0), "low_hz": (0.0, 1000.0), "high_hz": (2000.0, RATE_HZ / 2),
        }  # fmt: skip
        wrong += outside(self, limits)
        if self.n_mfcc > self.n_mels:
            wrong.append(f"n_mfcc is at most n_mels, got {self.n_mfcc} of {self.n_mels}")
        if wrong:
            raise FeatureError(f"These features cannot be made: {'; '.join(wrong)}.")

    @property
    def n_samples(self) -> int:
        return round(self.clip_s * RATE_HZ)

    @property
    def shape(self) -> tuple[int, int]:
        """[frames, bins] of one clip."""
        window, hop = round(self.window_s * RATE_HZ), round(self.hop_s * RATE_HZ)
        bins = self.n_mels if self.kind == "mel" else self.n_mfcc
        return 1 + (self.n_samples - window) // hop, bins


def features(samples: NDArray[np.float32], config: FeatureConfig) -> Frames:
    """[frames, bins] of sound at 16 kHz of any length; no frame reaches over its end."""
    window, hop = round(config.window_s * RATE_HZ), round(config.hop_s * RATE_HZ)
    if len(samples) < window:
        samples = np.pad(samples, (0, window - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    size = 1 << (window - 1).bit_length()
    power = np.abs(rfft(frames * np.hanning(window).astype(np.float32), size, axis=1)) ** 2
    mel = np.log(power @ _filters(config.n_mels, size, config.low_hz, config.high_hz).T + FLOOR)
    if config.kind == "mfcc":
        mel = dct(mel, type=2, norm="ortho", axis=1)[:, : config.n_mfcc]
    return np.asarray(mel, dtype=np.float32)


def fitted(samples: NDArray[np.float32], config: FeatureConfig) -> NDArray[np.float32]:
    """[n_samples]: padded with silence at the end, or cut to the stretch with the most energy."""
    n = config.n_samples
    if len(samples) <= n:
        return np.pad(samples, (0, n - len(samples)))
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    start = int(np.argmax(energy[n:] - energy[:-n]))
    return samples[start : start + n]


@dataclass(frozen=True)
class FeatureStore:
    """`values` [clips, frames, bins] is read from disk as it is used; `paths` names its rows."""

    config: FeatureConfig
    paths: tuple[str, ...]
    values: NDArray[np.float32]

    def rows(self, clips: Sequence[Clip]) -> NDArray[np.intp]:
        """Where these clips are. Raises FeatureError for one that is not in the store."""
        place = {path: row for row, path in enumerate(self.paths)}
        missing = [clip.path for clip in clips if clip.path not in place]
        if missing:
            raise FeatureError(
                f"{len(missing)} clips have no features, first {missing[0]}. Make the features again for this split."
            )
        return np.array([place[clip.path] for clip in clips], dtype=np.intp)


def make_features(
    folder: Path, root: Path, clips: Sequence[Clip], config: FeatureConfig, progress: Progress | None = None
) -> FeatureStore:
    """Work them out in processes and keep them; a store that fits already is opened as it is. Raises AudioError for a
    clip that cannot be read any more."""
    if (folder / INDEX).is_file():
        try:
            return open_features(folder, config, clips)
        except FeatureError:
            pass  # made for something else, or damaged: made anew
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=artifacts.TEMPORARY_PREFIX, dir=folder.parent) as temporary:
        values = np.lib.format.open_memmap(
            f"{temporary}/{ARRAY}", mode="w+", dtype=np.float32, shape=(len(clips), *config.shape)
        )
        paths = [root / clip.path for clip in clips]
        made = map_ordered(partial(_of_file, config), paths, progress=progress, message="features")
        for row, frames in enumerate(made):
            values[row] = frames
        values.flush()
        index = {"config": asdict(config), "paths": [clip.path for clip in clips], "digest": digest_of(clips)}
        artifacts.write_json(Path(temporary) / INDEX, index)
        folder.mkdir(exist_ok=True)
        for name in (ARRAY, INDEX):
            Path(temporary, name).replace(folder / name)
    return open_features(folder, config, clips)


def open_features(folder: Path, config: FeatureConfig, clips: Sequence[Clip] | None = None) -> FeatureStore:
    """Raises FeatureError for a store of another configuration, of other clips, or of another shape than it says,
    naming both sides."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        values = np.load(folder / ARRAY, mmap_mode="r", allow_pickle=False)
        stored, paths, digest = index["config"], tuple(map(str, index["paths"])), index["digest"]
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise FeatureError(f"{folder} holds no features that can be read ({error}).") from error
    wanted = asdict(config)
    if stored != wanted:
        different = [
            f"{f.name} {stored.get(f.name)} there, {wanted[f.name]} here"
            for f in fields(config)
            if stored.get(f.name) != wanted[f.name]
        ]
        raise FeatureError(f"The features in {folder} were made otherwise: {'; '.join(different)}.")
    if values.shape != (len(paths), *config.shape):
        raise FeatureError(
            f"The features in {folder} are damaged: {values.shape} there, {(len(paths), *config.shape)} expected."
        )
    if clips is not None and digest != digest_of(clips):
        raise FeatureError(f"The features in {folder} are of {len(paths)} other clips than these {len(clips)}.")
    return FeatureStore(config, paths, values)


def digest_of(clips: Sequence[Clip]) -> str:
    """Of the clips' paths and sounds, in order."""
    text = "\n".join(f"{clip.path}|{clip.digest}" for clip in clips)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Cmvn:
    """Mean and standard deviation of each bin, of the training part alone, kept with the model."""

    mean: Frames
    std: Frames

    @classmethod
    def of(cls, store: FeatureStore, rows: NDArray[np.intp], chunk: int = 512) -> "Cmvn":
        """Raises CorpusError for no clips."""
        if not len(rows):
            raise CorpusError("There are no training clips to take the mean and deviation of.")
        total, squares, n = np.zeros(store.values.shape[2]), np.zeros(store.values.shape[2]), 0
        for start in range(0, len(rows), chunk):
            part = store.values[rows[start : start + chunk]].astype(np.float64).reshape(-1, store.values.shape[2])
            total, squares, n = total + part.sum(axis=0), squares + (part**2).sum(axis=0), n + len(part)
        mean = total / n
        std = np.sqrt(np.maximum(squares / n - mean**2, 1e-8))
        return cls(mean.astype(np.float32), std.astype(np.float32))

    def __call__(self, values: Frames) -> Frames:
        return np.asarray((values - self.mean) / self.std, dtype=np.float32)


def _of_file(config: FeatureConfig, path: Path) -> Frames:
    return features(fitted(load_audio(path, max_duration_s=3600.0).samples, config), config)


@cache
def _filters(n_mels: int, size: int, low_hz: float, high_hz: float) -> NDArray[np.float32]:
    """Triangles [n_mels, size // 2 + 1] on O'Shaughnessy's mel scale, 2595 log10(1 + f / 700), each of height 1."""

    def mel(hz: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hz) / 700.0))

    edges = 700.0 * (10.0 ** (np.linspace(mel(low_hz), mel(high_hz), n_mels + 2) / 2595.0) - 1.0)
    bins = np.fft.rfftfreq(size, 1.0 / RATE_HZ)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
