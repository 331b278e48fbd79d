"""Fine-tune the speech language model, measure it after every epoch, and leave Table 3.

transformers' Trainer does the steps (and so torchrun and accelerate spread them over devices); this module feeds it,
keeps the run directory, and answers the requests to stop. The last epoch's adapter is the result, or the one that suits
training speakers best who are left out for it: the part that is measured on never chooses one.
"""

import gc
import math
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from pipeline import artifacts
from pipeline.devices import find_device
from pipeline.errors import TrainingError, said_by
from pipeline.i18n import N_, NN_, Message
from pipeline.jobs.checkpoints import threads_of_run
from pipeline.jobs.device_queue import device_turn
from pipeline.jobs.requirements import require_packages
from pipeline.labels.corpus_source import CorpusSource
from pipeline.parallel import Progress
from pipeline.people.names import name_key
from pipeline.quiet import without_progress_bars
from pipeline.runs import RunDirectory, RunWriter, StopRequested
from pipeline.runs.messages import DONE
from pipeline.settings import Settings
from pipeline.speechllm import attention
from pipeline.speechllm.adapter_files import read_shape
from pipeline.speechllm.adapters import attach_adapter, trainable
from pipeline.speechllm.batching import Buckets
from pipeline.speechllm.card import write_card
from pipeline.speechllm.collator import Collator
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.speechllm.distributed import Group
from pipeline.speechllm.evaluate import SpeechLlmFigures
from pipeline.speechllm.judge import Judge, Validation, row_of
from pipeline.speechllm.loading import load_phi4
from pipeline.speechllm.model_files import ASKED, SpeechLlmInfo, is_stand_in, save_info
from pipeline.speechllm.notes import notes_on
from pipeline.speechllm.phi4 import Phi4
from pipeline.speechllm.plan import answered, make_plan, refuse_impossible, scoring_gb
from pipeline.speechllm.prompts import Prompts, load_prompts
from pipeline.speechllm.samples import (
    Corpus,
    Sample,
    for_lengths,
    hold_out,
    leave_out,
    load_corpus,
    on_parts,
    parts_in_words,
    samples_of,
)
from pipeline.speechllm.table3 import Beside, markdown, table3, write_table3

MODEL_FOLDER = "model"


def train_speechllm(
    settings: Settings, config: SpeechLlmConfig, directory: RunDirectory, show: Progress | None = None
) -> dict[str, Any]:
    """Train in the run directory, going on from its last checkpoint where it has one; returns the plan, Table 3 of the
    epoch that is kept, and the figures behind it. Raises CorpusError, JobError, ModelError or TrainingError."""
    report: dict[str, Any] | None = None
    with directory.start() as writer:
        require_packages("speechllm", config)
        device = find_device(config.device, settings.device)
        writer.log(device.text)
        settings = replace(settings, device=device.name)
        with device_turn(settings, writer):
            report = _train(settings, config, writer, show)
    if report is None:
        raise TrainingError(
            N_("The run {run} was stopped. `pronlab train speechllm --resume {run}` resumes it."), run=directory.id
        )
    return report


