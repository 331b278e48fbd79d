"""The score head: how good each phone, each word and the utterance is.

A small network over the canonical phones of an utterance, each given by the encoder's states under it (several mixtures
of its layers, over its own frames and over those up to its neighbours), the evidence of `evidence.py`, and which phone
it is. Convolutions mix neighbours, attention the rest (Conformer, Gulati et al. 2020); phones, words and the utterance
are scored from the result, in the manner of GOPT (Gong et al. 2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.scoring.speech.labels import BEST_PHONE, LABELS, UTTERANCE_ASPECTS, WORD_ASPECTS
from pipeline.scoring.speech.listening.evidence import POOLS, RHYTHM, n_phone_features

MASKED = -1e9
N_PLACES = 4  # inside a word, first, last, first and last
N_STRESS = 3
N_STEPS = 11  # of a phone's score, 0 to 2: the mean of five experts who give 0, 1 or 2
N_MIXTURES = 2  # of the layers
N_FAULTS = 3
KERNEL = 3  # phones


@dataclass(frozen=True)
class Phones:
    """A batch of canonical phones [B, N], zero-padded (`present` says which are there; None: all), the encoder's states
    under them [B, N, len(POOLS), n_states, W], their evidence [B, N, F], the averages of phones into words
    [B, n_words, N], and of the utterance mean and spread of the states [B, 2, n_states, W] and rhythm [B, R]."""

    labels: Tensor
    stress: Tensor
    place: Tensor
    present: Tensor | None
    states: Tensor
    evidence: Tensor
    words: Tensor
    stats: Tensor
    rhythm: Tensor


@dataclass(frozen=True)
class Scores:
    """In units of the targets' spread: `phone` [B, N], `wrong` [B, N] (logit), `word` [B, n_words, 3], `utterance`
    [B, 4]; `steps` [B, N, N_STEPS] are the logits of the phone's score."""

    phone: Tensor
    wrong: Tensor
    word: Tensor
    utterance: Tensor
    steps: Tensor


class Mixtures(nn.Module):
    """Learned mixtures of an encoder's layers, each projected: [..., n_pools, n_states, W] -> [..., hidden]."""

    def __init__(self, n_pools: int, n_mixtures: int, n_states: int, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        start = torch.zeros(n_pools, n_mixtures, n_states)
        for number in range(n_mixtures if n_mixtures > 1 else 0):
            # From lower layers to higher ones, so that the mixtures differ.
            start[:, number] = -(((torch.arange(n_states) / (n_states - 1) - number / (n_mixtures - 1)) * 2) ** 2)
        self.weights = nn.Parameter(start)
        self.norm = nn.LayerNorm(width)
        self.project = nn.Sequential(nn.Dropout(dropout), nn.Linear(n_pools * n_mixtures * width, hidden))

    def forward(self, states: Tensor) -> Tensor:
        mixed = torch.matmul(self.weights.softmax(dim=-1), states)
        projected: Tensor = self.project(self.norm(mixed).flatten(-3))
        return projected


class Neighbours(nn.Module):
    """What stands beside a phone: a gated convolution over KERNEL phones, added to its state."""

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        self.gate = nn.Linear(hidden, 2 * hidden)
        self.convolution = nn.Conv1d(hidden, hidden, KERNEL, padding=KERNEL // 2)
        self.out = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, hidden), nn.Dropout(dropout))

    def forward(self, phones: Tensor, present: Tensor | None) -> Tensor:
        gated = nn.functional.glu(self.gate(self.norm(phones)), dim=-1)
        if present is not None:
            gated = gated * present[..., None]
        mixed = self.convolution(gated.transpose(1, 2)).transpose(1, 2)
        changed: Tensor = self.out(mixed)
        return phones + changed


