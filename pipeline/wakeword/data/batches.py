"""Batches of windows, in set ratios of the classes or as often as they are there."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.wakeword.config import AugmentConfig, TrainConfig
from pipeline.wakeword.data.augment import mask
from pipeline.wakeword.data.batch_shares import batch_sizes
from pipeline.wakeword.data.clips import Label
from pipeline.wakeword.data.feature_cache import WindowSource
from pipeline.wakeword.features import Cmvn

MINED_SHARE = 0.5  # of the hard negatives, once there are mined ones
Sources = Mapping[Label, WindowSource]


@dataclass(frozen=True)
class Batch:
    """Normalised and masked `windows` [n, frames, bins]; masks [n] of the word and of what sounds like it."""

    windows: Tensor
    is_word: Tensor
    is_hard: Tensor


class BatchMaker:
    """`mined` windows, once there are some, join the hard negatives."""

    def __init__(self, sources: Sources, train: TrainConfig, augment: AugmentConfig, cmvn: Cmvn) -> None:
        self._sources, self._train, self._augment, self._cmvn = sources, train, augment, cmvn
        self.mined: WindowSource | None = None

    def make(self, draw: np.random.Generator) -> Batch:
        parts, labels = [], []
        for label, n in self._sizes().items():
            for source, m in self._shared(label, n):
                if m:
                    parts.append(source.sample(m, draw))
                    labels += [label] * m
        windows = self._cmvn(np.concatenate(parts))
        mask(windows, self._augment, draw)
        kinds = np.array(labels)
        return Batch(
            torch.from_numpy(windows),
            torch.from_numpy(kinds == Label.POSITIVE),
            torch.from_numpy(kinds == Label.HARD_NEGATIVE),
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
        pools = [self._sources[label]] if label in self._sources else []
        return pools + ([self.mined] if label is Label.HARD_NEGATIVE and self.mined is not None else [])

    def _shared(self, label: Label, n: int) -> list[tuple[WindowSource, int]]:
        sources = self._of(label)
        if len(sources) == 1:
            return [(sources[0], n)]
        n_mined = round(MINED_SHARE * n)
        return [(sources[0], n - n_mined), (sources[1], n_mined)]
