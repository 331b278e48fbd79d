"""Zip archives of strangers: what is in them is judged by their directory first, and never believed on sizes.

An archive can name files outside its folder, hold links, unpack to a thousand times its size, or list a million files.
"""

import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.audio.load import AUDIO_SUFFIXES
from pipeline.i18n import N_, Message
from pipeline.importing.uploads.limits import MIB, Limits
from pipeline.importing.uploads.refusal import Refused
from pipeline.zips import ZIP_ERRORS

BLOCK_BYTES = 1 << 20
END = b"PK\x05\x06"
END_BYTES, LONGEST_COMMENT = 22, 65_535
UTF8, ENCRYPTED = 0x800, 0x1
UNICODE_PATH = 0x7075
END64, END64_BYTES = b"PK\x06\x06", 56
LOCATOR, LOCATOR_BYTES = b"PK\x06\x07", 20


@dataclass(frozen=True)
class Member:
    """A file in an archive, by the name that its maker gave it."""

    name: str
    size: int
    info: zipfile.ZipInfo


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[tuple[zipfile.ZipFile, list[Member]]]:
    """The archive and its files. Raises Refused for what is no archive that can be opened within the limits."""
    _check_directory(path, limits)
    try:
        archive = zipfile.ZipFile(path)
    except (*ZIP_ERRORS, OSError) as error:
        raise _damaged() from error
    with archive:
        members = [Member(_name(info), info.file_size, info) for info in archive.infolist() if not info.is_dir()]
        _check_members(members, path.stat().st_size, limits)
        yield archive, members


def unpack(archive: zipfile.ZipFile, member: Member, target: Path, limits: Limits) -> None:
    """Raises Refused for what is no plain file, has a password, is too large, or is damaged; nothing is left then."""
    mode = member.info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise Refused("link", Message(N_("It is a link or a device, not a file. Pack the file itself.")))
    if member.size > limits.file_bytes:
        raise too_large(member.name, limits)
    if member.info.flag_bits & ENCRYPTED:
        raise Refused("encrypted", Message(N_("The archive has a password. Pack it again without one.")))
    try:
        with archive.open(member.info) as source, target.open("wb") as file:
            _copy(source, file, member.name, limits)  # type: ignore[arg-type]
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, ZIP_ERRORS):
            raise _damaged() from error
        raise


def too_large(name: str, limits: Limits) -> Refused:
    """With what to do about the file `name`: a recording is too long, a table or text has too much in one file."""
    text = N_("It is larger than {most} MB. Split it into several files.")
    if name.lower().endswith(AUDIO_SUFFIXES):
        text = N_("It is larger than {most} MB. Cut it into single words or sentences.")
    return Refused("too_large", Message(text, most=limits.file_bytes // MIB))


def _copy(source: BinaryIO, file: BinaryIO, name: str, limits: Limits) -> None:
    n_bytes = 0
    while block := source.read(BLOCK_BYTES):
        n_bytes += len(block)
        if n_bytes > limits.file_bytes:
            raise too_large(name, limits)
        file.write(block)


def _check_directory(path: Path, limits: Limits) -> None:
    """Before the list of files is read into memory: how long is it? Where a record of zip64 stands before the end
    record, `zipfile` goes by its length, whatever the end record says: the larger one counts."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - END64_BYTES - LOCATOR_BYTES - END_BYTES - LONGEST_COMMENT))
        tail = file.read()
    at = tail.rfind(END)
    if at < 0 or len(tail) < at + END_BYTES:
        raise _damaged()
    directory_bytes = int.from_bytes(tail[at + 12 : at + 16], "little")
    at64 = at - LOCATOR_BYTES - END64_BYTES
    if at64 >= 0 and tail.startswith(LOCATOR, at - LOCATOR_BYTES) and tail.startswith(END64, at64):
        directory_bytes = max(directory_bytes, int.from_bytes(tail[at64 + 40 : at64 + 48], "little"))
    if directory_bytes > limits.directory_bytes:
        raise _too_many(limits)


def _check_members(members: list[Member], size: int, limits: Limits) -> None:
    if len(members) > limits.n_files:
        raise _too_many(limits)
    total = sum(member.size for member in members)
    if total > limits.total_bytes or (total > limits.small_bytes and total > limits.ratio * size):
        raise Refused(
            "too_large",
            Message(
                N_("It would unpack to {total} MB; at most {most} MB, and {ratio} times its size, are unpacked."),
                total=total // MIB, most=limits.total_bytes // MIB, ratio=limits.ratio,
            ),
        )  # fmt: skip


def _too_many(limits: Limits) -> Refused:
    return Refused(
        "too_many",
        Message(
            N_("It has more than {most} files. Split it, or import it by its path on the server."), most=limits.n_files
        ),
    )


def _damaged() -> Refused:
    return Refused(
        "damaged", Message(N_("It is damaged or packed in a way that cannot be read. Pack it again as zip."))
    )


def _name(info: zipfile.ZipInfo) -> str:
    """As its maker wrote it: in UTF-8, also where that is not marked (macOS), else in Turkey's old code page, whose
    other letters are those of Western Europe."""
    if info.flag_bits & UTF8:
        return info.orig_filename
    extra = info.extra
    while len(extra) >= 4:
        kind, length = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        if kind == UNICODE_PATH and length > 5:
            return extra[9 : 4 + length].decode("utf-8", "replace")
        extra = extra[4 + length :]
    raw = info.orig_filename.encode("cp437", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp857", "replace")
