"""The processes of one run: torchrun and accelerate start one a device, and each trains and answers its share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import distributed

T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """`rank` of this process among `size`, and the `device` it has for itself."""

    rank: int
    size: int
    device: str

    @classmethod
    def join(cls, device: str) -> "Group":
        """As the launcher's variables say; one process alone without them."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls(0, 1, device)
        from accelerate import PartialState

        on_cuda = torch.device(device).type == "cuda"
        state: Any = PartialState(cpu=not on_cuda)
        return cls(state.process_index, size, f"cuda:{state.local_process_index}" if on_cuda else device)

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """The body runs in the first process, and then in all others."""
        if self.size > 1 and self.rank > 0:
            distributed.barrier()
        yield
        if self.size > 1 and self.rank == 0:
            distributed.barrier()

    def any(self, flag: bool) -> bool:
        """Whether it is true in one of them: what they do next must be the same in all."""
        if self.size == 1:
            return flag
        shared = torch.tensor(float(flag), device=self.device)
        distributed.all_reduce(shared, op=distributed.ReduceOp.MAX)
        return bool(shared.item())

    def gather(self, item: T) -> list[T]:
        """What each of them has, by rank, in all of them."""
        if self.size == 1:
            return [item]
        parts: list[Any] = [None] * self.size
        distributed.all_gather_object(parts, item)
        return parts
