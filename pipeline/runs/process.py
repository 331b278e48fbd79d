"""The process that works on a run: whether it has gone, asked where that can be known, and that there is one only."""

import fcntl
import socket
from functools import cache
from pathlib import Path

import psutil

from pipeline.records import Seconds
from pipeline.runs.state import RunState

BOOT = Path("/proc/sys/kernel/random/boot_id")
NAMESPACE = Path("/proc/self/ns/pid")
STARTS_DIFFER_S: Seconds = 2.0  # of one process, asked twice: whole seconds of a clock that is set now and then


@cache
def this_machine() -> str:
    """What names the machine since it was started, and the container within it that counts processes for itself: by the
    host's name alone two containers can look like one."""
    try:
        return f"{BOOT.read_text(encoding='ascii').strip()} {NAMESPACE.readlink()}"
    except OSError:  # not Linux
        return f"{socket.gethostname()} {psutil.boot_time():.0f}"


def started_at() -> float:
    """When this process began, in seconds since 1970 by the clock as it is now."""
    return float(psutil.Process().create_time())


def process_of(state: RunState) -> psutil.Process | None:
    """The process that works on a run of this machine, while it is there. Numbers are used again: it is the one that
    began when the run says, so that without that time there is none. Raises psutil.AccessDenied where it may not be
    looked at."""
    if state.pid is None or state.pid_started_at is None:
        return None
    try:
        process = psutil.Process(state.pid)
        if abs(process.create_time() - state.pid_started_at) > STARTS_DIFFER_S:
            return None
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


def has_gone(state: RunState) -> bool:
    """Whether the process of a run is known to be no more. False where it ran elsewhere or may not be looked at: then
    only the age of its last sign of life tells."""
    if state.pid is None or state.machine != this_machine():
        return False
    try:
        return process_of(state) is None
    except psutil.AccessDenied:
        return False


def claim(folder: int) -> bool:
    """Whether the open folder `folder` was free; it is this process's until that closes it or dies, however it dies."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a disk of the network that locks no folders
        return True
    return True
