"""What transformers' Trainer is told of a run. Imported where a training begins, as the Trainer takes ten seconds."""

import torch
from transformers import TrainingArguments

from pipeline.runs import RunDirectory
from pipeline.speechllm.config import SpeechLlmConfig

CHOICE = "choice"  # the figure by which answers choose the epoch
CLIP_NORM = 1.0


class OnOneDevice(TrainingArguments):  # type: ignore[misc]
    """A process computes on one device, the `chosen` one. By themselves the Trainer's arguments take the first GPU,
    and where several are seen they give each a batch, which makes a step larger than the settings say."""

    chosen: torch.device | None = None

    @property
    def device(self) -> torch.device:
        found: torch.device = super().device  # also where one is chosen: it sets up the process
        return self.chosen or found

    @property
    def n_gpu(self) -> int:
        seen: int = super().n_gpu
        return min(1, seen)


def arguments_for(run: RunDirectory, config: SpeechLlmConfig, device: str, n_processes: int) -> TrainingArguments:
    """`config` is the share of each of `n_processes`; one alone computes on `device`, of several each has its own."""
    kind = torch.device(device).type
    on_cuda = kind == "cuda"
    arguments = OnOneDevice(
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
        eval_strategy="epoch" if config.validation_share else "no",
        per_device_eval_batch_size=config.batch,
        prediction_loss_only=True,
        load_best_model_at_end=config.best_epoch,
        metric_for_best_model=(CHOICE if config.validates_by_figures else "loss") if config.best_epoch else None,
        greater_is_better=config.validates_by_figures if config.best_epoch else None,
        bf16=on_cuda,
        use_cpu=kind == "cpu",
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_num_workers=2 if on_cuda else 0,
        report_to=[],  # the run's writer sends metrics on
        logging_nan_inf_filter=False,
        # Parts of an unfrozen audio encoder are for other inputs, and get no gradient.
        ddp_find_unused_parameters=config.adapter == "unfreeze",
        seed=config.seed,
        disable_tqdm=True,
    )  # fmt: skip
    if n_processes == 1 and on_cuda:
        arguments.chosen = torch.device("cuda", torch.device(device).index or 0)
        torch.cuda.set_device(arguments.chosen)  # what says "cuda" alone means this one
    return arguments
