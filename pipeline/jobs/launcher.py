"""Start, find, stop and continue background jobs. What starts, ends or changes trainings asks who acts (`by`; None will
do on an open installation) and raises AccessError for who may not."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import JobError
from pipeline.i18n import N_, Message
from pipeline.jobs.executors import Job, Launch, executor
from pipeline.jobs.requirements import require_packages
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.runs import ACTIVE, STALE_AFTER_S, RunDirectory, scan_runs
from pipeline.runs.state import LOCAL, RunState, age_s
from pipeline.settings import Settings

SHARED = ("speechllm",)  # trainings whose steps several devices share
RESUMABLE = ("speech", "speechllm", "wakeword")
ENDED_EARLY = ("stopped", "failed", "lost")
COMMANDS = {"wakeword": ("wakeword", "train")}  # of other kinds `train <kind>`
GRACE_S = 30.0


@dataclass(frozen=True)
class Where:
    """The executor by name, how many devices of how many of its nodes, and its own options."""

    executor: str = LOCAL
    devices: int = 1
    nodes: int = 1
    options: Mapping[str, str] = field(default_factory=dict)


def launch(
    settings: Settings,
    *,
    kind: str,
    name: str,
    argv: Sequence[str],
    root: Path,
    config: Any,
    seed: int | None = None,
    where: Where | None = None,
    by: Identity | None = None,
) -> RunDirectory:
    """Make a run directory under `root` and start `pronlab <argv>` reporting to it.

    The command must take `--run`; it runs as whoever started it (`by`), and asks what they may. Raises JobError where
    packages are missing or the process cannot be started; a process that ends before it reports becomes `lost` half a
    minute after it was started, one that never reports after five minutes; its last words are in `log.txt`.
    """
    where = where or Where()
    executor(where.executor)  # an unknown one is named before anything is made
    require_packages(kind, config)
    run = RunDirectory.create(root, kind=kind, name=name, config=config, seed=seed, executor=where.executor)
    try:
        _start(Job(settings, run, tuple(argv), where.devices, where.nodes, where.options, _name(by)), where.executor)
    except JobError:
        run.close("failed")
        run.delete()  # nothing ran: the error says all there is to say
        raise
    return run


def launch_training(
    settings: Settings, kind: str, config: Any, where: Where | None = None, by: Identity | None = None
) -> RunDirectory:
    """Start the training of `kind` in the background on a configuration (with `name` and `seed`), which it reads from
    its run directory. Raises JobError for several devices where the training cannot share them."""
    permit(settings, by, Action.TRAIN)
    if where is not None and where.devices * where.nodes > 1 and kind not in SHARED:
        raise JobError(
            N_(
                "A training of kind {kind} runs on one device, as its steps are not shared. Ask for one device on one "
                "node."
            ),
            kind=kind,
        )
    return launch(
        settings,
        kind=kind,
        name=config.name,
        argv=_command(kind),
        root=settings.runs_root,
        config=config,
        seed=config.seed,
        where=where or Where(),
        by=by,
    )


def relaunch_training(settings: Settings, run: RunDirectory, by: Identity | None = None) -> RunDirectory:
    """Start the training that `run` was once more, as a run of its own, on the data as it is now."""
    permit(settings, by, Action.TRAIN)
    state = run.state
    return launch(
        settings, kind=state.kind, name=state.name, argv=_command(state.kind), root=settings.runs_root,
        config=run.config, seed=state.seed, by=by,
    )  # fmt: skip


def is_resumable(state: RunState) -> bool:
    """Whether `resume` takes a run that is so."""
    return state.kind in RESUMABLE and state.status in ENDED_EARLY


def require_resumable(run: RunDirectory) -> None:
    """Raises JobError for a run that keeps no checkpoints, is still running, or is finished: what was made of a
    finished one since, such as a threshold, would be lost."""
    state = run.state
    if state.kind not in RESUMABLE:
        raise JobError(
            N_("A run of kind {kind} cannot be resumed: it keeps no checkpoints. Start a new one."), kind=state.kind
        )
    if state.status in (*ACTIVE, "finished"):
        raise JobError(
            N_("{run} is {status}; only a stopped, failed or lost run can be resumed."),
            run=run.id,
            status=Message(state.status),
        )


def resume(settings: Settings, run: RunDirectory, by: Identity | None = None) -> None:
    """Resume a stopped, failed or lost run in its own directory, where it ran before. Raises JobError where it is
    still running, is finished, is of a kind that keeps no checkpoints, or lacks packages."""
    permit(settings, by, Action.TRAIN)
    state = run.state
    require_resumable(run)
    require_packages(state.kind, run.config)
    run.withdraw_stop()
    run.requeue(state.executor)
    before = Launch.of(run)
    job = Job(settings, run, _command(state.kind), before.devices, before.nodes, before.options, _name(by))
    _start(job, state.executor)


def stop(run: RunDirectory, within_s: float | None = None) -> None:
    """Ask it to end after its current step; with `within_s`, end it by force where it has not by then."""
    run.request_stop()
    if within_s is None:
        return
    end = time.monotonic() + within_s
    while run.state.status in ACTIVE and time.monotonic() < end:
        time.sleep(0.2)
    end_now(run)


def end_now(run: RunDirectory) -> None:
    """End an active run by force. What it saved stays; what it did since is lost."""
    state = run.state
    if state.status not in ACTIVE:
        return
    executor(state.executor).end(run, Launch.of(run))
    if run.state.status in (*ACTIVE, "lost"):
        run.close("stopped")


def check_queue(run: RunDirectory) -> None:
    """Ask the cluster about a run that stands in its queue; one it knows nothing of is marked as failed."""
    state = run.state
    launch = Launch.of(run)
    just_sent = launch.job_id is None and age_s(state.heartbeat_at) < STALE_AFTER_S
    if not state.waits_elsewhere or just_sent or executor(state.executor).waits(run, launch):
        return
    if run.state.waits_elsewhere:  # it may have begun meanwhile
        run.close("failed", f"{state.executor} ended job {launch.job_id} before it began; ask there why.")


def find(settings: Settings, run_id: str) -> RunDirectory:
    """A training run or other job by its id. Raises JobError where there is none."""
    for root in (settings.runs_root, settings.jobs_root):
        if Path(run_id).name == run_id and (root / run_id / "run.json").is_file():
            return RunDirectory.open(root, run_id)
    raise JobError(N_("No run or job {run_id!r}. `pronlab runs list` shows those there are."), run_id=run_id)


def find_folder(settings: Settings, run_id: str) -> RunDirectory:
    """As `find`, and a folder among the runs or jobs that cannot be read as well."""
    for root in (settings.runs_root, settings.jobs_root):
        for damaged in scan_runs(root).damaged:
            if damaged.path.name == run_id:
                return RunDirectory(damaged.path)
    return find(settings, run_id)


def _name(by: Identity | None) -> str:
    return "" if by is None else by.name


def _command(kind: str) -> tuple[str, ...]:
    return COMMANDS.get(kind, ("train", kind))


def _start(job: Job, name: str) -> None:
    job.save(executor(name).start(job))
