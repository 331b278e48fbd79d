"""Why a run or a command ended, in words: what the system says of a full disk or memory helps nobody who did not write
it."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import PronlabError, said_by
from pipeline.i18n import N_, Message
from pipeline.optional import missing_package
from pipeline.reasons import no_space
from pipeline.text import lines_of
from pipeline.write_errors import remedy

# What libraries say of a want of room, in small letters.
_NO_SPACE_SIGNS = {
    errno.ENOSPC: ("no space left on device", "not enough disk space", "(os error 28)", "database or disk is full"),
    errno.EDQUOT: ("disk quota exceeded", "(os error 122)"),
    errno.EFBIG: ("file too large", "(os error 27)"),
}
FULL_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "unable to allocate")
ENDED = "The process ended with code "
KILLED = f"{ENDED}137"


FREE_SPACE = N_("Completed files are kept. Free space, for instance by deleting old runs, then resume or retry.")
# With the file and without, and what to do.
_NO_SPACE_WORDS = {
    errno.ENOSPC: (N_("The disk is full: {file} could not be written."), N_("The disk is full."), FREE_SPACE),
    errno.EDQUOT: (
        N_("The disk quota is used up: {file} could not be written."), N_("The disk quota is used up."), FREE_SPACE,
    ),
    errno.EFBIG: (
        N_("{file} could not be written: it is larger than a file may be there."),
        N_("A file is larger than a file may be there."),
        N_("Completed files are kept. Raise the limit on file sizes (`ulimit -f`), then resume or retry."),
    ),
}  # fmt: skip
FREE_MEMORY = N_(
    "Use a smaller batch with more accumulation, gradient checkpointing or 4-bit weights, or close other programs."
)


def in_words(error: BaseException) -> Message | None:
    """What happened and how to mend it, for failures of the machine; None for those that have words of their own."""
    if isinstance(error, PronlabError):
        return None
    for cause in _causes(error):
        needed = missing_package(cause)
        if needed is not None:
            return needed
        number = _no_space(cause)
        if number is not None:
            name = getattr(cause, "filename", None)
            of_the_file, alone, advice = _NO_SPACE_WORDS[number]
            return _with_advice(Message(of_the_file, file=str(name)) if name else Message(alone), advice)
        if isinstance(cause, MemoryError) or any(sign in str(cause).lower() for sign in FULL_MEMORY):
            text = str(cause).strip()
            return _with_advice(
                Message(N_("The memory is full: {reason}."), reason=lines_of(text)[0].rstrip("."))
                if text
                else Message(N_("The memory is full.")),
                FREE_MEMORY,
            )
    return None


def _with_advice(what: Message, advice: str) -> Message:
    return Message("{what} {advice}", what=what, advice=Message(advice))


def of_the_system(error: OSError) -> Message:
    """Any failure of the system: which file, why, and where it is known how to mend it."""
    words = in_words(error)
    if words is not None:
        return words
    file = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename or "")
    what = Message("{file}: {reason}.", file=file or Message(N_("A file")), reason=said_by(error))
    mended = remedy(error, Path(file), writing=False) if file else None
    return what if mended is None else Message("{what} {advice}", what=what, advice=mended)


def of_a_lost_run(log_tail: str) -> Message:
    """Why a run ended without reporting it, as far as its log shows."""
    if KILLED in log_tail[-300:]:
        return Message(
            N_("The system killed the process, most often because the memory was full. Use a smaller batch; a run with "
               "checkpoints can be resumed.")
        )  # fmt: skip
    return Message(N_("The process ended without reporting why; see the log."))


def _no_space(error: BaseException) -> int | None:
    """The number of a failure for want of room, by itself or by what a library made of it; None for another error."""
    number = no_space(error)
    if number is not None:
        return number
    text = str(error).lower()
    return next((number for number, signs in _NO_SPACE_SIGNS.items() if any(sign in text for sign in signs)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from: libraries wrap the system's."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
