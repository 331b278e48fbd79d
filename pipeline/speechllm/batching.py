"""The order of training samples: recordings of like length share a batch.

The audio encoder adds its padding mask to a bias where it should forbid, so padded frames are attended: in a batch of
mixed lengths the first token's score moves by up to .3 (`tests/speechllm/test_speechllm_model.py`). Of like length,
next to nothing is padded, and a batch computes what each recording would alone.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import Sampler

POOL = 8  # steps among which lengths are sorted: most of the order stays chance


class Buckets(Sampler[int]):
    """A step's samples are sorted by length, so that its batches are of like length however many devices share it.
    Drawn anew for every epoch, from seed and epoch alone, so that a resumed run sees the same order."""

    def __init__(self, lengths: Sequence[int], step: int, seed: int) -> None:
        self._lengths, self._step, self._seed, self._epoch = np.asarray(lengths), step, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        draw = torch.Generator().manual_seed(self._seed * 1000 + self._epoch)
        order = torch.randperm(len(self._lengths), generator=draw).numpy()
        pool = POOL * self._step
        steps: list[np.ndarray] = []
        for start in range(0, len(order), pool):
            rows = order[start : start + pool]
            rows = rows[np.argsort(self._lengths[rows], kind="stable")]
            steps += [rows[k : k + self._step] for k in range(0, len(rows), self._step)]
        whole = [rows for rows in steps if len(rows) == self._step]
        rest = [rows for rows in steps if len(rows) < self._step]  # last, or every later step would be mixed
        mixed = [whole[k] for k in torch.randperm(len(whole), generator=draw).tolist()]
        return iter([int(row) for rows in (*mixed, *rest) for row in rows])
