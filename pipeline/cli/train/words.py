"""`pronlab train word`."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pipeline.cli._numbers import SEED
from pipeline.cli._output import emit, progress_printer, say
from pipeline.cli._training import EXTRACTOR_HELP, Chosen, balance_option, prepare, training_options
from pipeline.errors import CorpusError, TrainingError
from pipeline.i18n import N_
from pipeline.runs.messages import DONE, how_far
from pipeline.settings import Settings


@click.command()
@click.option("--set", "set", help="Train on the rated recordings of this set.")
@click.option("--manifest", type=click.Path(path_type=Path), help="Train on the set imported from this manifest.")
@click.option("--csv", help="Train on a CSV file written by `pronlab features`.")
@click.option("--part", help="Only this part of the corpus, e.g. train.")
@click.option(
    "--labels", type=click.Choice(["real", "mock"]), help="Real ratings (default), or made-up scores for a trial run."
)
@click.option(
    "--model", type=click.Choice(["mlp", "forest", "boosting"]), help="Network (default), random forest or boosting."
)
@click.option(
    "--search", type=click.Choice(["none", "grid", "full", "optuna"]), help="Search for settings of the trees."
)
@click.option("--trials", type=int, help="Trials of Optuna (default 20).")
@click.option("--extractor", help=EXTRACTOR_HELP)
@click.option("--name", help="Name of the run.")
@click.option("--seed", type=SEED, help="Seed of all random draws.")
@click.option("--folds", type=int, help="Number of folds (default 5; fewer where there are fewer groups).")
@click.option(
    "--split",
    type=click.Choice(["auto", "speaker", "word", "recording"]),
    help="What folds keep together (default auto: speakers if there are three, else words).",
)
@click.option("--epochs", type=int, help="Maximum number of epochs (default 120).")
@click.option("--patience", type=int, help="Epochs without improvement before training stops.")
@click.option("--batch-size", type=int, help="Recordings per step.")
@click.option("--learning-rate", type=float, help="Learning rate of the network.")
@click.option("--weight-decay", type=float, help="Weight decay of the network.")
@click.option("--dropout", type=float, help="Dropout rate of the network.")
@click.option("--trees", type=int, help="Number of trees.")
@click.option("--min-leaf", type=int, help="Minimum recordings per leaf.")
@balance_option
@training_options("word_mlp, ...", resumable=False)
def word(chosen: Chosen, **options: Any) -> None:
    """Train a scorer on one feature vector per recording, cross-validated over speakers (or words, with one or two)."""
    from pipeline.scoring.feature_based.config import load_preset

    manifest = options.pop("manifest")
    if manifest is not None:
        options["set"] = _imported_as(manifest)
    train_words(chosen, options, load_preset)


def _imported_as(manifest: Path) -> str:
    """The set that holds the ratings of a manifest's recordings. Raises CorpusError where it was not imported."""
    from pipeline.labels.corpus_source import set_of_manifest

    set_ = set_of_manifest(Settings.from_env(), manifest)
    if set_ is None:
        raise CorpusError(
            N_("{manifest} was not imported yet. Run `pronlab import {manifest}`, then train on its set."),
            manifest=shlex.quote(str(manifest)),
        )
    return set_.name


def train_words(chosen: Chosen, options: dict[str, Any], load_preset: Callable[[str], dict[str, Any]]) -> None:
    """The one route of the word scorer, for `train word` and `train table --task words`."""
    from pipeline.scoring.feature_based.config import TrainConfig

    def named(config: TrainConfig) -> TrainConfig:
        return replace(config, name=config.name or f"{config.extractor}-{config.model}")

    start = prepare("word", TrainConfig, chosen, options, load_preset, named)
    if start is None:
        return
    from pipeline.jobs.device_queue import device_turn
    from pipeline.scoring.feature_based.before_training import word_blindness
    from pipeline.scoring.feature_based.data import load_training_data
    from pipeline.scoring.feature_based.train import run_training

    settings, directory, config = start.settings, start.directory, start.config
    show = progress_printer("Features")
    report = None
    with directory.start() as writer, device_turn(settings, writer):

        def progress(done: int, total: int, message: str) -> None:
            show(done, total, message)
            if done == total or done % 50 == 0:
                writer.update(message=how_far(N_("features"), done, total))

        data = load_training_data(settings, config, progress=progress, check_stop=writer.check_stop)
        writer.update(data_hash=data.hash)
        blind = None if chosen.run else word_blindness(settings, config)
        if blind is not None:
            say(f"pronlab: {blind}", err=True)
        report = run_training(data, config, writer)
        writer.update(progress=1.0, message=DONE, result={"metrics": report.metrics, "model": report.folder})
    if report is None:
        raise TrainingError(N_("The run {run} was stopped; there is no model."), run=directory.id)
    emit({"run": directory.id, **vars(report)}, chosen.as_json, _report_text(directory.id, report))


def _report_text(run_id: str, report: Any) -> str:
    from pipeline.scoring.feature_based.config import BY_SPEAKER
    from pipeline.scoring.feature_based.split import HELD_OUT

    loud, others = (report.warnings[:1], report.warnings[1:]) if report.split != BY_SPEAKER else ((), report.warnings)
    lines = [*(f"!! {warning}" for warning in loud), f"Run {run_id}, on {HELD_OUT[report.split]}:"]
    for name, figures in {"this model": report.metrics, **report.baselines}.items():
        pcc = "-" if figures.pcc is None else f"{figures.pcc:.3f}"
        r2 = "-" if figures.r2 is None else f"{figures.r2:.3f}"
        lines.append(
            f"  {name:17} MAE {figures.mae:6.2f}  RMSE {figures.rmse:6.2f}  R2 {r2:>6}  PCC {pcc:>6}  n {figures.n}"
        )
    lines += [f"  {warning}" for warning in others]
    return "\n".join([*lines, f"`pronlab deploy {run_id}` deploys it."])


COMMANDS = (word,)
