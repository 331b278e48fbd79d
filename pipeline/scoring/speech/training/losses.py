"""What the score head is trained to make small."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.scoring.speech.labels import BEST_PHONE, WORD_ASPECTS, WORD_CENTRE, WORD_SPREAD
from pipeline.scoring.speech.training.config import SpeechTrainConfig
from pipeline.scoring.speech.training.data import Utterance
from pipeline.scoring.speech.training.head import N_STEPS, Scores

RECENT_BATCHES = 8


@dataclass(frozen=True)
class Scale:
    """Centre and spread of the sentence scores in training [4]; the network works in these units."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]


def scale_of(utterances: Sequence[Utterance]) -> Scale:
    scores = np.stack([u.mean for u in utterances])
    return Scale(tuple(scores.mean(axis=0).tolist()), tuple((scores.std(axis=0) + 1e-6).tolist()))


class RecentScores:
    """Sentence scores of the last batches, as given and as they should be: a batch alone is too small for moments."""

    def __init__(self) -> None:
        self._given: deque[Tensor] = deque(maxlen=RECENT_BATCHES)
        self._right: deque[Tensor] = deque(maxlen=RECENT_BATCHES)

    def extended(self, given: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """These [B, 4] with the recent ones, which learn nothing; then they are recent too."""
        pair = torch.cat([given, *self._given]), torch.cat([right, *self._right])
        self._given.append(given.detach())
        self._right.append(right)
        return pair


def score_losses(
    scores: Scores, utterances: Sequence[Utterance], scale: Scale, config: SpeechTrainConfig, recent: RecentScores
) -> dict[str, Tensor]:
    """Squared errors at each level in units of spread; for phones the cross entropy of their score's steps, too, and
    for the sentence 1 - CCC, which punishes a shrunken spread (Lin 1989)."""
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
    if config.steps_weight:
        loss = _steps_entropy(scores.steps, phone)
        losses["steps"] = config.steps_weight * (loss * present).sum() / present.sum()
    if config.concordance_weight:
        losses["concordance"] = config.concordance_weight * discordance(*recent.extended(scores.utterance, sentence))
    return losses


def discordance(ours: Tensor, theirs: Tensor) -> Tensor:
    """1 - CCC of the columns of [n, k], their mean."""
    means = ours.mean(dim=0), theirs.mean(dim=0)
    together = ((ours - means[0]) * (theirs - means[1])).mean(dim=0)
    spreads = ours.var(dim=0, unbiased=False) + theirs.var(dim=0, unbiased=False)
    return 1.0 - (2.0 * together / (spreads + (means[0] - means[1]) ** 2 + 1e-6)).mean()


def _steps_entropy(steps: Tensor, phone: Tensor) -> Tensor:
    """Cross entropy [B, N] against the two steps that a score (0-2) lies between."""
    place = phone / BEST_PHONE * (N_STEPS - 1)
    low = place.floor().long().clamp(0, N_STEPS - 1)
    high = (low + 1).clamp(max=N_STEPS - 1)
    share = place - low
    log_shares = steps.log_softmax(dim=-1)
    at_low, at_high = (log_shares.gather(-1, index[..., None])[..., 0] for index in (low, high))
    return -((1.0 - share) * at_low + share * at_high)
