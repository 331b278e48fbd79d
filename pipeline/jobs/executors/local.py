"""This machine: a process of its own session, which lives on when the dashboard ends."""

import os
import socket
import subprocess
from contextlib import suppress

import psutil

from pipeline.errors import JobError, said_by
from pipeline.i18n import N_
from pipeline.jobs.executors.job import Job, Launch
from pipeline.runs import RunDirectory
from pipeline.runs.process import process_of
from pipeline.settings import HOME

# A small shell parent waits for it, so that no zombie is left, and notes in the log how it ended.
WAITING = '"$@"; code=$?; [ $code = 0 ] || echo "The process ended with code $code."'


def is_installed() -> bool:
    return True


def start(job: Job) -> None:
    if job.options:
        raise JobError(N_("The executor local takes no options, got {options}."), options=", ".join(job.options))
    if job.nodes > 1:
        raise JobError(N_("This machine is one node. Take --executor slurm for more."))
    try:
        with (job.run.path / "log.txt").open("ab") as log:
            subprocess.Popen(
                ["/bin/sh", "-c", WAITING, "job", *job.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=HOME,
                env={**os.environ, **job.environment()},
            )
    except OSError as error:
        raise JobError(N_("The job could not be started ({reason})."), reason=said_by(error)) from error


def end(run: RunDirectory, launch: Launch) -> None:
    """Kill the process of the run and its children."""
    state = run.state
    if state.pid is None:
        return
    if state.host != socket.gethostname():
        raise JobError(N_("{run} runs on {host}; end it there."), run=run.id, host=state.host)
    try:
        process = process_of(state)
        if process is None:
            return
        family = [process, *process.children(recursive=True)]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        raise JobError(
            N_("{run} belongs to another user of this machine, who alone can end it."), run=run.id
        ) from error
    psutil.wait_procs(family, timeout=10)


def waits(run: RunDirectory, launch: Launch) -> bool:
    return False  # a process that was started runs