def _train(
    settings: Settings, config: SpeechLlmConfig, writer: RunWriter, show: Progress | None
) -> dict[str, Any] | None:
    from transformers import set_seed

    without_progress_bars()
    run = writer.run
    group = Group.join(settings.device)
    share = config.on_each_of(group.size)
    set_seed(config.seed)
    prompts = load_prompts(config.rubric_file, config.prompt_file)
    writer.update(message=Message(N_("reading recordings")))
    source, config = on_parts(settings, config)
    writer.log(parts_in_words(config))
    with group.leader_first():  # the others find the cache made
        corpus, held = _corpora(settings, source, config, show)
    corpus, validated = leave_out(corpus, config)
    writer.update(message=Message(N_("loading the model")))
    phi4 = attach_adapter(load_phi4(config, group.device), config)
    samples, held_samples = samples_of(corpus, config.limit), samples_of(held, config.evaluation_limit)
    collator = Collator(corpus, prompts, phi4, config.max_length)
    settled = attention.settle(phi4.model, config.attention, lambda: _on(phi4, collator(samples[:1])), writer.log)
    own = read_shape(config) if config.merge_speech or config.adapter == "pretrained" else None
    judge = Judge(Collator(held, prompts, phi4, config.max_length), held_samples, config, writer, group)
    validation = None
    if validated is not None:
        listening = Collator(validated, prompts, phi4, config.max_length)
        validation = Validation(listening, samples_of(validated), config, writer, group)
    n_trained, _ = trainable(phi4.model.parameters())
    per_epoch, at_end = answered(config, len(held_samples), 0 if validation is None else len(validation.samples))
    plan = make_plan(
        phi4, config, samples, _lengths(collator, samples), group.size, n_evaluated=per_epoch, n_at_end=at_end,
        notes=notes_on(config, own, n_trained),
    )  # fmt: skip
    writer.log(plan.text())
    if writer.leads:
        artifacts.write_json(run.path / "plan.json", {**vars(plan), "text": plan.text()})
    refuse_impossible(plan, config)
    epoch, state = 0, None
    if config.epochs:
        trainer, share = _fit(phi4, samples, collator, validation, share, settings.device, judge, writer, group)
        if trainer is None:
            raise StopRequested
        epoch, state = (_best_epoch(trainer) if config.best_epoch else config.epochs), trainer
    measured = judge.measured.get(epoch) or judge.measure(epoch)
    stand_in = is_stand_in(config.model)
    table = table3(measured, row_of(config), epoch, stand_in=stand_in)
    report = {
        "parts": {"train": config.part, "evaluation": config.evaluation_part},
        "plan": plan,
        "epoch": epoch,
        "batch": share.batch,
        "attention": settled,
        "table3": table,
        "figures": measured,
        "stand_in": stand_in,
        "unreadable": corpus.unreadable + held.unreadable,
    }
    if not writer.leads:
        return report
    if state is not None:
        state.save_state()
        shutil.copyfile(run.path / "checkpoints" / "trainer_state.json", run.path / "trainer_state.json")
    trained = corpus.rows.select(sorted({sample.row for sample in samples}) if config.epochs else [])
    chose = [] if validated is None else validated.rows["speaker"]
    _save_model(phi4, config, prompts, source.name, trained["speaker"], chose, table, measured, writer)
    write_table3(run.path, table, measured, stand_in=stand_in)
    artifacts.write_json(run.path / "report.json", report)
    result = {"table3": table, "epoch": epoch, "n": measured.n, "unparsed": measured.unparsed, "stand_in": stand_in}
    writer.update(progress=1.0, message=DONE, result=result)
    return report


def _corpora(
    settings: Settings, source: CorpusSource, config: SpeechLlmConfig, show: Progress | None
) -> tuple[Corpus, Corpus]:
    """What is trained and what is measured on. Raises TrainingError where they share speakers."""
    # Without a part of its own, what is measured on is taken from all speakers first.
    limit = config.limit if config.evaluation_part else 0
    corpus = load_corpus(settings, source, config.part, show, limit=limit)
    if not config.evaluation_part:
        return hold_out(corpus)
    held = load_corpus(settings, source, config.evaluation_part, show, limit=config.evaluation_limit)
    heard = set(map(name_key, held.rows["speaker"]))
    overlap = {name for name in corpus.rows["speaker"] if name_key(name) in heard}
    if overlap and config.epochs:
        raise TrainingError(
            NN_(
                "{n} speaker is in part {part!r} and in {other!r}, {first}: figures on voices that were trained on "
                "mean nothing. Choose parts that share none.",
                "{n} speakers are in part {part!r} and in {other!r}, first {first}: figures on voices that were "
                "trained on mean nothing. Choose parts that share none.",
            ),
            n=len(overlap),
            part=config.part,
            other=config.evaluation_part,
            first=min(overlap),
        )
    return corpus, held


