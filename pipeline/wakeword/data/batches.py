"""Batches of windows, in set ratios of the classes or as often as they are there."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.wakeword.config import AugmentConfig, TrainConfig
from pipeline.wakeword.data.augment import mask
from pipeline.wakeword.data.batch_shares import batch_sizes
from pipeline.wakeword.data.clips import Label
from pipeline.wakeword.data.feature_cache import Pool, WindowSource
from pipeline.wakeword.features import Cmvn

MINED_SHARE = 0.5  # of the hard negatives, once there are mined ones
Sources = Mapping[Label, WindowSource]


@dataclass(frozen=True)
class Batch:
    """Normalised and masked `windows` [n, frames, bins]; masks [n] of the word and of what sounds like it; which of
    several words each window holds [n], -1 for none."""

    windows: Tensor
    is_word: Tensor
    is_hard: Tensor
    word: Tensor


class BatchMaker:
    """`mined` windows, once there are some, join the hard negatives. Several words share the windows of the word."""

    def __init__(self, sources: Sources, train: TrainConfig, augment: AugmentConfig, cmvn: Cmvn) -> None:
        self._sources, self._train, self._augment, self._cmvn = sources, train, augment, cmvn
        self.mined: WindowSource | None = None
        words = sources.get(Label.POSITIVE)
        held = words.words if isinstance(words, Pool) else ()
        self._words = [words.of_word(word) for word in range(max(held) + 1)] if held and isinstance(words, Pool) else []

    def make(self, draw: np.random.Generator) -> Batch:
        parts: list[NDArray[np.float32]] = []
        labels: list[Label] = []
        words: list[int] = []
        for label, n in self._sizes().items():
            for number, (source, m) in enumerate(self._shared(label, n)):
                if m:
                    parts.append(source.sample(m, draw))
                    labels += [label] * m
                    words += [number if label is Label.POSITIVE else -1] * m
        windows = self._cmvn(np.concatenate(parts))
        mask(windows, self._augment, draw)
        kinds = np.array(labels)
        return Batch(
            torch.from_numpy(windows),
            torch.from_numpy(kinds == Label.POSITIVE),
            torch.from_numpy(kinds == Label.HARD_NEGATIVE),
            torch.tensor(words),
        )

    def _sizes(self) -> dict[Label, int]:
        config = self._train
        there = set(self._sources) | ({Label.HARD_NEGATIVE} if self.mined is not None else set())
        if config.balanced:
            wanted = {
                Label.POSITIVE: config.positive, Label.NEGATIVE: config.negative,
                Label.HARD_NEGATIVE: config.hard_negative,
            }  # fmt: skip
        else:
            wanted = {label: float(sum(s.n_windows for s in self._of(label))) for label in there}
        return batch_sizes(config.batch, {label: wanted[label] for label in there})

    def _of(self, label: Label) -> list[WindowSource]:
        if label is Label.POSITIVE and self._words:
            return list(self._words)
        pools = [self._sources[label]] if label in self._sources else []
        return pools + ([self.mined] if label is Label.HARD_NEGATIVE and self.mined is not None else [])

    def _shared(self, label: Label, n: int) -> list[tuple[WindowSource, int]]:
        sources = self._of(label)
        if len(sources) == 1:
            return [(sources[0], n)]
        if label is Label.POSITIVE:  # several words, in equal shares
            return [(source, n // len(sources) + (i < n % len(sources))) for i, source in enumerate(sources)]
        n_mined = round(MINED_SHARE * n)
        return [(sources[0], n - n_mined), (sources[1], n_mined)]
