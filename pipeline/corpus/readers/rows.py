"""Rows of other people's tables, one at a time: which separator and encoding they have is told by their header."""

import codecs
import csv
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
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
    """A text file in any of these encodings. Raises OSError, and UnicodeDecodeError for what is no text."""
    content = path.read_bytes()
    return content.decode(encoding_of(content))


def table_rows(path: Path, known: Collection[str], *, quoted: bool = True) -> Iterator[Row]:
    """A table with a header line; its separator is the one that yields most of the `known` columns, in any case. A row
    with more or fewer cells than the header, or with a line end within a cell, has an error. Raises CorpusError for
    what is no table."""
    try:
        with path.open("rb") as file:
            encoding = encoding_of(file.read(1 << 20))
        with path.open(encoding=encoding, newline="") as file:
            header = file.readline()
            separator = max(SEPARATORS, key=lambda sign: len(_columns(header, sign) & set(known)))
            file.seek(0)
            table = csv.reader(file, delimiter=separator, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
            columns = [_column(cell, known) for cell in next(table, [])]
            first = table.line_num + 1
            for cells in table:
                number, first = first, table.line_num + 1
                if not any(cells):
                    continue
                values = dict(zip(columns, cells, strict=False))
                yield Row(number, values, _misfit(columns, cells, number, table.line_num))
    except csv.Error as error:
        raise CorpusError(
            f"{path} cannot be read after line {table.line_num}: {error}. Is a quote not closed?"
        ) from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is no text ({error.reason}). Save it as UTF-8.") from error


def _misfit(columns: list[str], cells: list[str], number: int, end: int) -> str:
    if end > number:
        return f"a quote that begins here ends in line {end}; close it, or double the quotes within a text"
    if len(cells) != len(columns):
        return f"{len(cells)} cells, where the header has {len(columns)}"
    return ""


def _columns(header: str, separator: str) -> set[str]:
    return {_column(cell, ()) for line in lines_of(header)[:1] for cell in line.split(separator)}


def _column(cell: str, known: Collection[str]) -> str:
    """As it is known: in small letters without quotes and blanks around; as it is where nobody knows it."""
    plain = cell.strip().strip('"').strip().casefold().replace(" ", "_")
    return plain if not known or plain in known else cell.strip()
