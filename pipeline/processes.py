"""Which process a number means: numbers are used again, and every container counts for itself."""

import socket
from functools import cache
from pathlib import Path

import psutil

from pipeline.records import Seconds

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


def started_at(pid: int | None = None) -> float:
    """When a process of this machine began, by default this one, in seconds since 1970 by the clock as it is now.
    Raises psutil.NoSuchProcess where there is none."""
    return float(psutil.Process(pid).create_time())


def process_at(pid: int | None, began_at: float | None) -> psutil.Process | None:
    """The process of this machine with that number that began then, while it is there: without that time there is none.
    Raises psutil.AccessDenied where it may not be looked at."""
    if pid is None or began_at is None:
        return None
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - began_at) > STARTS_DIFFER_S:
            return None
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


def is_running(pid: int | None, began_at: float | None) -> bool:
    """Whether `process_at` has one; True for one that may not be looked at, which nobody knows to have gone."""
    try:
        return process_at(pid, began_at) is not None
    except psutil.AccessDenied:
        return True
