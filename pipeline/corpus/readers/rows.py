"""Rows of other people's tables, one at a time: which separator and encoding they have is told by their header."""

import codecs
import csv
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.errors import CorpusError
from pipeline.text import lines_of

SEPARATORS = ",;\t|"


@dataclass(frozen=True)
class Row:
    """A row with its line (from 1), its values by column or whatever stands there instead, and why it cannot be
    used."""

    number: int
    values: Any = None
    error: str = ""


def encoding_of(content: bytes) -> str:
    """UTF-8 or UTF-16 by the byte order mark, else UTF-8 where the bytes allow it, else Windows-1254 (Turkish, whose
    other letters are those of Western Europe)."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with suppress(UnicodeDecodeError):
        decoder.decode(content)  # an incomplete character at the end is no error
        return "utf-8-sig"
    return "cp1254"


def decoded(path: Path) -> str:
    """A text file in any of these encodings. Raises OSError, and CorpusError for what is no text."""
    content = path.read_bytes()
    try:
        return content.decode(encoding_of(content))
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path.name} is no text ({error.reason}). Save it as UTF-8.") from error


def table_rows(path: Path, known: Collection[str], *, quoted: bool = True) -> Iterator[Row]:
    """A table with a header line; its separator is the one that yields most of the `known` columns, in any case. A row
    is a line: one with a quote that is not closed, or with more or fewer cells than the header, has an error and takes
    no other with it. Raises CorpusError for what is no text."""
    quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    try:
        with path.open("rb") as file:
            encoding = encoding_of(file.read(1 << 20))
        with path.open(encoding=encoding, newline="") as file:
            header = file.readline()
            separator = max(SEPARATORS, key=lambda sign: len(_columns(header, sign) & set(known)))
            columns: list[str] = []
            for number, line in enumerate(chain([header], file), start=1):
                try:
                    cells = next(csv.reader([line], delimiter=separator, quoting=quoting, strict=True), [])
                except csv.Error:
                    yield Row(
                        number, line.strip(), "a quote that is not closed; close it, or double the quotes in a text"
                    )
                    continue
                if not columns:
                    columns = [_column(cell, known) for cell in cells]
                elif any(cells):
                    yield Row(number, dict(zip(columns, cells, strict=False)), _misfit(columns, cells))
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is no text ({error.reason}). Save it as UTF-8.") from error


def _misfit(columns: list[str], cells: list[str]) -> str:
    return f"{len(cells)} cells, where the header has {len(columns)}" if len(cells) != len(columns) else ""


def _columns(header: str, separator: str) -> set[str]:
    return {_column(cell, ()) for line in lines_of(header)[:1] for cell in line.split(separator)}


def _column(cell: str, known: Collection[str]) -> str:
    """As it is known: in small letters without quotes and blanks around; as it is where nobody knows it."""
    plain = cell.strip().strip('"').strip().casefold().replace(" ", "_")
    return plain if not known or plain in known else cell.strip()
