"""`pronlab features`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli._background import background_run, run_option
from pipeline.cli._numbers import SEED
from pipeline.cli._output import counted, emit, json_option
from pipeline.cli._outputs import OUTPUT_FILE
from pipeline.cli._shards import shard_options
from pipeline.cli._training import EXTRACTOR_HELP
from pipeline.i18n import N_
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.jobs.shards import Shards


@click.command()
@click.option("--set", "set_name", required=True, help="Name of the set.")
@click.option("--extractor", default="acoustic57", help=EXTRACTOR_HELP)
@click.option(
    "--labels",
    type=click.Choice(["real", "mock"]),
    default="real",
    show_default=True,
    help="Real ratings, or made-up scores for a trial run.",
)
@click.option("--part", default="", help="Only this part of the corpus, e.g. train.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of the made-up scores.")
@click.option(
    "--out",
    type=OUTPUT_FILE,
    default="training_data.csv",
    show_default=True,
    help="The file to write.",
)
@shard_options
@run_option
@json_option
def features(
    set_name: str,
    extractor: str,
    labels: str,
    part: str,
    seed: int,
    out: Path,
    shards: "Shards | None",
    run: Path | None,
    as_json: bool,
) -> None:
    """Write a CSV file with the features, score, speaker and word of every rated recording of a set."""
    from pipeline.scoring.feature_based.config import TrainConfig
    from pipeline.scoring.feature_based.data import load_training_data, write_csv

    config = TrainConfig(set=set_name, extractor=extractor, labels=labels, part=part, seed=seed)
    with background_run(run, N_("Features")) as work:
        data = load_training_data(
            Settings.from_env(), config, progress=work.progress, check_stop=work.check_stop, shards=shards
        )
        write_csv(out, data)
        n, d = data.values.shape
        report = {"out": out, "n": n, "features": d, "extractor": extractor, "warnings": data.warnings}
        work.result(report)
    lines = [
        f"{counted(n, 'recording')} x {d} features written to {out}.",
        *(f"  {warning}" for warning in data.warnings),
    ]
    emit(report, as_json, "\n".join(lines))
