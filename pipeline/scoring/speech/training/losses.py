"""What the score head is trained to make small."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.scoring.speech.labels import BEST_PHONE, WORD_ASPECTS, WORD_CENTRE, WORD_SPREAD
from pipeline.scoring.speech.training.config import SpeechTrainConfig
from pipeline.scoring.speech.training.data import Utterance
from pipeline.scoring.speech.training.network import Scores


@dataclass(frozen=True)
class Scale:
    """Centre and spread of the sentence scores in training [4]; the network works in these units."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]


def scale_of(utterances: Sequence[Utterance]) -> Scale:
    scores = np.stack([u.mean for u in utterances])
    return Scale(tuple(scores.mean(axis=0).tolist()), tuple((scores.std(axis=0) + 1e-6).tolist()))


def score_losses(
    scores: Scores, utterances: Sequence[Utterance], scale: Scale, config: SpeechTrainConfig
) -> dict[str, Tensor]:
    """Squared errors at each level in units of spread, and, for the sentence, 1 - PCC within the batch."""
    device = scores.phone.device
    present = torch.zeros(scores.phone.shape, device=device)
    phone, wrong = torch.zeros_like(present), torch.zeros_like(present)
    words = torch.zeros_like(scores.word)
    has_word = torch.zeros(scores.word.shape[:2], device=device)
    for row, u in enumerate(utterances):
        n = len(u.phone_accuracy)
        present[row, :n] = 1.0
        phone[row, :n] = torch.from_numpy(u.phone_accuracy)
        wrong[row, :n] = torch.from_numpy(u.wrong_share)
        words[row, : len(u.word_scores)] = torch.from_numpy((u.word_scores - WORD_CENTRE) / WORD_SPREAD)
        has_word[row, : len(u.word_scores)] = 1.0
    mean, spread = torch.tensor(scale.mean), torch.tensor(scale.spread)
    sentence = ((torch.from_numpy(np.stack([u.mean for u in utterances])) - mean) / spread).to(device)
    binary = nn.functional.binary_cross_entropy_with_logits(scores.wrong, wrong, reduction="none")
    losses = {
        "phone": config.phone_weight * ((scores.phone - (phone - BEST_PHONE)) ** 2 * present).sum() / present.sum(),
        "wrong": config.wrong_weight * (binary * present).sum() / present.sum(),
        "word": config.word_weight
        * ((scores.word - words) ** 2 * has_word[..., None]).sum()
        / (has_word.sum() * len(WORD_ASPECTS)),
        "utterance": config.utterance_weight * ((scores.utterance - sentence) ** 2).mean(),
    }
    if config.correlation_weight and len(utterances) > 2:
        ours = scores.utterance - scores.utterance.mean(dim=0)
        theirs = sentence - sentence.mean(dim=0)
        together = (ours * theirs).sum(dim=0) / (ours.norm(dim=0) * theirs.norm(dim=0) + 1e-6)
        losses["correlation"] = config.correlation_weight * (1.0 - together).mean()
    return losses