def _fit(
    phi4: Phi4,
    samples: Sequence[Sample],
    collator: Collator,
    validation: Validation | None,
    share: SpeechLlmConfig,
    device: str,
    judge: Judge,
    writer: RunWriter,
    group: Group,
) -> tuple[Any | None, SpeechLlmConfig]:
    """The trainer once all epochs are done (None where a person stopped it), and the settings it ended with: where the
    memory does not suffice, the batch is halved and more of them are accumulated, so that a step stays what it was."""
    from transformers import PrinterCallback

    asked = validation if validation is not None and share.validates_by_figures else judge
    step = share.batch * share.accumulation * group.size
    first = {name: p.detach().cpu().clone() for name, p in phi4.model.named_parameters() if p.requires_grad}
    while True:
        reporter = _callback(writer, asked, group)
        trainer = _trainer(phi4, samples, collator, validation, share, step, writer.run, device, group.size, reporter)
        trainer.remove_callback(PrinterCallback)  # standard output is for the answer
        failure = ""
        try:
            with threads_of_run(writer):
                trainer.train(resume_from_checkpoint=_last_checkpoint(writer.run))
        except torch.OutOfMemoryError as error:
            failure = str(error).split(". ")[0]
        if not failure:
            return (None if reporter.stopping else trainer), share
        smaller = share.with_smaller_batch()
        if smaller is None or group.size > 1:
            raise TrainingError(
                N_(
                    "The device's memory does not suffice for a batch of {batch} ({failure}). Take a smaller "
                    "--batch with more --accumulation, or a 4-bit preset."
                ),
                batch=share.batch,
                failure=failure,
            )
        writer.log(
            f"The memory does not suffice for a batch of {share.batch} ({failure}). Resuming with {smaller.batch} and "
            f"{smaller.accumulation} accumulated, which is the same step."
        )
        share = smaller
        del trainer, reporter
        gc.collect()
        torch.cuda.empty_cache()
        with torch.no_grad():  # a checkpoint, where there is one, is loaded over it
            for name, parameter in phi4.model.named_parameters():
                parameter.grad = None
                if name in first:
                    parameter.copy_(first[name])


def _trainer(
    phi4: Phi4,
    samples: Sequence[Sample],
    collator: Collator,
    validation: Validation | None,
    share: SpeechLlmConfig,
    step: int,
    run: RunDirectory,
    device: str,
    n_processes: int,
    reporter: Any,
) -> Any:
    """`step` is how many samples one takes, on all devices together."""
    from transformers import Trainer

    from pipeline.speechllm.trainer_arguments import CHOICE, arguments_for

    lengths = collator.corpus.rows["n_samples"]
    tasks = [sample.task for sample in samples]
    buckets = Buckets([lengths[sample.row] for sample in samples], tasks, step, share.seed)

    class BucketTrainer(Trainer):  # type: ignore[misc]
        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return buckets if share.bucketing else super()._get_train_sampler(train_dataset)

        def evaluate(self, *given: Any, **named: Any) -> dict[str, float]:
            measured: dict[str, float] = super().evaluate(*given, **named)
            if validation is not None and share.validates_by_figures:
                measured[f"eval_{CHOICE}"] = validation.choice(round(self.state.epoch))
            return measured

        def _issue_warnings_after_load(self, loaded: Any) -> None:
            # Tied weights are saved under one of their names.
            missing = set(loaded.missing_keys) - set(getattr(self.model, "_tied_weights_keys", None) or ())
            if missing or loaded.unexpected_keys:
                super()._issue_warnings_after_load(loaded)

        def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
            self.data_collator = None if validation is None else validation.collator
            try:
                return super().get_eval_dataloader(eval_dataset)
            finally:
                self.data_collator = collator

    return BucketTrainer(
        model=phi4.model,
        args=arguments_for(run, share, device, n_processes),
        train_dataset=_Samples(samples),
        eval_dataset=None if validation is None else _Samples(validation.samples),
        data_collator=collator,
        callbacks=[reporter],
    )


def _best_epoch(trainer: Any) -> int:
    """The one whose weights the trainer has loaded."""
    state = trainer.state
    epochs = (float(row["epoch"]) for row in state.log_history if row["step"] == state.best_global_step)
    return round(next(epochs))


