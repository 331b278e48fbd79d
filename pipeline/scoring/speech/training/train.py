"""Fine-tune an encoder on what the experts heard, and train the score head along with it.

One fold of the training speakers is never trained on: the epoch that is kept is the one that scores those speakers
best, and the thresholds are chosen on them. The reported part of a corpus is never opened here.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline import artifacts
from pipeline.corpus.splits import speaker_folds
from pipeline.errors import TrainingError, said_by
from pipeline.i18n import N_
from pipeline.jobs.checkpoints import (
    Checkpoint,
    copied,
    fitting,
    follow,
    load_checkpoint,
    moments_of,
    restore_moments,
    save_checkpoint,
    threads_of_run,
    unusable,
)
from pipeline.jobs.device_queue import fitting_precision
from pipeline.runs import RunWriter
from pipeline.runs.messages import epoch_of
from pipeline.scoring.speech.training.augment import augmenter, read_noise, read_rooms
from pipeline.scoring.speech.training.batches import Batch, SpeechModel, evidence_of, groups_of, listen, prepare, score
from pipeline.scoring.speech.training.config import SpeechTrainConfig
from pipeline.scoring.speech.training.data import Utterance
from pipeline.scoring.speech.training.losses import RecentScores, Scale, scale_of, score_losses
from pipeline.scoring.speech.training.start import start_from
from pipeline.scoring.speech.training.validate import answers_of, figures, selection_value

CHECKPOINT = "last.safetensors"
PARTS = ("now", "mean", "moment")
BEST = "best.safetensors"
FINAL = "final.safetensors"  # of heads that learned from the held-out speakers too
BEST_RECORD = "best.json"
SCALE = "scale.json"
CLIP_NORM = 1.0
# The heads of every run start from the same weights, so that runs whose `seed` (order, variation, drawn experts,
# dropout) differs end near enough to each other for their weights to be averaged (Wortsman et al. 2022).
START_SEED = 0


@dataclass(frozen=True)
class Progress:
    """Where a run stands, for going on after an interruption."""

    epoch: int
    step: int
    best_epoch: int
    best_value: float


def split_speakers(
    utterances: Sequence[Utterance], config: SpeechTrainConfig
) -> tuple[list[Utterance], list[Utterance]]:
    """To train on, and the held-out fold; neither holds those that are left out. Raises CorpusError for fewer speakers
    than folds."""
    # The same folds whatever the training seed, so that runs of several seeds can be compared and combined.
    folds = speaker_folds([u.speaker for u in utterances], config.folds, seed=0)
    of_fold = list(zip(utterances, folds.tolist(), strict=True))
    unused = {config.fold, *config.leave_out}
    return [u for u, fold in of_fold if fold not in unused], [u for u, fold in of_fold if fold == config.fold]


def run_training(
    utterances: Sequence[Utterance], config: SpeechTrainConfig, encoder_folder: str, device: str, writer: RunWriter,
    start: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Train in the run directory of `writer`, going on from its last checkpoint where it has one, else from the
    listener of the model in `start` where that is given. The best epoch's weights land in
    `checkpoints/best.safetensors`; returns the figures on the held-out speakers."""
    torch.manual_seed(START_SEED)
    config = replace(config, precision=fitting_precision(config.precision, device))
    train, held = split_speakers(utterances, config)
    model = SpeechModel(config, encoder_folder)
    if start is not None:
        start_from(model.listener, start)
    return train_model(model.to(device), train, held, config, device, writer)


def train_model(
    model: SpeechModel,
    train: Sequence[Utterance],
    held: Sequence[Utterance],
    config: SpeechTrainConfig,
    device: str,
    writer: RunWriter,
) -> dict[str, Any]:
    """Train what of `model` requires gradients; as `run_training`."""
    trainer = _Trainer(model, train, config, scale_of(train), device, writer)
    with threads_of_run(writer):
        trainer.resume()
        for epoch in range(trainer.progress.epoch, config.epochs):
            losses = trainer.epoch(epoch)
            found = trainer.validate(held)
            trainer.finish_epoch(epoch, losses, found)
    best = _best_record(trainer.checkpoints / BEST_RECORD)
    report = {**best, "n_held_out": len(held), "n_speakers_held_out": len({u.speaker for u in held})}
    artifacts.write_json(writer.run.path / "report.json", report)
    return report


