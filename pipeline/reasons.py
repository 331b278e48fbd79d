"""What the system and libraries say of a failure, in plain words that can be translated.

They are parts of sentences ("{file} cannot be read: {reason}."), so they begin with a small letter, have no full stop,
and do not name the file. `pipeline.errors.said_by` asks for them; what has no words here is told as it was raised.
"""

import errno
import json
import os
import re
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from typing import Any

from pipeline.i18n import N_, Message

# For want of room: on the disk, in a quota, in what one file may take.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FOLDED = {errno.EPERM: errno.EACCES, errno.ENFILE: errno.EMFILE}
_SYSTEM = {
    errno.ENOENT: N_("there is no such file or folder"),
    errno.EACCES: N_("permission denied"),
    errno.ENOSPC: N_("the disk is full"),
    errno.EDQUOT: N_("the disk quota is used up"),
    errno.EFBIG: N_("it is larger than a file may be there"),
    errno.EROFS: N_("the disk is read-only"),
    errno.EIO: N_("the disk or network drive reports an error"),
    errno.EISDIR: N_("it is a folder"),
    errno.ENOTDIR: N_("a part of its path is not a folder"),
    errno.EEXIST: N_("it already exists"),
    errno.ENOTEMPTY: N_("the folder is not empty"),
    errno.ENAMETOOLONG: N_("its name is too long"),
    errno.ELOOP: N_("its links lead in a circle"),
    errno.EMFILE: N_("too many files are open"),
    errno.ENOMEM: N_("the memory is full"),
    errno.EBUSY: N_("another program is using it"),
    errno.ETXTBSY: N_("another program is using it"),
    errno.ESTALE: N_("its network drive is no longer connected"),
    errno.EADDRINUSE: N_("another program is using this address"),
    errno.EADDRNOTAVAIL: N_("this computer does not have this address"),
    errno.ECONNREFUSED: N_("the connection was refused"),
    errno.ECONNRESET: N_("the connection was interrupted"),
    errno.EPIPE: N_("the connection was interrupted"),
    errno.ETIMEDOUT: N_("there was no answer in time"),
    errno.EHOSTUNREACH: N_("the network is not reachable"),
    errno.ENETUNREACH: N_("the network is not reachable"),
}

_NO_AUDIO = N_("it is not in an audio format that can be read")
_UNSUPPORTED = N_("this kind of audio is not supported")
_DAMAGED = N_("the audio in it is damaged")
_FFMPEG_ERRORS = {0x41444E49: _DAMAGED, 0x20464F45: N_("it ends too early")}  # AVERROR_INVALIDDATA, AVERROR_EOF
_SNDFILE_UNSUPPORTED = (4, 18, 78, 92, 100, 106, 110, 123, 159, 176, 183)
_SNDFILE = {
    1: _NO_AUDIO, 7: _NO_AUDIO, 8: _NO_AUDIO, 9: N_("it could not be opened"), 17: _SYSTEM[errno.ENOMEM],
    **dict.fromkeys((3, 5, 6, 19, 32, 33, 34, *range(61, 180)), _DAMAGED),
    **dict.fromkeys(_SNDFILE_UNSUPPORTED, _UNSUPPORTED),
}  # fmt: skip

_JSON = {
    "Expecting value": N_("a value was expected here"),
    "Expecting property name enclosed in double quotes": N_("a key in double quotes is missing"),
    "Expecting ':' delimiter": N_("a colon is missing"),
    "Expecting ',' delimiter": N_("a comma or closing bracket is missing"),
    "Unterminated string starting at": N_("a text has no closing quote"),
    "Invalid control character at": N_("a text has a line end or another control character"),
    "Invalid \\escape": N_("a text has an unknown escape (a backslash with a wrong letter)"),
    "Invalid \\uXXXX escape": N_("a text has an unknown escape (a backslash with a wrong letter)"),
    "Extra data": N_("there is more text after the end"),
    "Illegal trailing comma before end of object": N_("there is a comma after the last entry"),
    "Illegal trailing comma before end of array": N_("there is a comma after the last entry"),
}
_YAML = {
    "mapping values are not allowed": N_("a colon is not allowed here; put the text in quotes"),
    "cannot start any token": N_("this character cannot stand here; use quotes, and no tabs"),
    "did not find expected ',' or": N_("a comma or closing bracket is missing"),
    "unexpected end of stream": N_("a text has no closing quote"),
    "did not find expected '-' indicator": N_("the indentation is wrong, or a “-” is missing"),
    "did not find expected key": N_("the indentation is wrong, or a key is missing"),
    "could not find expected ':'": N_("a colon is missing"),
    "undefined alias": N_("it refers to a name that is not defined"),
    "unknown escape": N_("a text has an unknown escape (a backslash with a wrong letter)"),
}
_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")
# What Python says of a value that is not of its kind.
_PYTHON = (
    (re.compile(r"(?P<value>.+) is not a valid \w+", re.DOTALL), N_("{value} is not a known value")),
    (re.compile(r"could not convert string to float: (?P<value>.+)", re.DOTALL), N_("{value} is not a number")),
    (
        re.compile(r"invalid literal for int\(\) with base 10: (?P<value>.+)", re.DOTALL),
        N_("{value} is not a whole number"),
    ),
    (re.compile(r"Invalid isoformat string: (?P<value>.+)", re.DOTALL), N_("{value} is not a time")),
)


