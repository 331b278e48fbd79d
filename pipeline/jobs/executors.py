"""Where a job runs. `local` is this machine; others (Slurm, Ray) register beside it under their name."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from pipeline.errors import JobError
from pipeline.registry import Registry
from pipeline.runs import RunDirectory
from pipeline.settings import CHECKOUT, Settings

Executor = Callable[[Settings, Sequence[str], RunDirectory], None]
EXECUTORS: Registry[Executor] = Registry("executor")


@EXECUTORS.register("local")
def run_locally(settings: Settings, argv: Sequence[str], run: RunDirectory) -> None:
    """Start `pronlab <argv>` as a process of its own session, which lives on when the dashboard ends.

    A small shell parent waits for it, so that no zombie is left, and notes in the log how it ended.
    """
    command = [sys.executable, "-m", "pipeline.cli", *argv, "--run", str(run.path)]
    environment = {
        **os.environ,
        "PRONLAB_DATA_ROOT": str(settings.data_root),
        "PRONLAB_MODELS_ROOT": str(settings.models_root),
        "PYTHONUNBUFFERED": "1",
    }
    waiting = [
        "/bin/sh",
        "-c",
        '"$@"; code=$?; [ $code = 0 ] || echo "The process ended with code $code."',
        "job",
        *command,
    ]
    try:
        with (run.path / "log.txt").open("ab") as log:
            subprocess.Popen(
                waiting,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=CHECKOUT,
                env=environment,
            )
    except OSError as error:
        raise JobError(f"The job could not be started ({error.strerror or error}).") from error
