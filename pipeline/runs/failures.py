"""Why a run or a command ended, in words: what the system says of a full disk or memory helps nobody who did not write
it."""

import errno
from collections.abc import Iterator

from pipeline.errors import PronlabError
from pipeline.optional import missing_package
from pipeline.text import lines_of

FULL_DISK = (
    "no space left on device", "(os error 28)", "database or disk is full", "disk quota exceeded", "(os error 122)",
)  # fmt: skip
FULL_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "unable to allocate")
KILLED = "The process ended with code 137"


def in_words(error: BaseException) -> str | None:
    """What happened and how to mend it, for failures of the machine; None for those that have words of their own."""
    if isinstance(error, PronlabError):
        return None
    for cause in _causes(error):
        needed = missing_package(cause)
        if needed is not None:
            return needed
        if _is_full_disk(cause):
            name = getattr(cause, "filename", None)
            where = f" ({name} could not be written)" if name else ""
            return (
                f"The disk is full{where}: what was written whole before stays as it is. Free space, for instance by "
                "deleting old runs, and let the run go on, or run the command again."
            )
        if isinstance(cause, MemoryError) or any(sign in str(cause).lower() for sign in FULL_MEMORY):
            text = str(cause).strip()
            first = lines_of(text)[0] if text else "no more is to be had"
            return (
                f"The memory is full: {first} A smaller batch with more accumulation, gradient checkpointing or 4-bit "
                "weights need less; so do other programs that are closed."
            )
    return None


def of_the_system(error: OSError) -> str:
    """Any failure of the system in one sentence: which file, and why."""
    return in_words(error) or f"{error.filename or 'A file'}: {error.strerror or error}."


def of_a_lost_run(log_tail: str) -> str:
    """What its log lets one say of a run that stopped without a word."""
    if KILLED in log_tail[-300:]:
        return (
            "The system killed the process, which it does most often when the memory is full. A smaller batch needs "
            "less; a run that keeps checkpoints can go on."
        )
    return "The process stopped without a word; see log.txt."


def _is_full_disk(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return any(sign in str(error).lower() for sign in FULL_DISK)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from: libraries wrap the system's."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
