"""Fine-tune the speech language model, measure it after every epoch, and leave Table 3.

transformers' Trainer does the steps (and so torchrun and accelerate spread them over devices); this module feeds it,
keeps the run directory, and answers the requests to stop. The last epoch's adapter is the result: the part that is
measured on is never used to choose one.
"""

import math
import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from pipeline import artifacts
from pipeline.errors import TrainingError
from pipeline.jobs.checkpoints import threads_of_run
from pipeline.jobs.device_queue import device_turn
from pipeline.parallel import Progress
from pipeline.people.names import name_key
from pipeline.runs import RunDirectory, RunWriter, StopRequested
from pipeline.settings import Settings
from pipeline.speechllm.collator import Collator
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.speechllm.distributed import Group
from pipeline.speechllm.evaluate import Answered, SpeechLlmFigures, answer_all, figures, write_answers
from pipeline.speechllm.loading import load_phi4
from pipeline.speechllm.packages import require_packages
from pipeline.speechllm.phi4 import attach_adapter
from pipeline.speechllm.plan import make_plan, refuse_impossible
from pipeline.speechllm.prompts import load_prompts
from pipeline.speechllm.samples import Sample, for_lengths, hold_out, load_corpus, on_parts, parts_in_words, samples_of
from pipeline.speechllm.table3 import table3, write_table3

ADAPTER_FOLDER = "model"
ANSWERS_FILE = "answers.jsonl"
CLIP_NORM = 1.0


def train_speechllm(
    settings: Settings, config: SpeechLlmConfig, directory: RunDirectory, show: Progress | None = None
) -> dict[str, Any]:
    """Train in the run directory, going on from its last checkpoint where it has one; returns the plan, Table 3 of the
    last epoch, and the figures behind it. Raises CorpusError, ModelError or TrainingError in words."""
    report: dict[str, Any] | None = None
    with directory.start() as writer, device_turn(settings, writer):
        require_packages(config)
        report = _train(settings, config, writer, show)
    if report is None:
        raise TrainingError(
            f"The run {directory.id} was stopped. `pronlab train speechllm --resume {directory.id}` resumes it."
        )
    return report


def _train(
    settings: Settings, config: SpeechLlmConfig, writer: RunWriter, show: Progress | None
) -> dict[str, Any] | None:
    from transformers import PrinterCallback, Trainer, set_seed

    run = writer.run
    group = Group.join(settings.device)
    share = config.on_each_of(group.size)
    set_seed(config.seed)
    prompts = load_prompts(config.rubric_file)
    writer.update(message="reading recordings")
    source, config = on_parts(settings, config)
    writer.log(parts_in_words(config))
    with group.leader_first():  # the others find the cache made
        # Without a part of its own, what is measured on is taken from all speakers first.
        limit = config.limit if config.evaluation_part else 0
        corpus = load_corpus(settings, source, config.part, show, limit=limit)
        held = (
            load_corpus(settings, source, config.evaluation_part, show, limit=config.evaluation_limit)
            if config.evaluation_part
            else None
        )
    if held is None:
        corpus, held = hold_out(corpus)
    heard = set(map(name_key, held.rows["speaker"]))
    overlap = {name for name in corpus.rows["speaker"] if name_key(name) in heard}
    if overlap:
        raise TrainingError(
            f"{len(overlap)} speakers are in part {config.part!r} and in {config.evaluation_part!r}, first "
            f"{min(overlap)}: figures on voices that were trained on mean nothing. Choose parts that share none."
        )
    writer.update(message="loading the model")
    phi4 = attach_adapter(load_phi4(config, group.device), config)
    samples, held_samples = samples_of(corpus, config.limit), samples_of(held, config.evaluation_limit)
    collator = Collator(corpus, prompts, phi4, config.max_length)
    judge = Judge(Collator(held, prompts, phi4, config.max_length), held_samples, config, writer, group)
    plan = make_plan(phi4, config, samples, _lengths(collator, samples), group.size)
    writer.log(plan.text())
    if writer.leads:
        artifacts.write_json(run.path / "plan.json", {**vars(plan), "text": plan.text()})
    refuse_impossible(plan, config)
    reporter = _callback(writer, judge, group)
    trainer = Trainer(
        model=phi4.model,
        args=_arguments(run, share, settings.device),
        train_dataset=_Samples(samples),
        data_collator=collator,
        callbacks=[reporter],
    )
    trainer.remove_callback(PrinterCallback)  # standard output is for the answer
    with threads_of_run(writer):
        trainer.train(resume_from_checkpoint=_last_checkpoint(run))
    if reporter.stopping:
        raise StopRequested
    measured = judge.figures or judge.measure(config.epochs)
    table = table3(measured, _row(config), config.epochs)
    report = {
        "parts": {"train": config.part, "evaluation": config.evaluation_part},
        "plan": plan,
        "table3": table,
        "figures": measured,
        "unreadable": corpus.unreadable + held.unreadable,
    }
    if not writer.leads:
        return report
    phi4.model.save_pretrained(run.path / ADAPTER_FOLDER)
    trainer.save_state()
    shutil.copyfile(run.path / "checkpoints" / "trainer_state.json", run.path / "trainer_state.json")
    write_table3(run.path, table, measured)
    artifacts.write_json(run.path / "report.json", report)
    writer.update(progress=1.0, message="done", result={"table3": table, "n": measured.n, "unread": measured.unread})
    return report


