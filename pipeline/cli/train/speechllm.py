"""`pronlab train speechllm`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli._background import background_run
from pipeline.cli._numbers import SEED
from pipeline.cli._output import emit, progress_printer, say
from pipeline.cli._training import Chosen, corpus_options, prepare, resolve, training_options
from pipeline.i18n import N_
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.speechllm.config import SpeechLlmConfig


@click.command()
@corpus_options
@click.option(
    "--evaluation-part",
    help="Evaluate on this part after every epoch (default: the part named dev, validation or test, else some of the "
    "training speakers).",
)
@click.option("--model", help="Local folder or hub name of Phi-4-multimodal, or a stand-in: tiny, standin.")
@click.option("--revision", help="Revision of a hub model; it needs native weights.")
@click.option("--name", help="Name of the run.")
@click.option("--epochs", type=int, help="Number of epochs.")
@click.option("--batch", type=int, help="Samples per step and device; halved where the memory does not suffice.")
@click.option("--accumulation", type=int, help="Steps whose gradients are accumulated.")
@click.option("--rate", type=float, help="Learning rate.")
@click.option("--schedule", help="Learning-rate schedule: constant (default), linear or cosine.")
@click.option("--warmup-share", type=float, help="Share of steps with a rising learning rate.")
@click.option("--bits", type=int, help="Bits per weight: 16 (bfloat16) or 4 (NF4).")
@click.option("--attention", help="The language model's: auto (default), flash_attention_2, sdpa or eager.")
@click.option("--device", help="auto (default: CUDA, MPS or the CPU, as found), cuda, cuda:1, mps or cpu.")
@click.option("--validation-share", type=float, help="Share of the training speakers left out for validation.")
@click.option("--validation", help="What to measure on them: loss (default), or figures (PCC and PER of the answers).")
@click.option("--best-epoch/--last-epoch", default=None, help="Keep the epoch with the best validation.")
@click.option("--rubric-file", help="Text file with rating scales to use instead of the built-in ones.")
@click.option("--prompt-file", help="YAML file with the prompts and their layout, instead of the built-in ones.")
@click.option("--limit", type=int, help="Train on the first N recordings only.")
@click.option("--evaluation-limit", type=int, help="Evaluate on the first N recordings only.")
@click.option("--trackers", help="Also send metrics to mlflow or wandb (if installed; separated by commas).")
@click.option("--memory-gb", type=float, help="Plan for this much memory instead of the device's.")
@click.option("--seed", type=SEED, help="Seed of all random draws.")
@click.option("--arm", "arms", multiple=True, help="Train this preset, then the next one given; repeatable.")
@click.option("--plan", is_flag=True, help="Show the memory and time needed, without loading weights or training.")
@click.option("--gpu", default="", help='With --plan: plan for this GPU, e.g. "A100 80GB", instead of the one here.')
@training_options(
    "paper_r64, paper_r64_on_speech, pretrained_r320 (each with _4bit), unfreeze, zero_shot, tiny, standin"
)
def speechllm(
    chosen: Chosen, manifest: Path | None, arms: tuple[str, ...], plan: bool, gpu: str, **options: Any
) -> None:
    """Fine-tune Phi-4-multimodal with LoRA to score and transcribe, and print Table 3 of arXiv 2509.02915."""
    if gpu and not plan:
        raise click.UsageError("--gpu goes with --plan: a training runs on the device that is here.")
    if arms and (chosen.preset or chosen.resume or chosen.run or chosen.executor or options["name"]):
        raise click.UsageError(
            "--arm trains presets one after the other in this process. Leave out --preset, --resume, --name and "
            "--executor; runs that are sent to an executor wait for each other by themselves."
        )
    options["manifest"] = None if manifest is None else str(manifest.absolute())
    each = [replace(chosen, preset=arm) for arm in arms] or [chosen]
    if plan:
        _plan_speechllm(each, options, gpu)
        return
    reports = [report for report in (_train_speechllm(arm, options) for arm in each) if report is not None]
    if not reports:
        return
    from pipeline.speechllm.table3 import markdown, side_by_side

    tables = [markdown(report["table3"], report["figures"], stand_in=report["stand_in"]) for report in reports]
    texts = [
        f"Run {report['run']}, epoch {report['epoch']}\n\n{table}"
        for report, table in zip(reports, tables, strict=True)
    ]
    if arms:
        together = side_by_side({report["run"]: report["table3"] for report in reports})
        emit({"arms": reports}, chosen.as_json, "\n\n".join([*texts, together]))
    else:
        emit(reports[0], chosen.as_json, texts[0])


def _train_speechllm(chosen: Chosen, options: dict[str, Any]) -> dict[str, Any] | None:
    """Train one preset; None where it was sent to an executor."""
    from pipeline.speechllm.config import SpeechLlmConfig, load_preset

    start = prepare("speechllm", SpeechLlmConfig, chosen, options, load_preset, _named_speechllm(chosen))
    if start is None:
        return None
    from pipeline.devices import find_device
    from pipeline.speechllm.train import train_speechllm

    settings, directory, config = start.settings, start.directory, start.config
    say(find_device(config.device, settings.device).text, err=True)
    report = train_speechllm(settings, config, directory, progress_printer("Decoding recordings"))
    return {"run": directory.id, "directory": directory.path, **report}


def _plan_speechllm(each: list[Chosen], options: dict[str, Any], gpu: str) -> None:
    from pipeline.jobs.requirements import require_packages
    from pipeline.speechllm.config import SpeechLlmConfig, load_preset

    plans: dict[str, Any] = {}
    for chosen in each:
        config = resolve(SpeechLlmConfig, chosen, options, load_preset, _named_speechllm(chosen))
        require_packages("plan", config)
        from pipeline.speechllm.dry_run import plan_ahead

        with background_run(chosen.run, N_("Decoding recordings")) as work:
            ahead = plan_ahead(Settings.from_env(), config, chosen.devices or 1, work.progress, gpu)
            work.result(ahead)
        plans[chosen.preset or config.name] = ahead
    texts = [f"{ahead.text}\n{ahead.refusal or 'It fits.'}" for ahead in plans.values()]
    if len(plans) == 1:
        emit(next(iter(plans.values())), each[0].as_json, texts[0])
        return
    emit(
        {"arms": plans},
        each[0].as_json,
        "\n\n".join(f"{name}:\n{text}" for name, text in zip(plans, texts, strict=True)),
    )


def _named_speechllm(chosen: Chosen) -> "Callable[[SpeechLlmConfig], SpeechLlmConfig]":
    def named(config: "SpeechLlmConfig") -> "SpeechLlmConfig":
        return replace(config, name=config.name or f"speechllm-{chosen.preset or 'custom'}-seed{config.seed}")

    return named


COMMANDS = (speechllm,)
