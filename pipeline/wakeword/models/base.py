"""What all wake-word models are: windows of features in, one logit out; and networks, which most of them are."""

import torch
from torch import Tensor, nn

from pipeline.wakeword.features import Cmvn


class WakewordModel(nn.Module):
    """`features` windows [n, frames, bins], not normalised, to logits [n] (of several words [n, n_words]): above 0 the
    word is more likely than not.

    The mean and deviation of the training part are buffers, so that an export takes what the detector has.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, cmvn: Cmvn) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(cmvn.mean.copy()))
        self.register_buffer("std", torch.from_numpy(cmvn.std.copy()))

    @property
    def networks(self) -> "tuple[Network, ...]":
        """Those whose logits' mean is the answer; each is trained by itself."""
        raise NotImplementedError

    def normalised(self, windows: Tensor) -> Tensor:
        return (windows - self.mean) / self.std

    def answers(self, normalised: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Of each network, logits [n] and embeddings [n, n_embedding]."""
        raise NotImplementedError

    def forward(self, windows: Tensor) -> Tensor:
        logits = [logits for logits, _embeddings in self.answers(self.normalised(windows))]
        return logits[0] if len(logits) == 1 else torch.stack(logits).mean(dim=0)


class Network(WakewordModel):
    """A subclass gives `embed`."""

    def __init__(self, n_embedding: int, cmvn: Cmvn, dropout: float) -> None:
        super().__init__(cmvn)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(n_embedding, 1)

    @property
    def networks(self) -> "tuple[Network, ...]":
        return (self,)

    def embed(self, normalised: Tensor) -> Tensor:
        """[n, frames, bins] to [n, n_embedding]."""
        raise NotImplementedError

    def answers(self, normalised: Tensor) -> list[tuple[Tensor, Tensor]]:
        embedding = self.embed(normalised)
        return [(self.head(self.dropout(embedding)).squeeze(-1), embedding)]


def channels(base: int, width: float, multiple: int = 4) -> int:
    """`base` times `width`, a multiple that processors like."""
    return max(multiple, round(base * width / multiple) * multiple)
