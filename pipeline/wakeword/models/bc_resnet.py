"""Broadcasted residual learning (Kim et al. 2021): two-dimensional features for frequency, one-dimensional ones for
time, added back over all frequencies."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pipeline.errors import TrainingError
from pipeline.i18n import N_
from pipeline.wakeword.features import Cmvn
from pipeline.wakeword.models.base import Network, channels

STAGES: Sequence[tuple[int, int, int, int]] = ((8, 2, 1, 1), (12, 2, 2, 2), (16, 4, 2, 4), (20, 4, 1, 8))
BANDS = 5  # of SubSpectralNorm


class BcResNet(Network):
    """`width` 1 is BC-ResNet-1, 8 is BC-ResNet-8."""

    def __init__(self, shape: tuple[int, int], cmvn: Cmvn, width: float, dropout: float) -> None:
        n_last = channels(32, width)
        super().__init__(n_last, cmvn, dropout)
        n = channels(16, width)
        self.stem = nn.Sequential(nn.Conv2d(1, n, 5, (2, 1), padding=2, bias=False), nn.BatchNorm2d(n), nn.ReLU())
        blocks: list[nn.Module] = []
        for base, count, stride, dilation in STAGES:
            for number in range(count):
                n_out = channels(base, width)
                blocks.append(_Block(n, n_out, stride if number == 0 else 1, dilation, dropout))
                n = n_out
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Sequential(
            nn.Conv2d(n, n, 5, padding=(0, 2), groups=n, bias=False), nn.Conv2d(n, n_last, 1, bias=False),
            nn.BatchNorm2d(n_last), nn.ReLU(),
        )  # fmt: skip
        if shape[1] < 40:
            raise TrainingError(
                N_("bc_resnet needs at least {least} bins, got {n}. Choose another model.name."), least=40, n=shape[1]
            )

    def embed(self, normalised: Tensor) -> Tensor:
        maps = self.last(self.blocks(self.stem(normalised.transpose(1, 2).unsqueeze(1))))
        return torch.as_tensor(maps.mean(dim=(2, 3)))


class _Block(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int, dilation: int, dropout: float) -> None:
        super().__init__()
        changes = n_in != n_out
        self.enter = (
            nn.Sequential(nn.Conv2d(n_in, n_out, 1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU())
            if changes
            else nn.Identity()
        )
        self.over_frequency = nn.Sequential(
            nn.Conv2d(n_out, n_out, (3, 1), (stride, 1), padding=(1, 0), groups=n_out, bias=False),
            _SubSpectralNorm(n_out),
        )
        self.over_time = nn.Sequential(
            nn.Conv2d(n_out, n_out, (1, 3), padding=(0, dilation), dilation=(1, dilation), groups=n_out, bias=False),
            nn.BatchNorm2d(n_out), nn.SiLU(), nn.Conv2d(n_out, n_out, 1, bias=False), nn.Dropout2d(dropout),
        )  # fmt: skip
        self.residual = not changes and stride == 1

    def forward(self, maps: Tensor) -> Tensor:
        plane = self.over_frequency(self.enter(maps))
        line = self.over_time(plane.mean(dim=2, keepdim=True))
        return torch.relu(line + plane + maps if self.residual else line + plane)


class _SubSpectralNorm(nn.Module):
    """Batch normalisation of each of five bands of frequency on its own (Chang et al. 2021); of fewer where the
    frequencies do not divide."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(n * BANDS)

    def forward(self, plane: Tensor) -> Tensor:
        n, c, f, t = plane.shape
        padded = nn.functional.pad(plane, (0, 0, 0, -f % BANDS))
        bands = padded.reshape(n, c * BANDS, -1, t)
        return torch.as_tensor(self.norm(bands).reshape(n, c, -1, t)[:, :, :f])
