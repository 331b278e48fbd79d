"""The smallest: one convolution (tiny_conv of TensorFlow's speech commands, Warden 2018), and a deep network on a
context-dependent stack of frames (CD-DNN; Chen et al. 2014)."""

import torch
from torch import Tensor, nn

from pipeline.wakeword.features import Cmvn
from pipeline.wakeword.models.base import Network, channels

STACKED = 5  # frames averaged into one before the network: a window is 150 of them


class TinyConv(Network):
    """One convolution of 10 frames x 8 bins, then a linear layer over all it found."""

    def __init__(self, shape: tuple[int, int], cmvn: Cmvn, width: float, dropout: float) -> None:
        n = channels(8, width)
        frames, bins = (shape[0] - 10) // 4 + 1, (shape[1] - 8) // 2 + 1
        super().__init__(n * frames * bins, cmvn, dropout)
        self.convolution = nn.Sequential(nn.Conv2d(1, n, (10, 8), (4, 2), bias=False), nn.BatchNorm2d(n), nn.ReLU())

    def embed(self, normalised: Tensor) -> Tensor:
        return torch.as_tensor(self.convolution(normalised.unsqueeze(1)).flatten(1))


class CdDnn(Network):
    def __init__(self, shape: tuple[int, int], cmvn: Cmvn, width: float, dropout: float) -> None:
        n = channels(96, width)
        super().__init__(n, cmvn, dropout)
        self.n_frames = shape[0] // STACKED * STACKED
        n_in, layers = shape[0] // STACKED * shape[1], []
        for _ in range(3):
            layers += [nn.Linear(n_in, n, bias=False), nn.BatchNorm1d(n), nn.ReLU(), nn.Dropout(dropout)]
            n_in = n
        self.layers = nn.Sequential(*layers)

    def embed(self, normalised: Tensor) -> Tensor:
        n, _, bins = normalised.shape
        stacked = normalised[:, : self.n_frames].reshape(n, -1, STACKED, bins).mean(dim=2)
        return torch.as_tensor(self.layers(stacked.flatten(1)))
