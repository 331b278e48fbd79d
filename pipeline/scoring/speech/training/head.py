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
        mixed = torch.einsum("...pkw,pmk->...pmw", states, self.weights.softmax(dim=-1))
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
        return phones + self.out(mixed)


class ScoreHead(nn.Module):
    def __init__(
        self, width: int, n_states: int, *, hidden: int, layers: int, dropout: float, mixtures: int = 2,
        input_dropout: float = 0.0, conv: bool = True, attention: bool = True, steps: bool = True,
        word_attention: bool = True, summary: bool = True, pools: int = len(POOLS), n_features: int = 0, n_rhythm: int = len(RHYTHM),
    ) -> None:  # fmt: skip
        super().__init__()
        self.n_rhythm, self.use_steps, self.word_attention, self.summary, self.pools = n_rhythm, steps, word_attention, summary, pools
        n_features = n_features or n_phone_features(len(LABELS))
        self.acoustic = Mixtures(pools, mixtures, n_states, width, hidden, max(dropout, input_dropout))
        self.evidence = nn.Sequential(
            nn.Dropout(input_dropout), nn.Linear(n_features, hidden), nn.GELU(), nn.Linear(hidden, hidden)
        )
        self.label = nn.Embedding(len(LABELS), hidden)
        self.stress = nn.Embedding(N_STRESS, hidden)
        self.place = nn.Embedding(N_PLACES, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.conv = nn.ModuleList(Neighbours(hidden, dropout) for _ in range(layers if conv else 0))
        self.context = nn.ModuleList(
            nn.TransformerEncoderLayer(
                hidden, 4, 2 * hidden, dropout, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(layers if attention else 0)
        )
        self.phone = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, (N_STEPS if steps else 1) + 1))
        self.register_buffer("step_values", torch.linspace(0.0, BEST_PHONE, N_STEPS), persistent=False)
        n_word = (2 if word_attention else 1) * hidden
        self.word_vote = nn.Linear(hidden, 1)
        self.word = nn.Sequential(
            nn.LayerNorm(n_word), nn.Linear(n_word, hidden), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(hidden, len(WORD_ASPECTS)),
        )  # fmt: skip
        self.attention = nn.Linear(hidden, len(UTTERANCE_ASPECTS))
        self.stats = nn.Sequential(Mixtures(2, 1, n_states, width, hidden, dropout), nn.GELU())
        n_inputs = 2 * hidden + n_rhythm + (3 if summary else 0)
        self.utterance = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(n_inputs), nn.Dropout(dropout), nn.Linear(n_inputs, 64), nn.GELU(), nn.Dropout(dropout),
                nn.Linear(64, 1),
            )
            for _ in UTTERANCE_ASPECTS
        )  # fmt: skip

    def encode(self, phones: Phones) -> Tensor:
        hidden = self.acoustic(phones.states[..., : self.pools, :, :]) + self.evidence(phones.evidence)
        return hidden + self.label(phones.labels) + self.stress(phones.stress) + self.place(phones.place)

    def contextualise(self, hidden: Tensor, present: Tensor | None) -> Tensor:
        hidden = self.norm(hidden)
        missing = None if present is None else ~present
        for n in range(max(len(self.conv), len(self.context))):
            if len(self.conv):
                hidden = self.conv[n](hidden, present)
            if len(self.context):
                hidden = self.context[n](hidden, src_key_padding_mask=missing)
        return hidden

    def forward(self, phones: Phones) -> Scores:
        return self.judge(self.contextualise(self.encode(phones), phones.present), phones)

    def judge(self, hidden: Tensor, phones: Phones) -> Scores:
        by_phone = self.phone(hidden)
        if self.use_steps:
            steps, wrong = by_phone[..., :N_STEPS], by_phone[..., N_STEPS]
            phone = steps.softmax(dim=-1) @ self.step_values - BEST_PHONE
        else:
            steps, phone, wrong = by_phone, by_phone[..., 0], by_phone[..., 1]
        votes = self.attention(hidden)
        if phones.present is not None:
            votes = votes.masked_fill(~phones.present[..., None], MASKED)
        attended = torch.einsum("bnh,bna->bah", hidden, votes.softmax(dim=1))
        of_words = torch.bmm(phones.words, hidden)
        if self.word_attention:
            ballots = self.word_vote(hidden).transpose(1, 2).masked_fill(phones.words == 0, MASKED)
            of_words = torch.cat([of_words, torch.bmm(ballots.softmax(dim=-1), hidden)], dim=-1)
        word = self.word(of_words)
        whole = [self.stats(phones.stats), phones.rhythm]
        if self.summary:
            present = torch.ones_like(phone) if phones.present is None else phones.present.float()
            n = present.sum(dim=1)
            faults = phone.detach() * present
            risk = wrong.detach().sigmoid() * present
            whole.append(torch.stack([faults.sum(1) / n * 2, -(faults**2).sum(1).div(n).sqrt(), risk.sum(1) / n * 3], dim=-1))
        aspects = [
            head(torch.cat([attended[:, number], *whole], dim=-1)) for number, head in enumerate(self.utterance)
        ]
        return Scores(phone, wrong, word, torch.cat(aspects, dim=-1), steps)


class HeadEnsemble(nn.Module):
    """The mean of what several heads answer."""

    def __init__(self, members: Sequence[ScoreHead]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, phones: Phones) -> Scores:
        answers: list[Scores] = [member(phones) for member in self.members]
        parts = zip(*(vars(answer).values() for answer in answers), strict=True)
        return Scores(*(torch.stack(part).mean(dim=0) for part in parts))
