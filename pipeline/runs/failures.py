"""Why a run ended, in words: what the system says of a full disk or memory helps nobody who did not write it."""

import errno

from pipeline.text import lines_of

FULL_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "unable to allocate")
KILLED = "The process ended with code 137"


def in_words(error: BaseException) -> str | None:
    """What happened and how to mend it, for failures of the machine; None for those that have words of their own."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" ({error.filename} could not be written)" if error.filename else ""
        return f"The disk is full{where}. Free space, for instance by deleting old runs, and let the run go on."
    text = str(error)
    if isinstance(error, MemoryError) or any(sign in text.lower() for sign in FULL_MEMORY):
        first = lines_of(text.strip())[0] if text.strip() else "no more is to be had"
        return (
            f"The memory is full: {first} A smaller batch with more accumulation, gradient checkpointing or 4-bit "
            "weights need less; so do other programs that are closed."
        )
    return None


def of_a_lost_run(log_tail: str) -> str:
    """What its log lets one say of a run that stopped without a word."""
    if KILLED in log_tail[-300:]:
        return (
            "The system killed the process, which it does most often when the memory is full. A smaller batch needs "
            "less; a run that keeps checkpoints can go on."
        )
    return "The process stopped without a word; see log.txt."
