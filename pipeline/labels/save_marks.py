"""Marks of saves under way: a process killed between a label file and the index leaves its mark behind."""

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.database import NoRoomError
from pipeline.errors import LabelError
from pipeline.i18n import N_
from pipeline.processes import is_running, started_at, this_machine
from pipeline.records import Seconds
from pipeline.write_errors import not_written, to_name

SAVE_LASTS_AT_MOST_S: Seconds = 60.0
# What is saved, machine, process, when that began, thread; earlier versions named the host instead, and no time.
_MARK = re.compile(r"[0-9a-f]{16}-(?:(?P<machine>[0-9a-f]{16})-(?P<pid>\d+)-(?P<began_at>\d+\.\d+)|.+-\d+)-\d+")


class SaveMarks:
    """One file per save in a folder of `data_root`, which names what is saved and by which process."""

    def __init__(self, data_root: Path) -> None:
        self._data_root = data_root
        self._folder = data_root / "locks" / "saving"

    @contextmanager
    def hold(self, what: str) -> Iterator[Callable[[], None]]:
        """Hold a mark while `what` (a recording's labels, a set) is written and the index told of it. A process killed
        in between leaves the mark behind, and a later `Index.ensure` reads the files again. What may last longer than
        SAVE_LASTS_AT_MOST_S calls the function that is yielded now and then, so that nobody takes it for dead. Raises
        LabelError where the mark cannot be set."""
        process = f"{_digest(this_machine())}-{os.getpid()}-{started_at():.2f}"
        mark = self._folder / f"{_digest(what)}-{process}-{threading.get_ident()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            mark.write_text(what, encoding="utf-8")
        except OSError as error:
            with suppress(OSError):
                mark.unlink()
            raise LabelError(
                not_written(
                    N_("{path} cannot be written ({reason}); nothing was saved."),
                    to_name(self._data_root, self._folder, error), error,
                )
            ) from error  # fmt: skip
        try:
            yield lambda: _touch(mark)
        except NoRoomError:  # written, but the index does not know: the mark stays
            raise
        except BaseException:
            mark.unlink(missing_ok=True)
            raise
        mark.unlink(missing_ok=True)

    def orphaned(self) -> list[Path]:
        """Marks of processes that are no more, as far as that can be known, and those older than any save can last."""
        oldest = time.time() - SAVE_LASTS_AT_MOST_S
        orphans: list[Path] = []
        try:
            for mark in self._folder.iterdir():
                known = _MARK.fullmatch(mark.name)
                if known is None:  # no mark of ours, such as a file manager's
                    continue
                if _has_gone(known) or mark.stat().st_mtime < oldest:
                    orphans.append(mark)
        except FileNotFoundError:  # none was ever set, or one has just been taken away
            return orphans
        return orphans


def _has_gone(mark: re.Match[str]) -> bool:
    """Whether the process that left the mark is known to be no more."""
    if mark["machine"] != _digest(this_machine()):
        return False
    return not is_running(int(mark["pid"]), float(mark["began_at"]))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _touch(mark: Path) -> None:
    with suppress(OSError):
        os.utime(mark)
