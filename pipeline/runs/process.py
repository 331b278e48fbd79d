"""The process that works on a run: whether it has gone, asked where that can be known, and that there is one only."""

import fcntl
import socket
from functools import cache
from pathlib import Path

import psutil

BOOT = Path("/proc/sys/kernel/random/boot_id")
NAMESPACE = Path("/proc/self/ns/pid")


@cache
def this_machine() -> str:
    """What names the machine since it was started, and the container within it that counts processes for itself: by the
    host's name alone two containers can look like one."""
    try:
        return f"{BOOT.read_text(encoding='ascii').strip()} {NAMESPACE.readlink()}"
    except OSError:  # not Linux
        return f"{socket.gethostname()} {psutil.boot_time():.0f}"


def has_gone(pid: int | None, machine: str) -> bool:
    """Whether the process is known to be no more. False where it ran elsewhere, and where its number has been given to
    another one: then only the age of its last sign of life tells."""
    if pid is None or machine != this_machine():
        return False
    if not psutil.pid_exists(pid):
        return True
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:  # it goes at this moment, or may not be looked at
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
