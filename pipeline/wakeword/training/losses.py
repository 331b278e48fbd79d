"""What a training minimises: cross-entropy or focal loss of the logits, with a loss of the embeddings if asked.

Windows weigh by their class: the word `positive_weight`, what sounds like it `hard_negative_weight`, the rest 1.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, normalize, relu

from pipeline.wakeword.config import LossConfig


class WakewordLoss(nn.Module):
    """`n_embedding` numbers an embedding; ArcFace has class centres of its own, which are trained along."""

    def __init__(self, config: LossConfig, n_embedding: int) -> None:
        super().__init__()
        self.config = config
        self.centres = nn.Parameter(torch.randn(2, n_embedding)) if config.name == "arcface" else None

    def forward(
        self, logits: Tensor, embeddings: Tensor, is_word: Tensor, is_hard: Tensor, word: Tensor | None = None
    ) -> Tensor:
        """logits [n], embeddings [n, n_embedding], two masks [n]; the mean over the batch. Of several words logits
        [n, n_words], and `word` [n] says which one each window holds (-1: none)."""
        config = self.config
        if logits.ndim == 2 and word is not None:
            truth = (word[:, None] == torch.arange(logits.shape[1], device=word.device)).to(logits.dtype)
        else:
            truth = is_word.to(logits.dtype)
        weights = torch.where(is_word, config.positive_weight, torch.where(is_hard, config.hard_negative_weight, 1.0))
        smooth = config.label_smoothing
        losses = binary_cross_entropy_with_logits(logits, truth * (1.0 - smooth) + smooth / 2.0, reduction="none")
        if config.name == "focal":  # Lin et al. 2017
            losses = losses * (1.0 - torch.exp(-losses)) ** config.gamma
        if losses.ndim == 2:
            losses = losses.mean(dim=1)
        loss = (weights * losses).sum() / weights.sum()
        if config.name == "triplet":
            loss = loss + config.embedding_weight * triplet(embeddings, is_word, config.margin)
        elif self.centres is not None:
            loss = loss + config.embedding_weight * arcface(
                embeddings, self.centres, is_word, config.margin, config.scale
            )
        return loss


def triplet(embeddings: Tensor, is_word: Tensor, margin: float) -> Tensor:
    """Each word against the word least like it and the other window most like it in the batch (Hermans et al. 2017), on
    the unit sphere; 0 for a batch without both."""
    if int(is_word.sum()) < 2 or bool(is_word.all()):
        return embeddings.sum() * 0.0
    units = normalize(embeddings.float(), dim=1)
    words = units[is_word]
    furthest = (words @ words.T).amin(dim=1)
    nearest = (words @ units[~is_word].T).amax(dim=1)
    return relu(nearest - furthest + margin).mean()


def arcface(embeddings: Tensor, centres: Tensor, is_word: Tensor, margin: float, scale: float) -> Tensor:
    """Cross-entropy of the angles to the two class centres, that of the right one widened by `margin` radians (Deng et
    al. 2019)."""
    cosines = normalize(embeddings.float(), dim=1) @ normalize(centres, dim=1).T
    angles = torch.acos(cosines.clamp(-1.0 + 1e-6, 1.0 - 1e-6))
    right = nn.functional.one_hot(is_word.long(), 2).bool()
    return nn.functional.cross_entropy(scale * torch.cos(torch.where(right, angles + margin, angles)), is_word.long())
