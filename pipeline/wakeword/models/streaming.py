"""A causal network for a microcontroller, which computes each layer's newest frame alone and keeps the others.

Separable convolutions over time without padding (as in microWakeWord's mixed convolutions, after Rybakov et al. 2020):
on a window as long as its receptive field it answers just as it does on a stream, 30 ms after 30 ms.
"""

import torch
from torch import Tensor, nn

from pipeline.errors import TrainingError
from pipeline.i18n import N_
from pipeline.wakeword.features import Cmvn
from pipeline.wakeword.models.base import Network, channels

WIDTH = 64
STEP = 3  # frames that are new in each step, and the stride of the first convolution
FIRST_KERNEL = 5  # frames
KERNELS = (5, 7, 9, 11)  # steps


class StreamingConv(Network):
    """`first` sees frames, each of `blocks` steps; `over_time` weighs the last steps of each channel for the head. Only
    the last `n_frames` frames of a window are looked at."""

    def __init__(self, shape: tuple[int, int], cmvn: Cmvn, width: float, dropout: float) -> None:
        n = channels(WIDTH, width)
        super().__init__(n, cmvn, dropout)
        n_steps = (shape[0] - FIRST_KERNEL) // STEP + 1
        remembered = n_steps - sum(kernel - 1 for kernel in KERNELS)
        if remembered < 1:
            raise TrainingError(
                N_("A window of {n} frames is too short for the model stream. Make clip_s longer."), n=shape[0]
            )
        self.n_frames = FIRST_KERNEL + STEP * (n_steps - 1)
        self.first = nn.Sequential(nn.Conv1d(shape[1], n, FIRST_KERNEL, STEP, bias=False), nn.BatchNorm1d(n), nn.ReLU())
        self.blocks = nn.Sequential(*(_Separable(n, kernel) for kernel in KERNELS))
        self.over_time = nn.Conv1d(n, n, remembered, groups=n, bias=False)

    def embed(self, normalised: Tensor) -> Tensor:
        steps = self.blocks(self.first(normalised[:, -self.n_frames :].transpose(1, 2)))
        return torch.as_tensor(self.over_time(steps).squeeze(2))


class _Separable(nn.Module):
    def __init__(self, n: int, kernel: int) -> None:
        super().__init__()
        self.over_time = nn.Conv1d(n, n, kernel, groups=n, bias=False)
        self.across = nn.Sequential(nn.Conv1d(n, n, 1, bias=False), nn.BatchNorm1d(n), nn.ReLU())

    def forward(self, steps: Tensor) -> Tensor:
        return torch.as_tensor(self.across(self.over_time(steps)))