def _best_record(path: Path) -> dict[str, Any]:
    """Raises TrainingError where it is missing or damaged."""
    try:
        record: dict[str, Any] = artifacts.read_json(path)
        return {**record, "held_out": dict(record["held_out"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise unusable(
            N_("{path}, what the best epoch measured, cannot be read ({reason}). {advice}"), path, reason=said_by(error)
        ) from error


def read_scale(path: Path) -> dict[str, list[float]]:
    """`mean` and `spread` of the sentence scores that were trained on. Raises TrainingError where it cannot be read."""
    try:
        raw = artifacts.read_json(path)
        return {name: [float(value) for value in raw[name]] for name in ("mean", "spread")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise unusable(
            N_("{path}, the scale of the scores, cannot be read ({reason}). {advice}"), path, reason=said_by(error)
        ) from error


class _Trainer:
    def __init__(
        self,
        model: SpeechModel,
        train: Sequence[Utterance],
        config: SpeechTrainConfig,
        scale: Scale,
        device: str,
        writer: RunWriter,
    ) -> None:
        self.model, self.utterances, self.config, self.scale, self.device, self.writer = (
            model, train, config, scale, device, writer,
        )  # fmt: skip
        self.checkpoints = writer.run.path / "checkpoints"
        self.progress = Progress(0, 0, -1, -math.inf)
        self.noise, self.rooms = read_noise(config.noise), read_rooms(config.room_responses)
        self.recent = RecentScores()
        encoder = [p for p in model.listener.encoder.parameters() if p.requires_grad]
        known = {id(p) for p in encoder}
        rest = [p for p in model.parameters() if p.requires_grad and id(p) not in known]
        self.listener_is_frozen = not any(p.requires_grad for p in model.listener.parameters())
        self.rates = (config.encoder_rate, config.head_rate)
        self.optimiser = torch.optim.AdamW(
            [{"params": encoder}, {"params": rest}],
            lr=1.0,
            weight_decay=config.weight_decay,
            betas=(0.9, 0.98),
            fused=True,
        )
        self.average = copied(model)
        self.steps_an_epoch = len(groups_of(train, config.batch_s))

    def epoch(self, epoch: int) -> dict[str, float]:
        """One pass over the training speakers; returns mean losses by name."""
        config, total = self.config, self.steps_an_epoch * self.config.epochs
        order = np.random.default_rng([config.seed, epoch])
        varied = augmenter(config, epoch, self.noise, self.rooms)
        torch.manual_seed(config.seed * 1000 + epoch)
        sums: dict[str, list[float]] = {}
        self.model.train()  # pretrained encoders come in evaluation mode
        if self.listener_is_frozen:
            self.model.listener.eval()
        for number, group in enumerate(groups_of(self.utterances, config.batch_s, order)):
            self.writer.check_stop()
            step = epoch * self.steps_an_epoch + number
            for parameters, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
                parameters["lr"] = rate * schedule(step / total, config)
            batch = prepare(group, self.model.listener.encoder.front_end, varied)
            losses = self._losses(batch, order, epoch >= config.score_after_epochs)
            loss = sum(losses.values(), torch.zeros((), device=self.device))
            if not bool(torch.isfinite(loss)):
                raise TrainingError(N_("The loss became NaN at step {step}. Lower the learning rates."), step=step)
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
            self.optimiser.step()
            follow(self.average, self.model, config.averaging, step)
            for name, value in losses.items():
                sums.setdefault(name, []).append(float(value.detach()))
            if number % 10 == 0:
                share = (step + 1) / total
                message = epoch_of(epoch + 1, config.epochs, float(loss.detach()))
                self.writer.update(progress=share, message=message)
                self.writer.log_metrics(event="step", step=step, loss=float(loss.detach()))
        return {name: float(np.mean(values)) for name, values in sums.items()}

    def validate(self, held: Sequence[Utterance]) -> dict[str, float]:
        """The figures of the averaged weights on speakers that are not trained on."""
        current = copied(self.model)
        self.model.load_state_dict(self.average)
        found = figures(answers_of(self.model, held, self.config, self.scale, self.device))
        self.model.load_state_dict(current)
        return found

    def finish_epoch(self, epoch: int, losses: dict[str, float], found: dict[str, float]) -> None:
        """Log, keep the best so far, save to go on from."""
        value = selection_value(found)
        record = {"event": "epoch", "epoch": epoch + 1, "losses": losses, "held_out": found, "selection": value}
        self.writer.log_metrics(**record)
        self.writer.log(f"epoch {epoch + 1}: " + ", ".join(f"{k} {v:.3f}" for k, v in {**losses, **found}.items()))
        better = epoch >= self.config.score_after_epochs and value > self.progress.best_value
        if better:
            artifacts.write_tensors(self.checkpoints / BEST, self.average)
            artifacts.write_json(self.checkpoints / BEST_RECORD, record)
        self.progress = Progress(
            epoch + 1, (epoch + 1) * self.steps_an_epoch,
            epoch + 1 if better else self.progress.best_epoch, value if better else self.progress.best_value,
        )  # fmt: skip
        artifacts.write_json(self.checkpoints / SCALE, self.scale)
        parts = {"now": self.model.state_dict(), "mean": self.average, "moment": moments_of(self.optimiser)}
        save_checkpoint(self.checkpoints / CHECKPOINT, Checkpoint(parts, asdict(self.progress)))

    def resume(self) -> None:
        """Go on after the last whole epoch, where the run directory has one. Raises TrainingError for a checkpoint that
        is damaged or another run's."""
        path = self.checkpoints / CHECKPOINT
        if not path.is_file():
            return
        found = load_checkpoint(path, PARTS)
        with fitting(path):
            self.model.load_state_dict(found.parts["now"])
            self.average = {name: value.to(self.device) for name, value in found.parts["mean"].items()}
            restore_moments(self.optimiser, found.parts["moment"])
            self.progress = Progress(**found.state)
        self.writer.log(f"going on after epoch {self.progress.epoch}")

    def _losses(self, batch: Batch, draw: np.random.Generator, with_scores: bool) -> dict[str, Tensor]:
        config = self.config
        heard = listen(self.model, batch, config, self.device)
        # One expert is drawn for each utterance: over the epochs the posteriors learn how many of them disagree.
        targets = [u.heard[draw.integers(len(u.heard))] for u in batch.utterances]
        losses = {
            "ctc": nn.functional.ctc_loss(
                heard.log_probs.transpose(0, 1),
                torch.tensor([label for target in targets for label in target], device=self.device),
                heard.n_frames,
                torch.tensor([len(target) for target in targets], device=self.device),
                zero_infinity=True,
            )
        }
        if not with_scores:
            return losses
        evidence = evidence_of(heard, batch)
        if all(found is None for found in evidence):
            return losses
        scores, rows = score(self.model, heard, batch, evidence)
        scored = [batch.utterances[row] for row in rows]
        return losses | score_losses(scores, scored, self.scale, config, self.recent)


def schedule(share: float, config: SpeechTrainConfig) -> float:
    """Learning rate as a share of its peak: a warm-up, a plateau, then linear to 2 %."""
    if share < config.warmup_share:
        return max(share / config.warmup_share, 1e-3)
    fall = max(0.0, share - config.constant_share) / (1.0 - config.constant_share)
    return max(0.02, 1.0 - fall)
