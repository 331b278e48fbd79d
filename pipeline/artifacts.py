"""Files that appear whole or not at all: written under a temporary name, flushed to disk, then renamed."""

import errno
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import PronlabError, said_by
from pipeline.i18n import N_, Message
from pipeline.reasons import NO_SPACE, no_space
from pipeline.records import to_json

if TYPE_CHECKING:
    from torch import Tensor

TEMPORARY_PREFIX = ".tmp-"
FULL_BELOW_BYTES = 64 * 1024
MOST_YAML_CHARACTERS = 10_000_000  # with everything that aliases repeat
_OS_ERROR = re.compile(r"\(os error (\d+)\)")  # how libraries written in Rust tell the system's errors
NESTED = N_("it is nested too deeply")
_DEVICES = (Path("/dev"), Path("/proc"))


def _umask() -> int:
    """Of the process, which can only be asked for by setting it: once, before there are threads."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_UMASK = _umask()


def allowed(mode: int) -> int:
    """A file's or folder's mode without what whoever started the process keeps from others (its umask)."""
    return mode & ~_UMASK


@contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on a clean exit it is fsynced, given `mode` less the umask and renamed over
    `path`. Until then only its owner may read it.

    If the body raises, `path` keeps its former content and the temporary file is removed. A process killed in
    between leaves only a file named `.tmp-*`, which every reader here ignores. A want of room is raised as OSError with
    `path`, whatever the library that wrote made of it, as is any other failure of the system that names no file.
    Raises OSError for a `path` at which something other than a file stands: a device would be lost.
    """
    _require_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path):
        handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        with naming(path):
            yield temporary
            _fsync(temporary)
            temporary.chmod(allowed(mode))
            temporary.replace(path)
            _fsync(path.parent)
    except BaseException as error:
        number = _no_space(error, path.parent) if isinstance(error, Exception) else None
        with suppress(FileNotFoundError):
            temporary.unlink()
        if number is not None:
            raise OSError(number, os.strerror(number), str(path)) from error
        raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """While `path` is written: a failure of the system that names no file, or a temporary one, is raised as OSError
    with `path`."""
    try:
        yield
    except OSError as error:
        name = error.filename
        if error.errno is None or not (name is None or Path(os.fsdecode(name)).name.startswith(TEMPORARY_PREFIX)):
            raise
        raise OSError(error.errno, error.strerror or os.strerror(error.errno), str(path)) from error
    except Exception as error:
        told = _OS_ERROR.search(str(error))
        if isinstance(error, PronlabError) or told is None or int(told[1]) not in NO_SPACE:
            raise
        raise OSError(int(told[1]), os.strerror(int(told[1])), str(path)) from error


def require_writable(path: Path) -> None:
    """Try whether a file or folder could be written at `path`, and leave nothing: asked before work whose result is to
    go there. Raises OSError that names what is in the way."""
    with naming(path):
        if not is_missing(path) and not path.is_dir():
            _require_file(path)
        folder = path
        while is_missing(folder):
            folder = folder.parent
        if folder == path and not path.is_dir():
            folder = path.parent
        with tempfile.TemporaryFile(prefix=TEMPORARY_PREFIX, dir=folder):
            pass


def write_bytes(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Records are allowed as `value`; non-finite numbers become null, so that any JSON reader takes the file. Half a
    surrogate pair, as in the name of a file that is not UTF-8, is kept as an escape."""
    text = json.dumps(to_json(value), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def read_json(path: Path) -> Any:
    """Raises OSError, and ValueError for whatever is no JSON. A byte order mark is passed over."""
    return loads(path.read_bytes())


def loads(content: bytes | str) -> Any:
    """The value in JSON text, UTF-8 with or without a byte order mark. Raises ValueError for whatever is none, and for
    what is nested deeper than Python can follow."""
    try:
        return json.loads(content.decode("utf-8-sig") if isinstance(content, bytes) else content)
    except RecursionError as error:
        raise ValueError(Message(NESTED)) from error


def loads_yaml(content: bytes | str) -> Any:
    """The value in YAML text. Raises ValueError in one line for whatever is none: PyYAML itself raises other things for
    dates that are none, and for what is nested too deeply. Aliases (`*name`) may repeat a value, but not without end or
    so often that whoever walks through it is kept for hours."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where PyYAML was built with libyaml
    try:
        value = yaml.load(content.decode("utf-8-sig") if isinstance(content, bytes) else content, loader)  # noqa: S506
        if _length(value, {}) > MOST_YAML_CHARACTERS:
            raise ValueError(Message(N_("its aliases repeat too much")))
        return value
    except RecursionError as error:
        raise ValueError(Message(NESTED)) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(said_by(error)) from error


def _length(value: Any, known: dict[int, int]) -> int:
    """Of all its texts and other values together, each as often as it is repeated. Raises RecursionError for what
    contains itself."""
    if isinstance(value, str | bytes):
        return 1 + len(value)
    if not isinstance(value, dict | list | set | tuple):
        return 1
    if id(value) not in known:
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_length(part, known) for part in parts)
    return known[id(value)]


def write_tensors(path: Path, tensors: "Mapping[str, Tensor]", metadata: dict[str, str] | None = None) -> None:
    """As safetensors, wherever they lie and whether or not they share memory."""
    from safetensors.torch import save_file

    with replacing(path) as temporary:
        copies = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        save_file(copies, temporary, metadata)


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


def stamp_of(path: Path) -> str:
    """Size and time of a file, by which a later look tells that it was changed; "missing" where it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return "missing"
    return f"{stat.st_size}:{stat.st_mtime_ns}"


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_file(path: Path) -> None:
    """Raises OSError where something stands that a file must not replace."""
    if is_missing(path):
        return
    # A link to a file is replaced itself, not followed; /dev/stdout is such a link while the output goes to a file.
    of_the_system = path.is_symlink() and any(map(path.parent.resolve().is_relative_to, _DEVICES))
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:  # a link that leads nowhere
        is_file = False
    if of_the_system or not is_file:
        raise OSError(errno.EINVAL, Message(N_("it is not a file; name another")), str(path))


def _no_space(error: Exception, folder: Path) -> int | None:
    """The number of NO_SPACE where a write failed for want of it, asked while what was written still takes its own:
    safetensors, torch and numpy each raise something of their own then."""
    if isinstance(error, OSError) and error.errno is not None:
        return no_space(error)
    with suppress(OSError):
        return errno.ENOSPC if shutil.disk_usage(folder).free < FULL_BELOW_BYTES else None
    return None


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
