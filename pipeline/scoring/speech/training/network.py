"""The two trained parts: what is heard (encoder and phone CTC head), and how good it is (score head).

The score head is one small transformer over the canonical phones of an utterance, each given by the encoder's states
under it, the evidence of `evidence.py`, and which phone it is; phones, words and the utterance are scored from its
states. In the manner of GOPT (Gong et al. 2022), with an encoder that is trained along.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.scoring.speech.labels import LABELS, UTTERANCE_ASPECTS, WORD_ASPECTS
from pipeline.scoring.speech.listening.evidence import RHYTHM, CanonicalPhones, Evidence, n_phone_features
from pipeline.scoring.speech.training.encoder import MASKED, WaveSpeech, WhisperSpeech

N_PLACES = 4  # inside a word, first, last, first and last
N_STRESS = 3


@dataclass(frozen=True)
class ListenerBatch:
    """`log_probs` [B, T, V], `states` [B, T, W] to pool into phones, `stats` [B, 2W] mean and spread over the
    utterance, `n_frames` [B]."""

    log_probs: Tensor
    states: Tensor
    stats: Tensor
    n_frames: Tensor


@dataclass(frozen=True)
class Phones:
    """A batch of canonical phones [B, N], zero-padded (`present` says which are there; None: all), their evidence
    [B, N, F], averages of frames into phones [B, N, T] and of phones into words [B, n_words, N], and rhythm [B, R]."""

    labels: Tensor
    stress: Tensor
    place: Tensor
    present: Tensor | None
    evidence: Tensor
    pooling: Tensor
    words: Tensor
    rhythm: Tensor


@dataclass(frozen=True)
class Scores:
    """In units of the targets' spread: `phone` [B, N], `wrong` [B, N] (logit), `word` [B, n_words, 3], `utterance`
    [B, 4]."""

    phone: Tensor
    wrong: Tensor
    word: Tensor
    utterance: Tensor


class Listener(nn.Module):
    """Encoder, phone CTC head, and two learned mixtures of the layers."""

    def __init__(self, encoder: WhisperSpeech | WaveSpeech, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.ctc = nn.Sequential(nn.Dropout(dropout), nn.Linear(encoder.shape.width, len(LABELS)))
        self.mixture = nn.Parameter(torch.zeros(2, encoder.shape.n_states))

    def forward(self, inputs: Tensor, n_inputs: Tensor | None) -> ListenerBatch:
        """`n_inputs` [B] are the unpadded lengths; None says that nothing is padded."""
        layers = self.encoder(inputs, n_inputs)
        weights = self.mixture.softmax(dim=-1)
        states = sum(weights[0, i] * layer.float() for i, layer in enumerate(layers))
        whole = sum(weights[1, i] * layer.float() for i, layer in enumerate(layers))
        if n_inputs is None:
            n_frames = torch.tensor([states.shape[1]])
            inside = torch.ones_like(states[..., :1])
        else:
            n_frames = self.encoder.n_frames(n_inputs)
            inside = (torch.arange(states.shape[1], device=states.device) < n_frames[:, None]).float()[..., None]
        count = inside.sum(dim=1)
        mean = (whole * inside).sum(dim=1) / count
        spread = (((whole - mean[:, None]) ** 2 * inside).sum(dim=1) / count + 1e-5).sqrt()
        log_probs = self.ctc(layers[-1]).float().log_softmax(dim=-1)
        return ListenerBatch(log_probs, states, torch.cat([mean, spread], dim=-1), n_frames)


class ScoreHead(nn.Module):
    def __init__(self, width: int, *, hidden: int, layers: int, dropout: float, n_rhythm: int = len(RHYTHM)) -> None:
        super().__init__()
        self.n_rhythm = n_rhythm
        self.acoustic = nn.Sequential(nn.LayerNorm(width), nn.Dropout(dropout), nn.Linear(width, hidden))
        self.evidence = nn.Sequential(
            nn.Linear(n_phone_features(len(LABELS)), hidden), nn.GELU(), nn.Linear(hidden, hidden)
        )
        self.label = nn.Embedding(len(LABELS), hidden)
        self.stress = nn.Embedding(N_STRESS, hidden)
        self.place = nn.Embedding(N_PLACES, hidden)
        self.norm = nn.LayerNorm(hidden)
        layer = nn.TransformerEncoderLayer(
            hidden, 4, 2 * hidden, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.context = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.phone = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, 2))
        self.word = nn.Sequential(
            nn.LayerNorm(hidden), nn.Linear(hidden, hidden), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(hidden, len(WORD_ASPECTS)),
        )  # fmt: skip
        self.attention = nn.Linear(hidden, len(UTTERANCE_ASPECTS))
        self.stats = nn.Sequential(
            nn.LayerNorm(2 * width), nn.Dropout(dropout), nn.Linear(2 * width, hidden), nn.GELU()
        )
        n_inputs = 2 * hidden + n_rhythm
        self.utterance = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(n_inputs), nn.Dropout(dropout), nn.Linear(n_inputs, 64), nn.GELU(), nn.Dropout(dropout),
                nn.Linear(64, 1),
            )
            for _ in UTTERANCE_ASPECTS
        )  # fmt: skip

    def forward(self, states: Tensor, stats: Tensor, phones: Phones) -> Scores:
        pooled = torch.bmm(phones.pooling, states)
        found = self.acoustic(pooled) + self.evidence(phones.evidence)
        found = found + self.label(phones.labels) + self.stress(phones.stress) + self.place(phones.place)
        missing = None if phones.present is None else ~phones.present
        found = self.context(self.norm(found), src_key_padding_mask=missing)
        by_phone = self.phone(found)
        votes = self.attention(found)
        if missing is not None:
            votes = votes.masked_fill(missing[..., None], MASKED)
        weights = votes.softmax(dim=1)
        attended = torch.einsum("bnh,bna->bah", found, weights)
        whole = self.stats(stats)
        aspects = [
            head(torch.cat([attended[:, number], whole, phones.rhythm], dim=-1))
            for number, head in enumerate(self.utterance)
        ]
        return Scores(
            by_phone[..., 0], by_phone[..., 1], self.word(torch.bmm(phones.words, found)), torch.cat(aspects, -1)
        )


def batch_phones(
    spoken: Sequence[CanonicalPhones], stress: Sequence[NDArray[np.int64]], evidence: Sequence[Evidence], n_frames: int
) -> Phones:
    """Pad the phones of some utterances to one batch whose states have `n_frames` frames."""
    size, longest = len(spoken), max(len(s.labels) for s in spoken)
    n_words = max(s.n_words for s in spoken)
    ints = np.zeros((3, size, longest), dtype=np.int64)
    present = np.zeros((size, longest), dtype=np.bool_)
    table = np.zeros((size, longest, evidence[0].phones.shape[1]), dtype=np.float32)
    pooling = np.zeros((size, longest, n_frames), dtype=np.float32)
    words = np.zeros((size, n_words, longest), dtype=np.float32)
    for row, (said, marks, found) in enumerate(zip(spoken, stress, evidence, strict=True)):
        n = len(said.labels)
        ints[:, row, :n] = said.labels, marks, said.places
        present[row, :n] = True
        table[row, :n] = found.phones
        pooling[row, :n, : found.pooling.shape[1]] = found.pooling
        words[row, : said.n_words, :n] = said.word_averages
    return Phones(
        torch.from_numpy(ints[0]), torch.from_numpy(ints[1]), torch.from_numpy(ints[2]),
        torch.from_numpy(present), torch.from_numpy(table),
        torch.from_numpy(pooling), torch.from_numpy(words), torch.from_numpy(np.stack([e.rhythm for e in evidence])),
    )  # fmt: skip
