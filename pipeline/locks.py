"""One writer a file at a time, over processes."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import PronlabError
from pipeline.records import Seconds
from pipeline.settings import Settings

TIMEOUT_S: Seconds = 10.0


@contextmanager
def locked(
    settings: Settings, path: Path, error: type[PronlabError], *, within_s: Seconds = TIMEOUT_S, busy: str = ""
) -> Iterator[None]:
    """Hold the lock of the file or folder `path`. Lock files lie under the data root: a corpus folder gets labels and
    nothing else. Raises `error`, with the text `busy`, where somebody holds it for over `within_s`; or where the lock
    cannot be written."""
    locks = settings.data_root / "locks"
    try:
        name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    except (OSError, RuntimeError) as circle:
        raise error(f"{path} cannot be followed ({circle}). Is it a link to itself? Remove the link.") from circle
    lock = FileLock(locks / name, timeout=within_s)
    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as late:
        raise error(
            busy or f"{path.name} is being saved by someone else for over {within_s:g} s. Save again."
        ) from late
    except OSError as refused:
        raise error(
            f"{locks} cannot be written ({refused.strerror or refused}); {path.name} was not saved."
        ) from refused
    try:
        yield
    finally:
        lock.release()
