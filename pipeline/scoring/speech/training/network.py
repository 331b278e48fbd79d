"""What is heard: an encoder with a phone CTC head; and from what it hears to what the score head is given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.scoring.speech.labels import LABELS
from pipeline.scoring.speech.listening.evidence import POOLS, CanonicalPhones, Evidence
from pipeline.scoring.speech.listening.pooling import SPREAD_FLOOR
from pipeline.scoring.speech.training.encoder import WaveSpeech, WhisperSpeech
from pipeline.scoring.speech.training.head import Phones


@dataclass(frozen=True)
class ListenerBatch:
    """`log_probs` [B, T, V], `layers` [B, n_states, T, W], `n_frames` [B]."""

    log_probs: Tensor
    layers: Tensor
    n_frames: Tensor


class Listener(nn.Module):
    """Encoder and phone CTC head."""

    def __init__(self, encoder: WhisperSpeech | WaveSpeech, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.ctc = nn.Sequential(nn.Dropout(dropout), nn.Linear(encoder.shape.width, len(LABELS)))

    def forward(self, inputs: Tensor, n_inputs: Tensor | None) -> ListenerBatch:
        """`n_inputs` [B] are the unpadded lengths; None says that nothing is padded."""
        layers = self.encoder(inputs, n_inputs)
        log_probs = self.ctc(layers[-1]).float().log_softmax(dim=-1)
        if n_inputs is None:
            n_frames = torch.tensor([log_probs.shape[1]])
        else:
            n_frames = self.encoder.n_frames(n_inputs)
        return ListenerBatch(log_probs, torch.stack([layer.float() for layer in layers], dim=1), n_frames)


def batch_phones(
    spoken: Sequence[CanonicalPhones], stress: Sequence[NDArray[np.int64]], evidence: Sequence[Evidence], layers: Tensor
) -> Phones:
    """Pad the phones of some utterances to one batch, with `layers` [B, n_states, T, W] averaged over each."""
    size, longest, n_frames = len(spoken), max(len(s.labels) for s in spoken), layers.shape[2]
    n_words = max(s.n_words for s in spoken)
    ints = np.zeros((3, size, longest), dtype=np.int64)
    present = np.zeros((size, longest), dtype=np.bool_)
    table = np.zeros((size, longest, evidence[0].phones.shape[1]), dtype=np.float32)
    pooling = np.zeros((size, len(POOLS), longest, n_frames), dtype=np.float32)
    speech = np.zeros((size, n_frames), dtype=np.float32)
    words = np.zeros((size, n_words, longest), dtype=np.float32)
    for row, (said, marks, found) in enumerate(zip(spoken, stress, evidence, strict=True)):
        n = len(said.labels)
        ints[:, row, :n] = said.labels, marks, said.places
        present[row, :n] = True
        table[row, :n] = found.phones
        pooling[row, :, :n, : found.pooling.shape[2]] = found.pooling
        speech[row, : len(found.speech)] = found.speech
        words[row, : said.n_words, :n] = said.word_averages
    device = layers.device
    labels, marks_, place = (torch.from_numpy(part).to(device) for part in ints)
    states = torch.einsum("bpnt,bktw->bnpkw", torch.from_numpy(pooling).to(device), layers)
    of_speech = torch.from_numpy(speech).to(device)
    mean = torch.einsum("bt,bktw->bkw", of_speech, layers)
    spread = (torch.einsum("bt,bktw->bkw", of_speech, (layers - mean[:, :, None]) ** 2) + SPREAD_FLOOR).sqrt()
    return Phones(
        labels=labels, stress=marks_, place=place, present=torch.from_numpy(present).to(device), states=states,
        evidence=torch.from_numpy(table).to(device), words=torch.from_numpy(words).to(device),
        stats=torch.stack([mean, spread], dim=1),
        rhythm=torch.from_numpy(np.stack([e.rhythm for e in evidence])).to(device),
    )  # fmt: skip
