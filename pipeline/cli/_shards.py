"""Options of the commands that work through many recordings: where their shards run."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli._access import asker
from pipeline.cli._output import pairs
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.jobs.shards import Shards


def shard_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets one argument `shards`, None where all is to be done in this process."""

    @functools.wraps(command)
    def with_shards(
        *, executor: str | None, n_shards: int | None, executor_options: tuple[str, ...], **given: Any
    ) -> Any:
        return command(shards=_shards(executor, n_shards, executor_options), **given)

    options = [
        click.option(
            "--executor",
            help="Spread the recordings over jobs: local, slurm or ray (default: processes of this machine). The same "
            "command again resumes where it was cut.",
        ),
        click.option(
            "--shards", "n_shards", type=click.IntRange(1, 10_000),
            help="Number of jobs (default: as many as this machine has cores, 16 with slurm and ray).",
        ),
        click.option(
            "--option", "executor_options", multiple=True, metavar="NAME=VALUE",
            help="An executor's option: partition=cpu.",
        ),
    ]  # fmt: skip
    for option in reversed(options):
        with_shards = option(with_shards)
    return with_shards


def _shards(executor: str | None, n: int | None, options: tuple[str, ...]) -> "Shards | None":
    if executor is None:
        if n or options:
            raise click.UsageError("--shards and --option need --executor (local, slurm or ray).")
        return None
    from pipeline.jobs.launcher import Where
    from pipeline.jobs.shards import Shards

    where = Where(executor, options=pairs("--option takes NAME=VALUE", options))
    return Shards(Settings.from_env(), where, n or 0, asker())