class Judge:
    """Measures the model on the evaluation part, on all devices together; keeps every answer."""

    def __init__(
        self,
        collator: Collator,
        samples: Sequence[Sample],
        config: SpeechLlmConfig,
        writer: RunWriter,
        group: Group,
    ) -> None:
        self.collator, self.samples, self.config, self.writer = collator, list(samples), config, writer
        self.group = group
        self.figures: SpeechLlmFigures | None = None

    def measure(self, epoch: int) -> SpeechLlmFigures:
        def progress(done: int, total: int, _: str) -> None:
            self.writer.update(message=f"measuring after epoch {epoch}: answer {done} of {total}")

        rank, size = self.group.rank, self.group.size
        answers = answer_all(
            self.collator, self.samples[rank::size], batch=self.config.evaluation_batch, progress=progress
        )
        merged: list[Answered | None] = [None] * len(self.samples)
        for number, part in enumerate(self.group.gather(answers)):
            merged[number::size] = part
        whole = [answer for answer in merged if answer is not None]
        self.figures = figures(self.collator, self.samples, whole)
        if self.writer.leads:
            table = table3(self.figures, _row(self.config), epoch)
            write_answers(self.writer.run.path / f"epoch-{epoch}" / ANSWERS_FILE, whole)
            write_table3(self.writer.run.path / f"epoch-{epoch}", table, self.figures)
            self.writer.log_metrics(
                event="epoch", epoch=epoch, table3={name: row.ours for name, row in table.items()},
                unread=self.figures.unread, mdd_f1=self.figures.mdd["f1"],
            )  # fmt: skip
        return self.figures


class _Samples(Dataset[Sample]):
    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, number: int) -> Sample:
        return self._samples[number]


def _callback(writer: RunWriter, judge: Judge, group: Group) -> Any:
    """Steps and epochs to the run directory, and stops where a person asked for it."""
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):  # type: ignore[misc]
        stopping = False

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
            if not state.is_world_process_zero or not logs or "loss" not in logs:
                return
            norm = float(logs.get("grad_norm", 0.0))
            if not math.isfinite(float(logs["loss"])) or not math.isfinite(norm):
                raise TrainingError(
                    f"The loss is {logs['loss']} and its gradient's norm {norm} at step {state.global_step}: training "
                    "has broken down. A lower --rate, or --warmup-share .03, may hold it; the last checkpoint is kept."
                )
            if state.global_step == 1 and not norm > 0.0:
                raise TrainingError("No gradient reaches the adapter: it is not attached to what is computed.")
            writer.log_metrics(
                event="step", step=state.global_step, epoch=logs.get("epoch"), loss=logs["loss"],
                rate=logs.get("learning_rate"), grad_norm=norm,
            )  # fmt: skip
            writer.update(
                progress=0.98 * state.global_step / max(1, state.max_steps),
                message=f"step {state.global_step} of {state.max_steps}, loss {float(logs['loss']):.3f}",
            )

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if group.any(writer.stop_requested):
                self.stopping = control.should_save = control.should_training_stop = True

        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if not self.stopping:
                judge.measure(round(state.epoch))

    return Reporter()


def _arguments(run: RunDirectory, config: SpeechLlmConfig, device: str) -> Any:
    from transformers import TrainingArguments

    os.environ["TENSORBOARD_LOGGING_DIR"] = str(run.path / "tensorboard")
    on_cuda = torch.device(device).type == "cuda"
    return TrainingArguments(
        output_dir=str(run.path / "checkpoints"),
        per_device_train_batch_size=config.batch,
        gradient_accumulation_steps=config.accumulation,
        learning_rate=config.rate,
        weight_decay=config.weight_decay,
        num_train_epochs=config.epochs,
        lr_scheduler_type=config.schedule if config.warmup_share == 0.0 or config.schedule != "constant"
        else "constant_with_warmup",
        warmup_steps=config.warmup_share,
        max_grad_norm=CLIP_NORM,
        logging_steps=1,
        save_strategy="epoch",
        save_total_limit=2,
        bf16=on_cuda,
        use_cpu=not on_cuda,
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_num_workers=2 if on_cuda else 0,
        report_to=["tensorboard", *config.tracked],
        logging_nan_inf_filter=False,
        # Parts of an unfrozen audio encoder are for other inputs, and get no gradient.
        ddp_find_unused_parameters=config.adapter == "unfreeze",
        seed=config.seed,
        disable_tqdm=True,
    )  # fmt: skip


def _lengths(collator: Collator, samples: Sequence[Sample]) -> list[int]:
    """Tokens of some samples, the longest recording's among them."""
    return [int(collator([sample])["input_ids"].shape[1]) for sample in for_lengths(collator.corpus, samples)]


def _last_checkpoint(run: RunDirectory) -> str | None:
    checkpoints = sorted(
        (path for path in (run.path / "checkpoints").glob("checkpoint-*") if (path / "trainer_state.json").is_file()),
        key=lambda path: int(path.name.rsplit("-", 1)[1]),
    )
    if not checkpoints:
        return None
    _check_checkpoint(checkpoints[-1])
    return str(checkpoints[-1])


def _check_checkpoint(folder: Path) -> None:
    """Raises TrainingError for files that were cut short or are something else, before anything is loaded."""
    from safetensors import SafetensorError, safe_open

    try:
        artifacts.read_json(folder / "trainer_state.json")
        for file in folder.glob("*.safetensors"):
            with safe_open(file, "pt") as tensors:
                tensors.keys()
        packed = [*folder.glob("*.pt"), *folder.glob("*.pth")]
        if wrong := [file.name for file in packed if not zipfile.is_zipfile(file)]:
            raise ValueError(f"{wrong[0]} was cut short")
    except (OSError, ValueError, SafetensorError) as error:
        raise TrainingError(
            f"The checkpoint {folder} is damaged ({error}). Delete this folder to go on from the one before it, or "
            "start the training anew."
        ) from error


def _row(config: SpeechLlmConfig) -> str:
    return "unfrozen" if config.adapter == "unfreeze" else "LoRA"
