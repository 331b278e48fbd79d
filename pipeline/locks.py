"""One writer a file at a time, over processes."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import PronlabError
from pipeline.records import Seconds
from pipeline.settings import Settings

TIMEOUT_S: Seconds = 10.0


@contextmanager
def locked(settings: Settings, path: Path, error: type[PronlabError]) -> Iterator[None]:
    """Hold the lock of the file `path`. Lock files lie under the data root: a corpus folder gets labels and nothing
    else. Raises `error` where somebody holds it for over 10 s, or it cannot be written."""
    locks = settings.data_root / "locks"
    lock = FileLock(locks / hashlib.sha256(os.path.realpath(path).encode()).hexdigest()[:16], timeout=TIMEOUT_S)
    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as late:
        raise error(f"{path.name} is being saved by someone else for over 10 s. Save again.") from late
    except OSError as refused:
        raise error(
            f"{locks} cannot be written ({refused.strerror or refused}); {path.name} was not saved."
        ) from refused
    try:
        yield
    finally:
        lock.release()
