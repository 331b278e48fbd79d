"""What commands that pages start in the background share: they report to a run directory, else to the terminal."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pipeline.cli._output import progress_printer
from pipeline.parallel import Progress
from pipeline.records import to_json

# Given by the launcher only: the run directory that the command reports to.
run_option = click.option("--run", type=click.Path(path_type=Path, exists=True, file_okay=False), hidden=True)


def executor_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--executor` and what belongs to it; the command gets one argument `where` (None: here and now)."""

    @click.option("--executor", help="Run in the background: local, slurm or ray (default: here, until it is done).")
    @click.option("--devices", type=int, help="Of each node: processes that share the steps (default 1).")
    @click.option("--nodes", type=int, help="Machines (default 1; slurm only).")
    @click.option(
        "--option", "options", multiple=True, metavar="NAME=VALUE", help="Of the executor, e.g. partition=gpu."
    )
    @functools.wraps(command)
    def with_where(
        *, executor: str | None, devices: int | None, nodes: int | None, options: tuple[str, ...], **rest: Any
    ) -> Any:
        from pipeline.jobs.launcher import Where

        if executor is None:
            if devices or nodes or options:
                raise click.UsageError("--devices, --nodes and --option need --executor (local, slurm or ray).")
            return command(where=None, **rest)
        if wrong := [option for option in options if "=" not in option]:
            raise click.UsageError(f"--option takes NAME=VALUE, got {wrong[0]!r}.")
        pairs = dict(option.split("=", 1) for option in options)
        return command(where=Where(executor, devices or 1, nodes or 1, pairs), **rest)

    return with_where


@dataclass(frozen=True)
class Work:
    """Where a command tells how far it is, asks whether to stop, and leaves its result."""

    progress: Progress
    check_stop: Callable[[], None]
    result: Callable[[Any], None]


@contextmanager
def background_run(run: Path | None, label: str) -> Iterator[Work]:
    """With a run directory: heartbeat, progress, stop requests and result go through it. Without: the terminal."""
    if run is None:
        yield Work(progress_printer(label), lambda: None, lambda _: None)
        return
    from pipeline.runs import RunDirectory

    with RunDirectory(run).start() as writer:

        def progress(done: int, total: int, message: str) -> None:
            # A write an item would cost more than the work: the heartbeat thread carries the rest.
            if done == total or done % max(1, total // 100) == 0:
                writer.update(progress=done / max(1, total), message=f"{label}: {done} of {total} {message}".strip())

        yield Work(progress, writer.check_stop, lambda value: writer.update(result=to_json(value)))
