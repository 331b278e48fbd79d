"""Networks of image recognition on a spectrogram of one channel: ResNet-18 and -34 (He et al. 2016), MobileNetV3-Small
(Howard et al. 2019). The ResNets are meant as teachers."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pipeline.wakeword.features import Cmvn
from pipeline.wakeword.models.base import Network, channels

RESNET_LAYERS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
# Kernel, expanded channels, channels, squeeze-and-excitation, hard-swish, stride.
MOBILE: Sequence[tuple[int, int, int, bool, bool, int]] = (
    (3, 16, 16, True, False, 2), (3, 72, 24, False, False, 2), (3, 88, 24, False, False, 1), (5, 96, 40, True, True, 2),
    (5, 240, 40, True, True, 1), (5, 240, 40, True, True, 1), (5, 120, 48, True, True, 1), (5, 144, 48, True, True, 1),
    (5, 288, 96, True, True, 2), (5, 576, 96, True, True, 1), (5, 576, 96, True, True, 1),
)  # fmt: skip


class ResNet(Network):
    def __init__(self, depth: int, shape: tuple[int, int], cmvn: Cmvn, width: float, dropout: float) -> None:
        stages = [channels(64 * 2**stage, width) for stage in range(4)]
        super().__init__(stages[-1], cmvn, dropout)
        n = stages[0]
        self.stem = nn.Sequential(
            nn.Conv2d(1, n, 7, 2, padding=3, bias=False), nn.BatchNorm2d(n), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)
        )
        blocks: list[nn.Module] = []
        for stage, (n_out, count) in enumerate(zip(stages, RESNET_LAYERS[depth], strict=True)):
            for number in range(count):
                blocks.append(_Basic(n, n_out, 2 if stage and number == 0 else 1))
                n = n_out
        self.blocks = nn.Sequential(*blocks)

    def embed(self, normalised: Tensor) -> Tensor:
        return torch.as_tensor(self.blocks(self.stem(normalised.unsqueeze(1))).mean(dim=(2, 3)))


class MobileNetV3(Network):
    def __init__(self, shape: tuple[int, int], cmvn: Cmvn, width: float, dropout: float) -> None:
        last = channels(288, width, 8)
        super().__init__(last, cmvn, dropout)
        n = channels(16, width, 8)
        layers: list[nn.Module] = [
            nn.Conv2d(1, n, 3, 2, padding=1, bias=False),
            nn.BatchNorm2d(n),
            nn.Hardswish(),
        ]
        for kernel, expanded, n_out, squeezes, swish, stride in MOBILE:
            wide, out = channels(expanded, width, 8), channels(n_out, width, 8)
            layers.append(_Inverted(n, wide, out, kernel, squeezes, swish, stride))
            n = out
        layers += [nn.Conv2d(n, last, 1, bias=False), nn.BatchNorm2d(last), nn.Hardswish()]
        self.layers = nn.Sequential(*layers)

    def embed(self, normalised: Tensor) -> Tensor:
        return torch.as_tensor(self.layers(normalised.unsqueeze(1)).mean(dim=(2, 3)))


class _Basic(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(),
            nn.Conv2d(n_out, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out),
        )  # fmt: skip
        self.short = (
            nn.Identity()
            if n_in == n_out and stride == 1
            else nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))
        )

    def forward(self, maps: Tensor) -> Tensor:
        return torch.relu(self.body(maps) + self.short(maps))


class _Inverted(nn.Module):
    def __init__(self, n_in: int, wide: int, n_out: int, kernel: int, squeezes: bool, swish: bool, stride: int) -> None:
        super().__init__()
        act: type[nn.Module] = nn.Hardswish if swish else nn.ReLU
        layers: list[nn.Module] = []
        if wide != n_in:
            layers += [nn.Conv2d(n_in, wide, 1, bias=False), nn.BatchNorm2d(wide), act()]
        layers += [
            nn.Conv2d(wide, wide, kernel, stride, padding=kernel // 2, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            act(),
        ]
        if squeezes:
            layers.append(_Squeeze(wide))
        layers += [nn.Conv2d(wide, n_out, 1, bias=False), nn.BatchNorm2d(n_out)]
        self.body = nn.Sequential(*layers)
        self.residual = stride == 1 and n_in == n_out

    def forward(self, maps: Tensor) -> Tensor:
        body: Tensor = self.body(maps)
        return body + maps if self.residual else body


class _Squeeze(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        few = channels(n // 4, 1.0, 8)
        self.weigh = nn.Sequential(nn.Linear(n, few), nn.ReLU(), nn.Linear(few, n), nn.Hardsigmoid())

    def forward(self, maps: Tensor) -> Tensor:
        return torch.as_tensor(maps * self.weigh(maps.mean(dim=(2, 3)))[:, :, None, None])
