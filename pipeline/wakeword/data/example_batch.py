"""A few windows as training with the preset `default` draws them, to hear and to look at: rendered, normalised and
masked, with their classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CorpusError
from pipeline.i18n import N_
from pipeline.presets import build
from pipeline.records import Seconds
from pipeline.wakeword.config import WakewordConfig, load_preset
from pipeline.wakeword.data.augment import mask
from pipeline.wakeword.data.batch_shares import batch_sizes
from pipeline.wakeword.data.clips import Clip, Label
from pipeline.wakeword.data.rendering import LivePool, Recipe
from pipeline.wakeword.features import Cmvn, features

ROOMS = 4  # simulated: more take longer and sound alike
CONTEXT = 12  # utterances of other speech around words


@dataclass(frozen=True)
class ExampleWindow:
    """`sound` [clip_s] at 16 kHz; `frames` [frames, bins] as the network sees them; `clip` it was rendered from."""

    label: Label
    clip: str
    sound: NDArray[np.float32]
    frames: NDArray[np.float32]


@dataclass(frozen=True)
class BinStatistics:
    """Of the features of a class before they are normalised, [bins] each."""

    mean: NDArray[np.float32]
    std: NDArray[np.float32]


@dataclass(frozen=True)
class ExampleBatch:
    hop_s: Seconds  # of the frames
    windows: tuple[ExampleWindow, ...]
    statistics: dict[Label, BinStatistics]


def example_batch(
    files: Mapping[Label, Sequence[Path]], noise: Sequence[str], rir: Sequence[str], n: int, seed: int
) -> ExampleBatch:
    """`n` windows in the shares of a batch. Raises CorpusError without clips of the word or of other speech."""
    if not files.get(Label.POSITIVE) or not files.get(Label.NEGATIVE):
        raise CorpusError(N_("A batch needs clips of the word and of other speech."))
    config = build(WakewordConfig, load_preset("default"))
    shape, augment, train = config.features, replace(config.augment, simulated_rooms=ROOMS), config.train
    recipe = Recipe(shape, augment, tuple(noise), tuple(rir), seed)
    clips = {label: [Clip(str(path), label, "", 0.0, 0, 0.0, "") for path in paths] for label, paths in files.items()}
    clips[Label.HARD_NEGATIVE] = [*clips.get(Label.HARD_NEGATIVE, []), *clips[Label.POSITIVE]]  # pieces of the word
    shares = {
        Label.POSITIVE: train.positive, Label.NEGATIVE: train.negative, Label.HARD_NEGATIVE: train.hard_negative
    }  # fmt: skip
    draw = np.random.default_rng(seed)
    context = clips[Label.NEGATIVE][:CONTEXT]
    drawn: list[tuple[Label, Path, NDArray[np.float32]]] = []
    for label, m in batch_sizes(n, shares).items():
        pool = LivePool(recipe, Path("/"), clips[label], context, label)
        drawn += [(label, path, sound) for sound, path in pool.sounds(m, draw)]
    frames = np.stack([features(sound, shape)[: shape.shape[0]] for _label, _path, sound in drawn])
    labels = np.array([label for label, _path, _sound in drawn])
    statistics = {label: _statistics(frames[labels == label]) for label in Label}
    windows = Cmvn.of([frames.reshape(-1, frames.shape[2])])(frames)
    mask(windows, augment, draw)
    return ExampleBatch(
        shape.hop_s,
        tuple(
            ExampleWindow(label, path.name, sound, seen)
            for (label, path, sound), seen in zip(drawn, windows, strict=True)
        ),
        statistics,
    )


def _statistics(frames: NDArray[np.float32]) -> BinStatistics:
    flat = frames.reshape(-1, frames.shape[2])
    return BinStatistics(flat.mean(axis=0), flat.std(axis=0))
