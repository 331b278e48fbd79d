"""One writer a label file at a time, over processes."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import LabelError
from pipeline.records import Seconds
from pipeline.settings import Settings

TIMEOUT_S: Seconds = 10.0


@contextmanager
def label_lock(settings: Settings, path: Path) -> Iterator[None]:
    """Hold the lock of the label file `path`. Lock files lie under the data root: a corpus folder gets labels and
    nothing else. Raises LabelError where somebody holds it for over 10 s, or it cannot be written."""
    locks = settings.data_root / "locks"
    lock = FileLock(locks / hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16], timeout=TIMEOUT_S)
    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise LabelError(f"{path.name} is being saved by someone else for over 10 s. Save again.") from error
    except OSError as error:
        raise LabelError(f"{locks} cannot be written ({error.strerror or error}); the label was not saved.") from error
    try:
        yield
    finally:
        lock.release()
