"""From utterances to batches, and from batches through the network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.scoring.speech.frontend import FrontEnd, frame_sound
from pipeline.scoring.speech.listening import ctc
from pipeline.scoring.speech.listening.evidence import Evidence, gather_evidence
from pipeline.scoring.speech.training.augment import Augmenter
from pipeline.scoring.speech.training.config import SpeechTrainConfig
from pipeline.scoring.speech.training.data import Utterance
from pipeline.scoring.speech.training.encoder import batch_inputs, load_encoder
from pipeline.scoring.speech.training.head import ScoreHead, Scores
from pipeline.scoring.speech.training.network import Listener, ListenerBatch, batch_phones

RATE_HZ = 16_000
JITTER = RATE_HZ // 2


class SpeechModel(nn.Module):
    """Listener and score head as one, for training."""

    def __init__(self, config: SpeechTrainConfig, encoder_folder: str) -> None:
        super().__init__()
        encoder = load_encoder(encoder_folder, config.dropout)
        self.listener = Listener(encoder, config.dropout)
        shape = encoder.shape
        self.head = ScoreHead(
            shape.width, shape.n_states, hidden=config.hidden, layers=config.layers, dropout=config.dropout
        )


@dataclass(frozen=True)
class Batch:
    inputs: Tensor
    n_inputs: Tensor
    samples: tuple[NDArray[np.float32], ...]
    utterances: tuple[Utterance, ...]


def groups_of(
    utterances: Sequence[Utterance], batch_s: float, draw: np.random.Generator | None = None
) -> list[list[Utterance]]:
    """Utterances of like length, at most `batch_s` of audio together with their padding; shuffled with `draw`."""
    lengths = np.array([len(u.samples) for u in utterances])
    jitter = np.zeros(len(lengths), dtype=np.int64) if draw is None else draw.integers(0, JITTER, len(lengths))
    groups: list[list[int]] = [[]]
    for index in np.argsort(lengths + jitter, kind="stable"):
        longest = max([lengths[index], *(lengths[i] for i in groups[-1])])
        if groups[-1] and longest * (len(groups[-1]) + 1) > batch_s * RATE_HZ:
            groups.append([])
        groups[-1].append(int(index))
    if draw is not None:
        draw.shuffle(groups)
    return [[utterances[i] for i in group] for group in groups]


def prepare(utterances: Sequence[Utterance], front_end: FrontEnd, varied: Augmenter | None = None) -> Batch:
    """Front-end inputs of some utterances, varied where an augmenter is given."""
    samples = [u.audio() if varied is None else varied.samples(u.audio()) for u in utterances]
    inputs = [front_end(part) if varied is None else varied.masked(varied.warped(front_end(part))) for part in samples]
    return Batch(*batch_inputs(inputs), tuple(samples), tuple(utterances))


def listen(model: SpeechModel, batch: Batch, config: SpeechTrainConfig, device: str) -> ListenerBatch:
    half = config.precision != "float32"
    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
        heard: ListenerBatch = model.listener(batch.inputs.to(device), batch.n_inputs.to(device))
    return heard


def evidence_of(heard: ListenerBatch, batch: Batch) -> list[Evidence | None]:
    """None for an utterance whose frames cannot hold its phones."""
    log_probs = heard.log_probs.detach().double().cpu().numpy()
    found: list[Evidence | None] = []
    for row, utterance in enumerate(batch.utterances):
        n_frames = int(heard.n_frames[row])
        if not ctc.fits(n_frames, utterance.spoken.labels.tolist()):
            found.append(None)
            continue
        sound = frame_sound(batch.samples[row], n_frames)
        found.append(gather_evidence(log_probs[row, :n_frames], utterance.spoken, sound))
    return found


def score(
    model: SpeechModel, heard: ListenerBatch, batch: Batch, evidence: Sequence[Evidence | None]
) -> tuple[Scores, list[int]]:
    """Scores of the utterances that have evidence, and which of the batch they are. Raises ValueError for none."""
    rows = [row for row, found in enumerate(evidence) if found is not None]
    phones = batch_phones(
        [batch.utterances[row].spoken for row in rows],
        [batch.utterances[row].stress for row in rows],
        [found for found in evidence if found is not None],
        heard.layers[rows],
    )
    scores: Scores = model.head(phones)
    return scores, rows