class ScoreHead(nn.Module):
    def __init__(self, width: int, n_states: int, *, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.acoustic = Mixtures(len(POOLS), N_MIXTURES, n_states, width, hidden, dropout)
        self.evidence = nn.Sequential(
            nn.Linear(n_phone_features(len(LABELS)), hidden), nn.GELU(), nn.Linear(hidden, hidden)
        )
        self.label = nn.Embedding(len(LABELS), hidden)
        self.stress = nn.Embedding(N_STRESS, hidden)
        self.place = nn.Embedding(N_PLACES, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.conv = nn.ModuleList(Neighbours(hidden, dropout) for _ in range(layers))
        self.context = nn.ModuleList(
            nn.TransformerEncoderLayer(
                hidden, 4, 2 * hidden, dropout, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.phone = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, N_STEPS + 1))
        self.register_buffer("step_values", torch.linspace(0.0, BEST_PHONE, N_STEPS), persistent=False)
        self.word_vote = nn.Linear(hidden, 1)
        self.word = nn.Sequential(
            nn.LayerNorm(2 * hidden), nn.Linear(2 * hidden, hidden), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(hidden, len(WORD_ASPECTS)),
        )  # fmt: skip
        self.attention = nn.Linear(hidden, len(UTTERANCE_ASPECTS))
        self.stats = nn.Sequential(Mixtures(2, 1, n_states, width, hidden, dropout), nn.GELU())
        n_inputs = 2 * hidden + len(RHYTHM) + N_FAULTS
        self.utterance = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(n_inputs), nn.Dropout(dropout), nn.Linear(n_inputs, 64), nn.GELU(), nn.Dropout(dropout),
                nn.Linear(64, 1),
            )
            for _ in UTTERANCE_ASPECTS
        )  # fmt: skip

    def forward(self, phones: Phones) -> Scores:
        hidden = self._in_context(phones)
        by_phone = self.phone(hidden)
        steps, wrong = by_phone[..., :N_STEPS], by_phone[..., N_STEPS]
        phone = steps.softmax(dim=-1) @ self.step_values - BEST_PHONE
        votes = self.attention(hidden)
        if phones.present is not None:
            votes = votes.masked_fill(~phones.present[..., None], MASKED)
        attended = torch.einsum("bnh,bna->bah", hidden, votes.softmax(dim=1))
        whole = [self.stats(phones.stats), phones.rhythm, _faults(phone.detach(), wrong.detach(), phones.present)]
        aspects = [head(torch.cat([attended[:, number], *whole], dim=-1)) for number, head in enumerate(self.utterance)]
        return Scores(phone, wrong, self._words(hidden, phones.words), torch.cat(aspects, dim=-1), steps)

    def _in_context(self, phones: Phones) -> Tensor:
        hidden: Tensor = self.acoustic(phones.states) + self.evidence(phones.evidence)
        hidden = hidden + self.label(phones.labels) + self.stress(phones.stress) + self.place(phones.place)
        hidden = self.norm(hidden)
        missing = None if phones.present is None else ~phones.present
        for neighbours, layer in zip(self.conv, self.context, strict=True):
            hidden = layer(neighbours(hidden, phones.present), src_key_padding_mask=missing)
        return hidden

    def _words(self, hidden: Tensor, words: Tensor) -> Tensor:
        """From the mean over a word's phones and the mean weighted by what each phone says it matters."""
        votes = self.word_vote(hidden).transpose(1, 2).masked_fill(words == 0, MASKED)
        pooled = torch.cat([torch.bmm(words, hidden), torch.bmm(votes.softmax(dim=-1), hidden)], dim=-1)
        scores: Tensor = self.word(pooled)
        return scores


def _faults(phone: Tensor, wrong: Tensor, present: Tensor | None) -> Tensor:
    """[B, N_FAULTS]: the mean and the quadratic mean of what the phones lost, and the share that is wrong."""
    there = torch.ones_like(phone) if present is None else present.to(phone.dtype)
    count = there.sum(dim=1)
    lost = phone * there
    risk = wrong.sigmoid() * there
    return torch.stack(
        [2.0 * lost.sum(dim=1) / count, -(lost.square().sum(dim=1) / count).sqrt(), 3.0 * risk.sum(dim=1) / count],
        dim=-1,
    )


class HeadEnsemble(nn.Module):
    """The mean of what several heads answer."""

    def __init__(self, members: Sequence[ScoreHead]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, phones: Phones) -> Scores:
        answers: list[Scores] = [member(phones) for member in self.members]
        parts = zip(*(vars(answer).values() for answer in answers), strict=True)
        return Scores(*(torch.stack(part).mean(dim=0) for part in parts))
