"""The order of training samples: recordings of like length share a batch.

The audio encoder adds its padding mask to a bias where it should forbid, so padded frames are attended: in a batch of
mixed lengths the first token's score moves by up to .3 (`tests/speechllm/test_speechllm_model.py`). Of like length,
next to nothing is padded, and a batch computes what each recording would alone. The two tasks' prompts differ by the
rubric, half of a sample, so within a step each has batches of its own.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import Sampler

POOL = 8  # steps among which lengths are sorted: most of the order stays chance


class Buckets(Sampler[int]):
    """A step's samples are sorted by task and length, so that its batches are alike however many devices share it.
    Drawn anew for every epoch, from seed and epoch alone, so that a resumed run sees the same order.

    `lengths` are the recordings', `tasks` a name for each sample.
    """

    def __init__(self, lengths: Sequence[int], tasks: Sequence[str], step: int, seed: int) -> None:
        self._lengths, self._tasks = np.asarray(lengths), np.asarray(tasks)
        self._step, self._seed, self._epoch = step, seed, 0

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
            for first in range(0, len(rows), self._step):
                of_step = rows[first : first + self._step]
                steps.append(of_step[np.argsort(self._tasks[of_step], kind="stable")])
        whole = [rows for rows in steps if len(rows) == self._step]
        rest = [rows for rows in steps if len(rows) < self._step]  # last, or every later step would be mixed
        mixed = [whole[k] for k in torch.randperm(len(whole), generator=draw).tolist()]
        return iter([int(row) for rows in (*mixed, *rest) for row in rows])
