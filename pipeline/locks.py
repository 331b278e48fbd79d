"""One writer a file at a time, over processes."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import PronlabError, said_by
from pipeline.i18n import N_
from pipeline.records import Seconds
from pipeline.settings import Settings
from pipeline.write_errors import not_written, to_name

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
        raise error(
            N_("{path} cannot be followed ({reason}). Is it a link to itself? Remove the link."),
            path=str(path), reason=said_by(circle),
        ) from circle  # fmt: skip
    lock = FileLock(locks / name, timeout=within_s)
    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as late:
        if busy:
            raise error(busy) from late
        raise error(
            N_("{file} is being saved by someone else for over {seconds} s. Save again."),
            file=path.name, seconds=f"{within_s:g}",
        ) from late  # fmt: skip
    except OSError as refused:
        raise error(
            not_written(
                N_("{path} cannot be written ({reason}); {file} was not saved."),
                to_name(settings.data_root, locks, refused), refused, file=path.name,
            )
        ) from refused  # fmt: skip
    try:
        yield
    finally:
        lock.release()
