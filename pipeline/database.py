"""Connections to the SQLite files of an installation: one a call, write-ahead log, patient with other writers.

SQLite copies the whole log back, and takes it away, whenever the last connection to a file is closed. With a connection
a call that would be after every call; so that it is not, each process keeps one idle connection to each file open.
"""

import errno
import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from pipeline.errors import LabelError, said_by
from pipeline.i18n import N_
from pipeline.records import Seconds
from pipeline.write_errors import not_written

BUSY_TIMEOUT_S: Seconds = 30.0
MOST_KEPT = 8
REFUSED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
_lock = threading.Lock()
_kept: dict[Path, tuple[int, sqlite3.Connection]] = {}
_left_alone: list[dict[Path, tuple[int, sqlite3.Connection]]] = []


def connected(path: Path) -> sqlite3.Connection:
    """A new connection, to be closed after use. Raises sqlite3.Error where the file cannot be opened."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _open(path)
    with _lock:
        inode = path.stat().st_ino
        kept = _kept.get(path)
        if kept is None or kept[0] != inode:  # another file under the same name since
            _drop(path)
            while len(_kept) >= MOST_KEPT:
                _drop(next(iter(_kept)))
            _kept[path] = (inode, _open(path))
    return connection


class NoRoomError(LabelError):
    """SQLite found no room on the disk, or the disk failed: the file itself may be all right."""


def failure(file: str, path: Path, error: sqlite3.Error, advice: str) -> LabelError:
    """What to raise for `error` of the file at `path`, called `file`, with `advice` where the file itself is at
    fault."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in REFUSED:
        refused = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return LabelError(not_written(N_("{file} cannot be written ({reason})."), path, refused, file=file))
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return NoRoomError(
            N_(
                "{file} cannot be used now: the disk is full or fails ({reason}). Nothing was changed in it; sets"
                " and ratings on disk stay as they are. Free space and run the command again."
            ),
            file=file,
            reason=said_by(error),
        )
    return LabelError(N_("{file} failed ({reason}). {advice}"), file=file, reason=said_by(error), advice=advice)


def as_it_lies(path: Path) -> sqlite3.Connection:
    """A connection that needs no log beside the file. Raises sqlite3.Error where the file cannot be opened, or a log
    has something that it lacks."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise sqlite3.OperationalError(f"{log.name} has changes that are not yet in {path.name}")
    return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)


def forget(path: Path) -> None:
    """Let go of a file that is about to be removed."""
    with _lock:
        _drop(path)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _drop(path: Path) -> None:
    kept = _kept.pop(path, None)
    if kept is not None:
        with suppress(sqlite3.Error):
            kept[1].close()


def _after_fork() -> None:
    """A connection must not be used, nor closed, in a child that inherited it."""
    _left_alone.append(dict(_kept))
    _kept.clear()


os.register_at_fork(after_in_child=_after_fork)
