"""Train score heads on a finished listener, which stays as it is: minutes instead of hours.

Every recording is heard once as it is and a few times varied (`heard.py`); the heads learn from all of these hearings.
Heads that differ in what chance decides are averaged in their answers.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline import artifacts
from pipeline.errors import TrainingError
from pipeline.i18n import N_, Message
from pipeline.jobs.checkpoints import copied, follow, load_weights
from pipeline.runs import RunWriter
from pipeline.runs.messages import epoch_of, how_far
from pipeline.scoring.speech.training.augment import augmenter, read_noise, read_rooms
from pipeline.scoring.speech.training.config import SpeechTrainConfig
from pipeline.scoring.speech.training.data import Utterance
from pipeline.scoring.speech.training.head import HeadEnsemble, ScoreHead
from pipeline.scoring.speech.training.heard import HeardRecordings, Listeners, batch_heard, hear_all
from pipeline.scoring.speech.training.losses import RecentScores, Scale, scale_of, score_losses
from pipeline.scoring.speech.training.train import BEST, CLIP_NORM, FINAL, SCALE, schedule, split_speakers
from pipeline.scoring.speech.training.validate import Answer, answer_of, figures, selection_value

SORTED_BATCHES = 8  # recordings of so many batches are sorted by length, so that little is padding
VALIDATION_BATCH = 64
# Where the listener learned from all others, what it hears of these speakers is as it will be of anybody's.
UNHEARD_TIMES = 3


def run_head_training(
    utterances: Sequence[Utterance], config: SpeechTrainConfig, listeners: Sequence[Listeners], writer: RunWriter
) -> dict[str, Any]:
    """Train `config.members` heads on what each of `listeners` hears, in the run directory of `writer`; those that it
    holds already are not trained again. The first of them judges the held-out speakers. The weights land in
    `checkpoints/best.safetensors`, those of heads that learned from the held-out speakers too in
    `checkpoints/final.safetensors`; returns the figures on the held-out speakers."""
    checkpoints = writer.run.path / "checkpoints"
    train, held = split_speakers(utterances, config)
    scale = scale_of(train)
    artifacts.write_json(checkpoints / SCALE, scale)
    hearings = _hearings(listeners, utterances, config, writer)
    rows = {u.key: number for number, u in enumerate(utterances)}
    train_rows, held_rows = ([rows[u.key] for u in part] for part in (train, held))
    known = _heads(hearings, train_rows, config, scale, checkpoints / "member", writer)
    artifacts.write_tensors(checkpoints / BEST, known.state_dict())
    found = figures(_answers(known, hearings[0], held_rows, scale))
    record = {"event": "epoch", "epoch": config.epochs, "held_out": found, "selection": selection_value(found)}
    writer.log_metrics(**record)
    if config.final_on_all:
        everybody = [*train_rows, *held_rows * (1 if config.other_listeners else UNHEARD_TIMES)]
        final = _heads(hearings, everybody, config, scale, checkpoints / "final", writer)
        artifacts.write_tensors(checkpoints / FINAL, final.state_dict())
    report = {**record, "n_held_out": len(held), "n_speakers_held_out": len({u.speaker for u in held})}
    artifacts.write_json(writer.run.path / "report.json", report)
    return report


def new_heads(config: SpeechTrainConfig, width: int, n_states: int) -> HeadEnsemble:
    return HeadEnsemble([_new_head(config, width, n_states) for _ in range(config.members)])


def _new_head(config: SpeechTrainConfig, width: int, n_states: int) -> ScoreHead:
    return ScoreHead(width, n_states, hidden=config.hidden, layers=config.layers, dropout=config.dropout)


def _hearings(
    listeners: Sequence[Listeners], utterances: Sequence[Utterance], config: SpeechTrainConfig, writer: RunWriter
) -> list[HeardRecordings]:
    noise, rooms = read_noise(config.noise), read_rooms(config.room_responses)

    def progress(done: int, total: int, message: str) -> None:
        writer.check_stop()
        if done % 50 == 0:
            writer.update(message=how_far(message, done, total))

    hearings = []
    for copy in range(config.copies + 1):
        for number, by in enumerate(listeners):
            varied = augmenter(config, copy, noise, rooms) if copy else None  # the same for all of them
            folder = writer.run.path / "heard" / (f"{copy}-{number}" if number else str(copy))
            hearings.append(hear_all(by, utterances, folder, varied, progress))
    return hearings


def _heads(
    hearings: Sequence[HeardRecordings], rows: Sequence[int], config: SpeechTrainConfig, scale: Scale, path: Path,
    writer: RunWriter,
) -> HeadEnsemble:  # fmt: skip
    """Heads trained on the recordings `rows`, each kept as `<path><number>.safetensors` when it is finished. The
    hearings of each copy stand together, those of the recordings as they are first."""
    n_unvaried = len(hearings) // (config.copies + 1)
    members = []
    for member in range(config.members):
        torch.manual_seed(config.seed + member)
        head = _new_head(config, hearings[0].width, hearings[0].n_states)
        file = path.with_name(f"{path.name}{member}.safetensors")
        if file.is_file():
            load_weights(head, file)
        else:
            heard = hearings[:n_unvaried] if member < config.unvaried else hearings
            _train(head, heard, rows, replace(config, seed=config.seed + member), scale, writer, file.stem)
            artifacts.write_tensors(file, head.state_dict())
        members.append(head)
    return HeadEnsemble(members)


def _train(
    head: ScoreHead, hearings: Sequence[HeardRecordings], rows: Sequence[int], config: SpeechTrainConfig, scale: Scale,
    writer: RunWriter, name: str,
) -> None:  # fmt: skip
    """Leaves the running mean of the weights in `head`."""
    torch.manual_seed(config.seed)
    draw = np.random.default_rng(config.seed)
    optimiser = torch.optim.AdamW(head.parameters(), lr=1.0, weight_decay=config.weight_decay, betas=(0.9, 0.98))
    average, recent = copied(head), RecentScores()
    usable = np.array([row for row in rows if all(hearing.fits[row] for hearing in hearings)])
    total = config.epochs * math.ceil(len(usable) / config.head_batch)
    step = 0
    for epoch in range(config.epochs):
        losses: list[float] = []
        for chosen in _batches(usable, hearings[0], config.head_batch, draw):
            writer.check_stop()
            optimiser.param_groups[0]["lr"] = config.head_rate * schedule(step / total, config)
            copies = draw.integers(0, len(hearings), len(chosen))
            phones = batch_heard([(hearings[copy], row) for copy, row in zip(copies, chosen, strict=True)])
            utterances = [hearings[0].utterances[row] for row in chosen]
            parts = score_losses(head(phones), utterances, scale, config, recent)
            loss = sum(parts.values(), torch.zeros(()))
            if not bool(torch.isfinite(loss)):
                raise TrainingError(N_("The loss became NaN at step {step}. Lower the learning rate."), step=step)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(head.parameters(), CLIP_NORM)
            optimiser.step()
            follow(average, head, config.averaging, step)
            losses.append(float(loss.detach()))
            step += 1
        loss_mean = float(np.mean(losses))
        writer.update(
            message=Message("{head}: {epoch}", head=name, epoch=epoch_of(epoch + 1, config.epochs, loss_mean))
        )
        writer.log_metrics(event="step", step=step, loss=loss_mean)
    head.load_state_dict(average)


def _batches(
    rows: NDArray[np.int64], hearing: HeardRecordings, size: int, draw: np.random.Generator
) -> Iterator[list[int]]:
    """Shuffled, with recordings of like length together."""
    order = draw.permutation(rows)
    batches: list[list[int]] = []
    for first in range(0, len(order), SORTED_BATCHES * size):
        alike = sorted(order[first : first + SORTED_BATCHES * size].tolist(), key=hearing.n_phones)
        batches += [alike[i : i + size] for i in range(0, len(alike), size)]
    yield from (batches[int(number)] for number in draw.permutation(len(batches)))


def _answers(head: HeadEnsemble, hearing: HeardRecordings, rows: Sequence[int], scale: Scale) -> list[Answer]:
    head.eval()
    answers: list[Answer] = []
    with torch.inference_mode():
        for first in range(0, len(rows), VALIDATION_BATCH):
            chosen = rows[first : first + VALIDATION_BATCH]
            scores = head(batch_heard([(hearing, row) for row in chosen]))
            answers += [
                answer_of(hearing.utterances[row], hearing.free(row), scores, place, scale)
                for place, row in enumerate(chosen)
            ]
    return answers
