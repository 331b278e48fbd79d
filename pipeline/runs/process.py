"""The process that works on a run: whether it has gone, asked where that can be known, and that there is one only."""

import fcntl

import psutil

from pipeline.processes import is_running, process_at, this_machine
from pipeline.runs.state import RunState


def process_of(state: RunState) -> psutil.Process | None:
    """The process that works on a run of this machine, while it is there: see `process_at`."""
    return process_at(state.pid, state.pid_started_at)


def has_gone(state: RunState) -> bool:
    """Whether the process of a run is known to be no more. False where it ran elsewhere or may not be looked at: then
    only the age of its last sign of life tells."""
    if state.pid is None or state.machine != this_machine():
        return False
    return not is_running(state.pid, state.pid_started_at)


def claim(folder: int) -> bool:
    """Whether the open folder `folder` was free; it is this process's until that closes it or dies, however it dies."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a disk of the network that locks no folders
        return True
    return True
