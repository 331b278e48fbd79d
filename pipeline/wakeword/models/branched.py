"""Several networks, each on its own share of the bins (features of the kind dual: log-mel and adaptive)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pipeline.wakeword.features import Cmvn
from pipeline.wakeword.models.base import Network, WakewordModel


class Branched(WakewordModel):
    """Trained each by itself, they err on different sounds, and the mean of their logits errs less than either; trained
    on the mean, the one would learn to rely on the other."""

    def __init__(self, branches: Sequence[Network], cmvn: Cmvn) -> None:
        super().__init__(cmvn)
        self.branches = nn.ModuleList(branches)
        for branch in branches:
            del branch.mean, branch.std  # of all bins, they are here

    @property
    def networks(self) -> tuple[Network, ...]:
        return tuple(branch for branch in self.branches if isinstance(branch, Network))

    def answers(self, normalised: Tensor) -> list[tuple[Tensor, Tensor]]:
        parts = torch.chunk(normalised, len(self.branches), dim=2)
        return [answer for branch, part in zip(self.networks, parts, strict=True) for answer in branch.answers(part)]
