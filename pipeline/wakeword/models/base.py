"""What all wake-word models are: windows of features in, one logit and an embedding out."""

import torch
from torch import Tensor, nn

from pipeline.wakeword.features import Cmvn


class WakewordModel(nn.Module):
    """`features` windows [n, frames, bins], not normalised, to logits [n] (of several words [n, n_words]): above 0 the
    word is more likely than not.

    A subclass gives `embed`; the mean and deviation of the training part are buffers, so that an export takes what the
    detector has.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, n_embedding: int, cmvn: Cmvn, dropout: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(cmvn.mean.copy()))
        self.register_buffer("std", torch.from_numpy(cmvn.std.copy()))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(n_embedding, 1)

    def normalised(self, windows: Tensor) -> Tensor:
        return (windows - self.mean) / self.std

    def embed(self, normalised: Tensor) -> Tensor:
        """[n, frames, bins] to [n, n_embedding]."""
        raise NotImplementedError

    def logits_and_embeddings(self, normalised: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [n] and embeddings [n, n_embedding]."""
        embedding = self.embed(normalised)
        return self.head(self.dropout(embedding)).squeeze(-1), embedding

    def forward(self, windows: Tensor) -> Tensor:
        return self.logits_and_embeddings(self.normalised(windows))[0]


def channels(base: int, width: float, multiple: int = 4) -> int:
    """`base` times `width`, a multiple that processors like."""
    return max(multiple, round(base * width / multiple) * multiple)
