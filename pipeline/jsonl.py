"""JSON lines: one value per line, the only reader and the only writer of such files here.

A line ends at a line feed and nowhere else. `str.splitlines` also cuts at U+2028, U+2029, U+0085 and some control
characters, which JSON allows inside a string, so that one pasted text would make a file unreadable. Files are UTF-8,
with or without a byte order mark, and are read line by line; blank lines count but hold nothing, and CRLF is accepted.
"""

import codecs
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pipeline import artifacts
from pipeline.errors import said_by
from pipeline.i18n import N_, Message, about
from pipeline.records import to_json

MAX_LINE_BYTES = 64 * 1024 * 1024
BLOCK_BYTES = 65_536
# Written as escapes, so that programs which do cut lines there read our files too.
_OTHER_LINE_ENDS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "\u0085\u2028\u2029"}


class LineError(ValueError):
    """A line that is no JSON. `number` counts from 1; the message names the line, `reason` does not."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(about(Message(N_("line {line}"), line=str(number)), reason))
        self.number = number
        self.reason = reason


@dataclass(frozen=True)
class Line:
    """One line that is not blank: its number from 1, and the value on it or why there is none. `cut` says that the
    file ends in this line without a line feed, as after a writer that was killed."""

    number: int
    value: Any = None
    error: LineError | None = None
    cut: bool = False


def dumps(value: Any) -> bytes:
    """One line with its line feed. Records are allowed; non-finite numbers become null. Half a surrogate pair, which
    UTF-8 cannot hold, is kept as an escape."""
    text = json.dumps(to_json(value), ensure_ascii=False, allow_nan=False)
    return text.translate(_OTHER_LINE_ENDS).encode("utf-8", "backslashreplace") + b"\n"


def write(path: Path, values: Iterable[Any]) -> None:
    """Replace `path` by these values, whole or not at all."""
    with artifacts.replacing(path) as temporary, temporary.open("wb") as file:
        file.writelines(map(dumps, values))


def append(path: Path, *values: Any, durable: bool = False) -> None:
    """Add lines; two writers at once want a lock (`pipeline.locks`), and the folder must be there. With `durable`, they
    are on the disk when this returns.

    Half a line at the end, left by a writer that was killed or ran out of disk, is taken away first: it was never
    saved, and would spoil the line after it.
    """
    content = b"".join(map(dumps, values))
    with artifacts.naming(path), path.open("ab+") as file:
        start, tail = _unended(file)
        if tail and _parsed(0, tail).error is None:
            content = b"\n" + content  # whole, but for its line feed
        elif tail:
            file.truncate(start)
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def lines(path: Path) -> Iterator[Line]:
    """Every line that is not blank, each with its value or its error, for callers that list what is wrong.

    Raises OSError where the file cannot be read.
    """
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(MAX_LINE_BYTES):
            number += 1
            if number == 1:
                raw = raw.removeprefix(codecs.BOM_UTF8)
            ended = raw.endswith(b"\n")
            if not ended and len(raw) >= MAX_LINE_BYTES:
                while not ended and (rest := file.readline(MAX_LINE_BYTES)):
                    ended = rest.endswith(b"\n")
                yield Line(
                    number,
                    error=LineError(number, Message(N_("it has over {most} MiB"), most=str(MAX_LINE_BYTES >> 20))),
                    cut=not ended,
                )
            elif raw.strip():
                yield _parsed(number, raw, cut=not ended)


def read(path: Path, *, cut_end: bool = False, damaged: bool = False) -> Iterator[Any]:
    """The values in order.

    Args:
        cut_end: leave out a last line that was cut off while it was written, as befits a log that is appended to.
        damaged: leave out every line that is no JSON.

    Raises LineError at the first line that cannot be read and is not left out, OSError for the file.
    """
    for line in lines(path):
        if line.error is None:
            yield line.value
        elif not damaged and not (cut_end and line.cut):
            raise line.error


def read_from(path: Path, offset: int = 0) -> tuple[list[Any], int]:
    """What was added to a growing file since byte `offset`, and the offset after it. A last line that is not ended
    yet waits for the next call; lines that are no JSON are left out. No values where there is no file."""
    if not path.is_file():
        return [], 0
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read()
    end = content.rfind(b"\n") + 1
    raw = [line for line in content[:end].split(b"\n") if line.strip()]
    try:
        values: list[Any] = json.loads(b"[" + b",".join(raw) + b"]")  # a tenth of the time that single lines take
        if len(values) == len(raw):
            return values, offset + end
    except (ValueError, RecursionError):
        pass
    parsed = (_parsed(number, line) for number, line in enumerate(raw, start=1))
    return [line.value for line in parsed if line.error is None], offset + end


def _unended(file: BinaryIO) -> tuple[int, bytes]:
    """Where the last line feed ends, and what follows it."""
    start, tail = file.seek(0, os.SEEK_END), b""
    while start:
        size = min(start, BLOCK_BYTES)
        file.seek(start - size)
        block = file.read(size)
        if (end := block.rfind(b"\n") + 1) > 0:
            return start - size + end, block[end:] + tail
        start, tail = start - size, block + tail
    return 0, tail


def _parsed(number: int, raw: bytes, cut: bool = False) -> Line:
    try:
        return Line(number, json.loads(raw.decode("utf-8")), cut=cut)
    except UnicodeDecodeError as error:
        reason = said_by(error)
    except RecursionError:
        reason = Message(artifacts.NESTED)
    except ValueError as error:
        reason = Message(N_("it is not JSON: {reason}"), reason=said_by(error))
    return Line(number, error=LineError(number, reason), cut=cut)
