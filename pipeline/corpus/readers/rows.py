"""Rows of other people's tables, one at a time, and their text files, in any separator and encoding."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import tablefile
from pipeline.errors import CorpusError, TableError
from pipeline.i18n import N_, about


@dataclass(frozen=True)
class Row:
    """A row with its line (from 1), its values by column or whatever stands there instead, and why it cannot be
    used."""

    number: int
    values: Any = None
    error: str = ""


def decoded(path: Path) -> str:
    """A text file. Raises OSError, and CorpusError for what is no text, or no file: a pipe would be waited for."""
    if path.exists() and not path.is_file():
        raise CorpusError(N_("{file} is no file"), file=str(path))
    try:
        return tablefile.decoded(path.read_bytes())[0]
    except TableError as error:
        raise CorpusError(about(str(path), error.text)) from error


def table_rows(path: Path, known: Collection[str], *, quoted: bool = True) -> Iterator[Row]:
    """A table with a header that has some of the `known` columns; a row has all columns, empty ones too. Raises
    CorpusError for what is no table."""
    try:
        with tablefile.open_table(path, dict.fromkeys(sorted(known), ()), quoted=quoted) as table:
            empty = dict.fromkeys(table.columns, "")
            for row in table.rows:
                yield Row(row.line, {**empty, **row.cells}, row.problem or "")
    except TableError as error:
        raise CorpusError(about(str(path), error.text)) from error
