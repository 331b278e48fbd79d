"""Train a detector: a first pass, hard-negative mining with short passes after it, and quantisation-aware steps.

Each stage ends with its averaged weights that rank the words of the validation clips highest above the negatives, and
the next one begins with them. What an earlier stage or the weights of a single step reached is not compared with them:
a few dozen words cannot tell such weights from lucky ones. With quantisation-aware steps the 8-bit model is validated,
which the threshold is of.
What is reported on is never opened here.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline import artifacts
from pipeline.errors import TrainingError, said_by
from pipeline.i18n import N_, Message
from pipeline.jobs.checkpoints import (
    Checkpoint,
    copied,
    fitting,
    follow,
    load_checkpoint,
    load_weights,
    moments_of,
    restore_moments,
    save_checkpoint,
    threads_of_run,
    unusable,
)
from pipeline.jobs.device_queue import fitting_precision
from pipeline.runs import RunWriter
from pipeline.wakeword.config import TrainConfig, WakewordConfig
from pipeline.wakeword.data.batches import Batch, BatchMaker, Sources
from pipeline.wakeword.data.clips import Label
from pipeline.wakeword.data.feature_cache import Pool, Pools
from pipeline.wakeword.features import Cmvn
from pipeline.wakeword.models import WakewordModel, make_model
from pipeline.wakeword.models.quantisation_aware import quantised
from pipeline.wakeword.planned_steps import MINING, QUANTISATION, Stage, stages_of, steps_of
from pipeline.wakeword.runtime.inference import classifier_of
from pipeline.wakeword.training.distillation import SoftTargets
from pipeline.wakeword.training.losses import WakewordLoss
from pipeline.wakeword.training.validate import Validation, mean_of, mine, validate_words

CHECKPOINT, BEST, MINED = "last.safetensors", "best.safetensors", "mined.npy"
PARTS = ("now", "mean", "loss", "moment")
LOG_EVERY = 10
SOFT_TARGET_SHARE = 4  # one window with a soft target for so many of a batch
Teacher = Callable[[Tensor], Tensor]
"""Windows as they are in the pools to logits."""


@dataclass(frozen=True)
class TrainingState:
    """Where a run stands, for going on after an interruption. `best_value` and `best_step` are of this stage, `waited`
    counts its validations without a better one. `seconds` is how long all steps took, those before an interruption
    too."""

    stage: int = 0
    step: int = 0
    total: int = 0
    waited: int = 0
    best_value: float = math.inf
    best_step: int = -1
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class TrainingResult:
    """`validations` are of each word, of which there is mostly one."""

    model: WakewordModel
    validations: tuple[Validation, ...]
    progress: TrainingState

    @property
    def validation(self) -> Validation:
        """Of all words together."""
        return mean_of(self.validations)


class Trainer:
    """`sources` are what batches are drawn from, `held` the pools of the validation clips; `negatives` is the pool that
    is mined, None where there is nothing to mine from."""

    def __init__(
        self,
        config: WakewordConfig,
        sources: Sources,
        held: Pools,
        cmvn: Cmvn,
        device: str,
        writer: RunWriter,
        teacher: Teacher | None = None,
        soft_targets: SoftTargets | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.soft_targets = soft_targets
        self.config, self.held, self.device, self.writer, self.teacher = config, held, device, writer, teacher
        self.precision = fitting_precision(config.train.precision, device)
        n_words = max(1, len(config.data.names))
        self.model = make_model(config.model, config.features, cmvn, n_words).to(device)
        self.loss = WakewordLoss(config.loss, self.model.networks[0].head.in_features).to(device)
        self.optimiser = torch.optim.AdamW(
            [*self.model.parameters(), *self.loss.parameters()], lr=1.0, weight_decay=config.train.weight_decay
        )
        self.batches = BatchMaker(sources, config.train, config.augment, cmvn)
        negatives = sources.get(Label.NEGATIVE)
        self.negatives = negatives if isinstance(negatives, Pool) else None
        self.average = copied(self.model)
        self.stages = stages_of(config)
        self.progress = TrainingState()
        self.checkpoints = writer.run.path / "checkpoints"
        self.told_at = time.monotonic()  # up to which `progress.seconds` counts
        self.watch: Callable[[int, float], None] = lambda step, value: None  # told of each validation

    def run(self) -> TrainingResult:
        """Raises TrainingError for a loss that is no number, StopRequested where a person asked for the end."""
        with threads_of_run(self.writer):
            self.resume()
            self.told_at = time.monotonic()
            while self.progress.stage < len(self.stages):
                stage = self.stages[self.progress.stage]
                if self.progress.stage and self.progress.step == 0:
                    self._begin(stage)
                self._train_stage(stage)
                self.progress = replace(self.progress, stage=self.progress.stage + 1, step=0, waited=0)
                self._save()
            load_weights(self.model, self.checkpoints / BEST)
            validations = self._validate(self.stages[-1])
        return TrainingResult(self.model, validations, self.progress)

    def _train_stage(self, stage: Stage) -> None:
        config = self.config.train
        self._show(stage)
        while self.progress.step < stage.steps:
            self.writer.check_stop()
            step = self.progress.step
            loss, norm, rate = self.step(stage, step)
            total = self.progress.total + 1
            self.progress = replace(self.progress, step=step + 1, total=total)
            if total % LOG_EVERY == 0:
                self.writer.log_metrics(event="step", step=total, loss=loss, gradient_norm=norm, rate=rate)
                self._show(stage, loss)
            if (step + 1) % config.validate_every == 0 or step + 1 == stage.steps:
                self._compare()
                self._save()
                if self.progress.waited >= config.patience:
                    self.writer.log(
                        f"no better weights for {self.progress.waited} validations: {stage.name} ends early"
                    )
                    return

    def _show(self, stage: Stage, loss: float | None = None) -> None:
        """How far the steps of all stages have come; `loss` is the last step's, None before the first of a stage."""
        in_all = steps_of(self.stages)
        before = steps_of(self.stages[: self.progress.stage])
        counts = {
            "stage": Message(stage.name), "step": self.progress.step, "steps": stage.steps, "in_all": in_all,
        }  # fmt: skip
        message = (
            Message(N_("{stage}: step {step} of {steps} (of {in_all} in all)"), **counts)
            if loss is None
            else Message(
                N_("{stage}: step {step} of {steps} (of {in_all} in all), loss {loss:.3f}"), **counts, loss=loss
            )
        )
        self.writer.update(progress=(before + self.progress.step) / in_all, message=message)

    def step(self, stage: Stage, step: int) -> tuple[float, float, float]:
        """One step; its loss, the norm of the gradient before clipping, and the learning rate."""
        config = self.config.train
        rate = stage.rate * schedule(step / stage.steps, config)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        draw = np.random.default_rng([self.config.seed, self.progress.stage, step])
        torch.manual_seed(self.config.seed * 1_000_003 + self.progress.total)
        batch = self.batches.make(draw)
        self.model.train()
        with quantised(self.model) if stage.name == QUANTISATION else nullcontext():
            loss = self._loss(batch, draw)
            if not bool(torch.isfinite(loss)):
                raise TrainingError(
                    N_("The loss is no number at step {step} ({stage}). Lower the learning rate."),
                    step=step,
                    stage=stage.name,
                )
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        self.optimiser.step()
        if config.ema:
            self._follow()
        return float(loss.detach()), float(norm), rate

    def _loss(self, batch: Batch, draw: np.random.Generator) -> Tensor:
        windows = batch.windows.to(self.device)
        is_word, is_hard = batch.is_word.to(self.device), batch.is_hard.to(self.device)
        kind = torch.device(self.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=self.precision == "bfloat16"):
            answers = self.model.answers(windows)
        word = batch.word.to(self.device)
        losses = [self.loss(logits.float(), embeddings, is_word, is_hard, word) for logits, embeddings in answers]
        loss = torch.stack(losses).mean()
        if self.teacher is not None:
            with torch.no_grad():
                wanted = self.teacher(windows * self.model.std + self.model.mean)
            return self._taught(loss, answers, wanted)
        if self.soft_targets is not None:
            chosen = draw.integers(0, len(self.soft_targets.logits), max(1, len(windows) // SOFT_TARGET_SHARE))
            asked = self.model.normalised(torch.from_numpy(self.soft_targets.windows[chosen]).to(self.device))
            with torch.autocast(kind, torch.bfloat16, enabled=self.precision == "bfloat16"):
                answers = self.model.answers(asked)
            return self._taught(loss, answers, torch.from_numpy(self.soft_targets.logits[chosen]).to(self.device))
        return loss

    def _taught(self, loss: Tensor, answers: Sequence[tuple[Tensor, Tensor]], wanted: Tensor) -> Tensor:
        """With the teacher's softened answers (Hinton et al. 2015)."""
        distil = self.config.distil
        truth = torch.sigmoid(wanted.float() / distil.temperature)
        soft = [
            nn.functional.binary_cross_entropy_with_logits(logits.float() / distil.temperature, truth)
            for logits, _embeddings in answers
        ]
        return (1.0 - distil.weight) * loss + distil.weight * distil.temperature**2 * torch.stack(soft).mean()

    def _follow(self) -> None:
        """The decay rises from `ema_start` to `ema_end` over the run."""
        config = self.config.train
        share = self.progress.total / steps_of(self.stages)
        keep = config.ema_start + (config.ema_end - config.ema_start) * min(1.0, share)
        follow(self.average, self.model, keep, self.progress.total)

    def _begin(self, stage: Stage) -> None:
        """From the best weights of the stage before, which are no candidates in this one, but as an 8-bit model."""
        load_weights(self.model, self.checkpoints / BEST)
        self.average = copied(self.model)
        self.progress = replace(self.progress, best_value=math.inf)
        if stage.name == MINING:
            self._mine()
        if stage.name == QUANTISATION:
            self._compare()

    def _compare(self) -> None:
        """Validate the present and the averaged weights; keep the averaged ones (without averages, the present) if they
        are the best of this stage."""
        present = copied(self.model)
        candidates = [("present", present)] + ([("averaged", self.average)] if self.config.train.ema else [])
        of_stage = candidates[-1][0]
        better = False
        figures: dict[str, float] = {}
        for name, weights in candidates:
            self.model.load_state_dict(weights)
            validation = mean_of(self._validate(self.stages[self.progress.stage]))
            figures |= {
                f"{name}_miss": validation.miss,
                f"{name}_ranking": validation.ranking,
                f"{name}_loss": validation.loss,
                f"{name}_f1": validation.counts.f1 or 0.0,
                f"{name}_fpr": validation.counts.fpr or 0.0,
                f"{name}_fnr": validation.counts.fnr or 0.0,
            }
            if name == of_stage and validation.ranking < self.progress.best_value:
                better = True
                artifacts.write_tensors(self.checkpoints / BEST, weights)
                self.progress = replace(self.progress, best_value=validation.ranking, best_step=self.progress.total)
        self.model.load_state_dict(present)
        self.progress = replace(self.progress, waited=0 if better else self.progress.waited + 1)
        stage = self.stages[self.progress.stage].name
        self.watch(self.progress.total, self.progress.best_value)
        self.writer.log_metrics(event="validation", at_step=self.progress.total, stage=stage, **figures)
        self.writer.log(
            f"{stage}, step {self.progress.total}: " + ", ".join(f"{k} {v:.4f}" for k, v in figures.items())
        )

    def _validate(self, stage: Stage) -> tuple[Validation, ...]:
        """On the 8-bit grid from the stage of quantisation on, as the detector will be."""
        classifier = classifier_of(self.model, self.device, on_grid=stage.name == QUANTISATION)
        return validate_words(self.held, classifier, self.config.features, self.config.detector)

    def _mine(self) -> None:
        """What of the training negatives the present weights take for the word."""
        if self.negatives is None:
            raise TrainingError(
                N_("Mining needs features that are kept: set data.precompute to true, or mining.rounds to 0.")
            )
        self.writer.update(message=Message(N_("mining: listening through the training negatives")))
        config = self.config
        windows = mine(
            self.negatives,
            classifier_of(self.model, self.device),
            config.features,
            config.detector.hop_s,
            config.mining.keep,
        )
        with artifacts.replacing(self.checkpoints / MINED) as temporary, temporary.open("wb") as file:
            np.save(file, windows, allow_pickle=False)
        self.batches.mined = self.negatives.narrowed(windows)
        self.writer.log(f"mined {len(windows)} windows")

    def _save(self) -> None:
        now = time.monotonic()
        self.progress = replace(self.progress, seconds=self.progress.seconds + now - self.told_at)
        self.told_at = now
        parts = {
            "now": self.model.state_dict(), "mean": self.average, "loss": self.loss.state_dict(),
            "moment": moments_of(self.optimiser),
        }  # fmt: skip
        save_checkpoint(self.checkpoints / CHECKPOINT, Checkpoint(parts, asdict(self.progress)))

    def resume(self) -> None:
        """Go on from the last checkpoint, where the run directory has one. Raises TrainingError for one that is damaged
        or another run's."""
        path = self.checkpoints / CHECKPOINT
        if not path.is_file():
            return
        checkpoint = load_checkpoint(path, PARTS)
        with fitting(path):
            self.progress = TrainingState(**checkpoint.state)
            self.model.load_state_dict(checkpoint.parts["now"])
            self.loss.load_state_dict(checkpoint.parts["loss"])
            self.average = {name: value.to(self.device) for name, value in checkpoint.parts["mean"].items()}
            restore_moments(self.optimiser, checkpoint.parts["moment"])
        if (self.checkpoints / MINED).is_file() and self.negatives is not None:
            self.batches.mined = self.negatives.narrowed(_mined(self.checkpoints / MINED))
        self.writer.log(f"going on after step {self.progress.total}")


def _mined(path: Path) -> NDArray[np.intp]:
    try:
        return np.asarray(np.load(path, allow_pickle=False), dtype=np.intp)
    except (OSError, ValueError, EOFError) as error:
        raise unusable(
            N_("{path}, what was mined, cannot be read ({reason}). {advice}"), path, reason=said_by(error)
        ) from error


def schedule(share: float, config: TrainConfig) -> float:
    """Learning rate as a share of its peak: a warm-up, then constant or half a cosine down to 1 %."""
    if share < config.warmup_share:
        return max(share / config.warmup_share, 1e-3)
    if config.schedule == "constant":
        return 1.0
    fall = (share - config.warmup_share) / (1.0 - config.warmup_share)
    return 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, fall)))


def figures_of(validation: Validation) -> dict[str, Any]:
    return {
        "miss_at_few_alarms": validation.miss, "ranking": validation.ranking, "loss": validation.loss,
        "n_words": len(validation.words), "n_rest": len(validation.rest),
    }  # fmt: skip


def report_of(trained: TrainingResult) -> dict[str, Any]:
    return {
        "validation": figures_of(trained.validation),
        "best_step": trained.progress.best_step,
        "steps": trained.progress.total, "training_s": trained.progress.seconds,
    }  # fmt: skip
