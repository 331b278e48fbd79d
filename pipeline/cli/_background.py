"""Commands that pages start in the background report to a run directory; from a shell, to the terminal."""

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


@dataclass(frozen=True)
class Work:
    """Report progress, ask whether to stop, and leave the result."""

    progress: Progress
    check_stop: Callable[[], None]
    result: Callable[[Any], None]


@contextmanager
def background_run(run: Path | None, label: str) -> Iterator[Work]:
    """With a run directory: heartbeat, progress, stop requests and result go through it. Without: the terminal. `label`
    is what is done, marked for translation; a message of the progress is a `Message`, or a name."""
    if run is None:
        yield Work(progress_printer(label), lambda: None, lambda _: None)
        return
    from pipeline.runs import RunDirectory
    from pipeline.runs.messages import how_far

    with RunDirectory(run).start() as writer:

        def progress(done: int, total: int, message: str) -> None:
            # A write an item would cost more than the work: the heartbeat thread carries the rest.
            if done == total or done % max(1, total // 100) == 0:
                writer.update(progress=done / max(1, total), message=how_far(label, done, total, message))

        yield Work(progress, writer.check_stop, lambda value: writer.update(result=to_json(value)))


def stoppable(work: Work) -> Progress:
    """Progress that ends the work where a person asked for it."""

    def told(done: int, total: int, message: str) -> None:
        work.check_stop()
        work.progress(done, total, message)

    return told
