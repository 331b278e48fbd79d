"""Files that appear whole or not at all: written under a temporary name, flushed to disk, then renamed."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.records import to_json

if TYPE_CHECKING:
    from torch import Tensor

TEMPORARY_PREFIX = ".tmp-"
FULL_BELOW_BYTES = 64 * 1024


@contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on a clean exit it is fsynced, given `mode` and renamed over `path`. Until
    then only its owner may read it.

    If the body raises, `path` keeps its former content and the temporary file is removed. A process killed in
    between leaves only a file named `.tmp-*`, which every reader here ignores. A full disk is raised as OSError with
    `path`, whatever the library that wrote made of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _fsync(temporary)
        temporary.chmod(mode)
        temporary.replace(path)
        _fsync(path.parent)
    except BaseException as error:
        full = isinstance(error, Exception) and _is_full(error, path.parent)
        with suppress(FileNotFoundError):
            temporary.unlink()
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise


def write_bytes(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Records are allowed as `value`; non-finite numbers become null, so that any JSON reader takes the file."""
    write_text(path, json.dumps(to_json(value), ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def write_tensors(path: Path, tensors: "Mapping[str, Tensor]", metadata: dict[str, str] | None = None) -> None:
    """As safetensors, wherever they lie and whether or not they share memory."""
    from safetensors.torch import save_file

    with replacing(path) as temporary:
        own = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        save_file(own, temporary, metadata)


def is_missing(path: Path) -> bool:
    """Whether nothing at all has that name. A folder, a link that leads nowhere or in a circle, and what may not be
    looked at are there: who asks whether a list closes something must not take them for no list."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_full(error: Exception, folder: Path) -> bool:
    """Whether a write failed for want of space, asked while what was written still takes its own: safetensors, torch
    and numpy each raise something of their own then."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno == errno.ENOSPC
    with suppress(OSError):
        return shutil.disk_usage(folder).free < FULL_BELOW_BYTES
    return False


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
