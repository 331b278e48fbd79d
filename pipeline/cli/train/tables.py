"""`pronlab train table` and `prompts`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli._numbers import SEED
from pipeline.cli._output import emit, progress_printer, say
from pipeline.cli._training import Chosen, Start, balance_option, prepare, training_options
from pipeline.cli.train.words import train_words
from pipeline.errors import TrainingError
from pipeline.i18n import N_
from pipeline.runs.messages import DONE

if TYPE_CHECKING:
    from pipeline.runs import RunWriter


@click.command()
@click.option("--task", help="prompts (default); words is the same as `pronlab train word --model forest`.")
@click.option("--source", help="A file of prompts (default: the collected prompts); for words, a set of recordings.")
@click.option("--model", type=click.Choice(["forest", "boosting"]), help="Random forest (default) or boosting.")
@click.option(
    "--search",
    type=click.Choice(["none", "grid", "full", "optuna"]),
    help="How to search for settings within each fold: grid tries a few, full every combination (minutes).",
)
@click.option("--trials", type=int, help="Number of Optuna trials (default 20).")
@click.option("--folds", type=int, help="Number of cross-validation folds.")
@click.option("--trees", type=int, help="Number of trees.")
@balance_option
@click.option("--name", help="Name of the run.")
@click.option("--seed", type=SEED, help="Seed of all random draws.")
@training_options("forest, boosting_searched", resumable=False)
def table(chosen: Chosen, **options: Any) -> None:
    """Train trees on a table: cross-validated over people, with the task's rule as a baseline."""
    from pipeline.tabular.catalogue import WORDS
    from pipeline.tabular.config import TabularConfig, load_preset

    if options["task"] == WORDS and chosen.run is None:
        say("pronlab: words are trained by the word scorer, as `pronlab train word` does.", err=True)
        shared = {name: value for name, value in options.items() if name not in ("task", "source", "model")}
        word_options = {**shared, "set": options["source"], "model": options["model"] or "forest"}
        train_words(chosen, word_options, load_preset)
        return

    def named(config: TabularConfig) -> TabularConfig:
        return config if config.name else replace(config, name=f"{config.task}-{config.model}")

    start = prepare("table", TabularConfig, chosen, options, load_preset, named)
    if start is None:
        return
    from pipeline.tabular.train import train_tabular

    show = progress_printer("Table")
    _beside_baselines(start, chosen, lambda writer: train_tabular(start.settings, start.config, writer, show))


@click.command()
@click.option("--source", help="A file of prompts (default: the collected prompts).")
@click.option("--model", help="Folder with a BERT-like encoder and its tokenizer, or tiny.")
@click.option("--epochs", type=int, help="Number of epochs.")
@balance_option
@click.option("--name", help="Name of the run.")
@click.option("--seed", type=SEED, help="Seed of all random draws.")
@training_options("tiny, bert_base", resumable=False)
def prompts(chosen: Chosen, **options: Any) -> None:
    """Fine-tune a text encoder on the scores of prompts, tested on held-out authors."""
    from pipeline.tabular.prompt_encoder_config import PromptModelConfig, load_preset

    def named(config: PromptModelConfig) -> PromptModelConfig:
        return config if config.name else replace(config, name=f"prompts-{Path(config.model).name}")

    start = prepare("prompts", PromptModelConfig, chosen, options, load_preset, named)
    if start is None:
        return
    from pipeline.jobs.device_queue import device_turn
    from pipeline.tabular.prompt_encoder import train_encoder

    def fine_tune(writer: "RunWriter") -> dict[str, Any]:
        with device_turn(start.settings, writer):
            return train_encoder(start.settings, start.config, writer)

    _beside_baselines(start, chosen, fine_tune)


def _beside_baselines(start: Start[Any], chosen: Chosen, training: "Callable[[RunWriter], dict[str, Any]]") -> None:
    """Train, and print the run's figures beside its baselines'. Raises TrainingError where it was stopped."""
    directory = start.directory
    report: dict[str, Any] | None = None
    with directory.start() as writer:
        report = training(writer)
        writer.update(progress=1.0, message=DONE, result={"metrics": report["metrics"]})
    if report is None:
        raise TrainingError(N_("The run {run} was stopped."), run=directory.id)
    lines = [f"Run {directory.id}"]
    for name, figures in {"this model": report["metrics"], **report["baselines"]}.items():
        lines.append(
            f"  {name:20} MAE {figures['mae']:5.1f}  RMSE {figures['rmse']:5.1f}  R2 {figures['r2']:6.2f}  "
            f"n {figures['n']}"
        )
    lines += [f"! {report['unmeasured']}"] if report.get("unmeasured") else []
    lines.append(f"`pronlab table deploy {directory.id}` deploys it.")
    emit({"run": directory.id, "directory": directory.path, **report}, chosen.as_json, "\n".join(lines))


COMMANDS = (table, prompts)
