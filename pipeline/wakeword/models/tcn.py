"""Temporal convolutions with residual connections, bins as channels (after TC-ResNet, Choi et al. 2019, with the
dilation of Coucke et al. 2019).

Dense convolutions rather than separable ones: with as many parameters they train five times faster on a CPU.
"""

import torch
from torch import Tensor, nn

from pipeline.wakeword.features import Cmvn
from pipeline.wakeword.models.base import Network, channels

WIDTH, KERNEL = 48, 5
DILATIONS = (1, 1, 2, 4)


class Tcn(Network):
    def __init__(self, shape: tuple[int, int], cmvn: Cmvn, width: float, dropout: float) -> None:
        n = channels(WIDTH, width)
        super().__init__(2 * n, cmvn, dropout)
        blocks = [_Block(n, n, 2 if number == 0 else 1, d) for number, d in enumerate(DILATIONS)]
        self.stem = nn.Sequential(
            nn.Conv1d(shape[1], n, KERNEL, padding=KERNEL // 2, bias=False), nn.BatchNorm1d(n), nn.ReLU()
        )
        self.blocks = nn.Sequential(*blocks)

    def embed(self, normalised: Tensor) -> Tensor:
        frames = self.blocks(self.stem(normalised.transpose(1, 2)))
        return torch.cat([frames.mean(dim=2), frames.amax(dim=2)], dim=1)


class _Block(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int, dilation: int) -> None:
        super().__init__()
        pad = dilation * (KERNEL // 2)
        self.body = nn.Sequential(
            nn.Conv1d(n_in, n_out, KERNEL, stride, padding=pad, dilation=dilation, bias=False),
            nn.BatchNorm1d(n_out),
            nn.ReLU(),
            nn.Conv1d(n_out, n_out, KERNEL, padding=pad, dilation=dilation, bias=False),
            nn.BatchNorm1d(n_out),
        )
        self.short = nn.Identity() if n_in == n_out and stride == 1 else nn.Conv1d(n_in, n_out, 1, stride, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        return torch.relu(self.body(frames) + self.short(frames))
