"""LSTM and GRU over frames taken in pairs (Sun et al. 2016, Arik et al. 2017)."""

import torch
from torch import Tensor, nn

from pipeline.wakeword.features import Cmvn
from pipeline.wakeword.models.base import Network, channels

TOGETHER = 3  # frames a step: a third of the steps, and what a step sees is about a phone's transition


class Recurrent(Network):
    def __init__(
        self, cell: type[nn.LSTM] | type[nn.GRU], shape: tuple[int, int], cmvn: Cmvn, width: float, dropout: float
    ) -> None:
        n = channels(64, width)
        super().__init__(2 * n, cmvn, dropout)
        self.layers = cell(TOGETHER * shape[1], n, num_layers=2, batch_first=True, dropout=dropout)

    def embed(self, normalised: Tensor) -> Tensor:
        n, frames, bins = normalised.shape
        steps = normalised[:, : frames // TOGETHER * TOGETHER].reshape(n, frames // TOGETHER, TOGETHER * bins)
        outputs, _ = self.layers(steps)
        return torch.cat([outputs[:, -1], outputs.amax(dim=1)], dim=1)