def _save_model(
    phi4: Phi4,
    config: SpeechLlmConfig,
    prompts: Prompts,
    corpus_name: str,
    trained: Sequence[str],
    chose: Sequence[str],
    table: dict[str, Beside],
    measured: SpeechLlmFigures,
    writer: RunWriter,
) -> None:
    """`trained` has the speaker of every recording that was trained on, `chose` of every one that chose the epoch."""
    folder, run_state = writer.run.path / MODEL_FOLDER, writer.run.state
    if config.adapter == "full":
        phi4.model.save_pretrained(folder)
        phi4.tokenizer.save_pretrained(folder)
        phi4.front_end.save_pretrained(folder)
    elif config.adapter != "none":
        # "auto" would ask the hub whether the base has other embeddings; none are changed that are not named.
        phi4.model.save_pretrained(folder, save_embedding_layers=False)
    known = sorted({*trained, *chose})
    stand_in = is_stand_in(config.model)
    info = SpeechLlmInfo(
        model_id=writer.run.id, adapter=config.adapter, prompts=vars(prompts), trained_on=corpus_name,
        part=config.part, n_recordings=len(trained), n_speakers=len(set(trained)),
        speakers=tuple(f"{corpus_name}/{speaker}" for speaker in known), seed=config.seed,
        created_at=run_state.created_at, git_commit=run_state.git_commit,
        memory_gb=round(scoring_gb(phi4.model, config), 1), stand_in=stand_in,
        test={
            **{f"{aspect}_pcc": row.pcc for aspect, row in measured.utterance.items()}, "per": measured.per,
            "wer": measured.wer, "part": measured.part, "n": measured.n,
        },
        **{name: getattr(config, name) for name in ASKED},
    )  # fmt: skip
    info = replace(info, model="", revision="") if config.adapter == "full" else info
    save_info(folder, info)
    write_card(folder, info, markdown(table, measured, stand_in=stand_in))


def _on(phi4: Phi4, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.to(phi4.device) for name, value in batch.items()}


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
            if not state.is_world_process_zero or not logs:
                return
            if "eval_loss" in logs:
                epoch = round(float(logs["epoch"]))
                writer.log_metrics(event="validation", at_step=state.global_step, epoch=epoch, loss=logs["eval_loss"])
            if "loss" not in logs:
                return
            norm = float(logs.get("grad_norm", 0.0))
            if not math.isfinite(float(logs["loss"])) or not math.isfinite(norm):
                raise TrainingError(
                    N_(
                        "The loss is {loss} and its gradient's norm {norm} at step {step}: training has broken "
                        "down. A lower --rate, or --warmup-share .03, may hold it; the last checkpoint is kept."
                    ),
                    loss=str(logs["loss"]),
                    norm=str(norm),
                    step=state.global_step,
                )
            if state.global_step == 1 and not norm > 0.0:
                raise TrainingError(N_("No gradient reaches the adapter: it is not attached to what is computed."))
            writer.log_metrics(
                event="step", step=state.global_step, epoch=logs.get("epoch"), loss=logs["loss"],
                rate=logs.get("learning_rate"), grad_norm=norm,
            )  # fmt: skip
            writer.update(
                progress=0.98 * state.global_step / max(1, state.max_steps),
                message=Message(
                    N_("step {step} of {steps}, loss {loss:.3f}"),
                    step=state.global_step,
                    steps=state.max_steps,
                    loss=float(logs["loss"]),
                ),
            )

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if group.any(writer.stop_requested):
                self.stopping = control.should_save = control.should_training_stop = True

        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if float(state.epoch).is_integer():
                judge.measure(round(state.epoch))
            else:  # stopped within it
                control.should_evaluate = False

    return Reporter()


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
            raise ValueError(Message(N_("{file} was cut short"), file=wrong[0]))
    except (OSError, ValueError, SafetensorError) as error:
        raise TrainingError(
            N_(
                "The checkpoint {folder} is damaged ({reason}). Delete this folder to go on from the one before it, "
                "or start the training anew."
            ),
            folder=str(folder),
            reason=said_by(error),
        ) from error