def own_words(error: BaseException) -> str | None:
    """Why `error` was raised, by its number, class or position rather than its text where it has one; None for what has
    no words here."""
    if isinstance(error, KeyError):
        return Message(N_("{key} is missing"), key=str(error))
    if isinstance(error, json.JSONDecodeError):
        return Message(N_("it is empty")) if not error.doc.strip() else _of_json(error)
    if isinstance(error, UnicodeDecodeError):
        return Message(N_("byte {n} is not {encoding}"), n=str(error.start + 1), encoding=error.encoding.upper())
    if system_number(error) is not None:
        return _of_the_system(error)
    soundfile = sys.modules.get("soundfile")
    if soundfile is not None and isinstance(error, soundfile.LibsndfileError):
        return _of_sndfile(error)
    yaml = sys.modules.get("yaml")
    if yaml is not None and isinstance(error, yaml.YAMLError):
        return _of_yaml(error)
    if isinstance(error, tomllib.TOMLDecodeError):
        return _of_toml(error)
    if isinstance(error, zipfile.BadZipFile):
        return Message(N_("it is damaged, or no such archive"))
    if isinstance(error, ValueError):
        matches = ((pattern.fullmatch(str(error)), msgid) for pattern, msgid in _PYTHON)
        return next((Message(msgid, value=match["value"]) for match, msgid in matches if match), None)
    if isinstance(error, TypeError | AttributeError):
        return Message(N_("a value is of the wrong kind ({reason})"), reason=str(error)) if str(error) else None
    return None


def _of_toml(error: tomllib.TOMLDecodeError) -> Message:
    place = _TOML_PLACE.search(str(error))
    reason = Message(N_("it is not valid TOML"))
    return _at_place(int(place[1]), int(place[2]), reason) if place else reason


def _of_yaml(error: Any) -> str:
    """In one line."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or ""
    known = _first(msgid for sign, msgid in _YAML.items() if sign in problem)
    if mark is None or not known:
        return " ".join(str(error).split())
    return _at_place(mark.line + 1, mark.column + 1, Message(known))


def _of_json(error: json.JSONDecodeError) -> Message:
    reason = Message(_JSON[error.msg]) if error.msg in _JSON else error.msg
    if "\n" not in error.doc.strip():
        return Message(N_("column {column}: {reason}"), column=str(error.colno), reason=reason)
    return _at_place(error.lineno, error.colno, reason)


def _at_place(line: int, column: int, reason: str) -> Message:
    """Behind the place in a text, both counted from 1."""
    return Message(N_("line {line}, column {column}: {reason}"), line=str(line), column=str(column), reason=reason)


def system_number(error: BaseException) -> int | None:
    """The number of a failure of the system, one for those that mean the same; None for another error."""
    number = getattr(error, "errno", None)
    return _FOLDED.get(number, number) if isinstance(number, int) else None


def no_space(error: BaseException) -> int | None:
    """The number in NO_SPACE of a write that failed for want of room; None for another error."""
    number = error.errno if isinstance(error, OSError) else None
    return number if number in NO_SPACE else None


def _of_the_system(error: Any) -> str | None:
    """What the error itself says, where it was not raised by the system, is kept."""
    number, told = system_number(error), getattr(error, "strerror", None)
    if number in _FFMPEG_ERRORS:
        return Message(_FFMPEG_ERRORS[number])
    known = _SYSTEM.get(number or 0)
    if known is not None and told in (None, os.strerror(error.errno)):
        return Message(known)
    return told or None


def _of_sndfile(error: Any) -> str:
    known = _SNDFILE.get(error.code)
    return Message(known) if known else str(error.error_string).strip().rstrip(".")


def _first(values: Iterable[str]) -> str:
    return next(iter(values), "")
