"""Marks of saves under way: a process killed between a label file and the index leaves its mark behind."""

import hashlib
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from pipeline.database import NoRoomError
from pipeline.errors import LabelError
from pipeline.i18n import N_
from pipeline.records import Seconds
from pipeline.write_errors import not_written, to_name

SAVE_LASTS_AT_MOST_S: Seconds = 60.0
_MARK = re.compile(r"[0-9a-f]{16}-(.*)-(\d+)-\d+")  # what is saved, host, process, thread


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
        digest = hashlib.sha256(what.encode()).hexdigest()[:16]
        mark = self._folder / f"{digest}-{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
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
        """Marks of processes that are no more, and those older than any save can last."""
        oldest, here = time.time() - SAVE_LASTS_AT_MOST_S, socket.gethostname()
        orphans: list[Path] = []
        try:
            for mark in self._folder.iterdir():
                known = _MARK.fullmatch(mark.name)
                if known is None:  # no mark of ours, such as a file manager's
                    continue
                dead = known[1] == here and not psutil.pid_exists(int(known[2]))
                if dead or mark.stat().st_mtime < oldest:
                    orphans.append(mark)
        except FileNotFoundError:  # none was ever set, or one has just been taken away
            return orphans
        return orphans


def _touch(mark: Path) -> None:
    with suppress(OSError):
        os.utime(mark)
