"""Start, find and stop background jobs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import JobError
from pipeline.jobs.executors import EXECUTORS
from pipeline.runs import ACTIVE, RunDirectory
from pipeline.settings import Settings

RESUMABLE = ("speech", "speechllm")


def launch(
    settings: Settings,
    *,
    kind: str,
    name: str,
    argv: Sequence[str],
    root: Path,
    config: Any,
    seed: int | None = None,
    executor: str = "local",
) -> RunDirectory:
    """Make a run directory under `root` and start `pronlab <argv>` reporting to it.

    The command must take `--run`. Raises JobError where the process cannot be started; a process that dies before it
    reports becomes `lost` once its heartbeat is 30 s old, with its last words in `log.txt`.
    """
    start = EXECUTORS[executor]
    run = RunDirectory.create(root, kind=kind, name=name, config=config, seed=seed)
    start(settings, argv, run)
    return run


def go_on(settings: Settings, run: RunDirectory, executor: str = "local") -> None:
    """Start a stopped, failed or lost run again in its own directory. Raises JobError where it is still running, is
    finished, or is of a kind that keeps no state to go on from."""
    state = run.state
    if state.kind not in RESUMABLE:
        raise JobError(f"A run of kind {state.kind} cannot go on; start it anew.")
    if state.status in (*ACTIVE, "finished"):
        raise JobError(f"{run.id} is {state.status}; only a run that was stopped, failed or lost can go on.")
    run.withdraw_stop()
    run.requeue()
    EXECUTORS[executor](settings, ["train", state.kind, "--resume", run.id], run)


def find(settings: Settings, run_id: str) -> RunDirectory:
    """A training run or other job by its id. Raises JobError where there is none."""
    for root in (settings.runs_root, settings.jobs_root):
        if (root / run_id / "run.json").is_file():
            return RunDirectory.open(root, run_id)
    raise JobError(f"No run or job {run_id!r}. `pronlab runs list` shows those there are.")
