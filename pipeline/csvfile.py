"""CSV files: the only writer here, and how its cells are read back.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line end for a formula and may run it (OWASP,
CSV injection). Text that begins so, blanks and invisible characters aside, gets an apostrophe before it, which
spreadsheets show as nothing or as it is; numbers stay numbers. Where the decimal sign is a comma, as in Turkish,
spreadsheets cut lines at semicolons and heed quotes only where a field begins: what follows a semicolon, a tab or a
line end within a cell may become a cell of its own, and is treated as one; so is what follows a comma, where the file
is not cut at commas itself. `plain` takes the apostrophes off again.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Number, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pipeline import artifacts
from pipeline.text import INVISIBLE

if TYPE_CHECKING:
    import pandas as pd

SIGNS = r"=+\-@＝＋－＠"
# What may stand before a sign without changing what it does: quotes, blanks, controls and what Unicode lets be ignored.
IGNORED = (
    r"'\" \x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufff9-\ufffb" + INVISIBLE
)
_AT_START = rf"(?=[{IGNORED}]*+[{SIGNS}\t\r\n])"
_WITHIN = rf"(?=[{IGNORED}]*+[{SIGNS}])"
BYTE_ORDER_MARK = "\ufeff"  # spreadsheets need it for Turkish letters


@dataclass(frozen=True)
class Dialect:
    """How cells are separated, and the sign before the decimals of numbers."""

    separator: str = ","
    decimal: str = "."


COMMA = Dialect()
DIALECTS = {"comma": COMMA, "semicolon": Dialect(";", ","), "tab": Dialect("\t")}


def spreadsheet_dialect(language: str) -> str:
    """The name of the dialect that spreadsheets in this language open by a double click: semicolons where the decimal
    sign is a comma."""
    from babel.numbers import get_decimal_symbol

    return "semicolon" if get_decimal_symbol(language) == "," else "comma"


def download(text: str) -> bytes:
    """A table as a file that spreadsheets open with the right letters."""
    return (BYTE_ORDER_MARK + text).encode("utf-8", "backslashreplace")


def text(columns: Iterable[str], rows: Iterable[Iterable[Any]], dialect: Dialect = COMMA) -> str:
    """A header and rows, each line ending in a line feed."""
    content = io.StringIO()
    _write(content, columns, rows, dialect)
    return content.getvalue()


def write(path: Path, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """The same as a file, whole or not at all."""
    with (
        artifacts.replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        _write(file, columns, rows, COMMA)


def of_records(columns: Iterable[str], records: Iterable[Mapping[str, Any]], dialect: Dialect = COMMA) -> str:
    names = list(columns)
    return text(names, ([record.get(name) for name in names] for record in records), dialect)


def of_frame(frame: "pd.DataFrame", dialect: Dialect = COMMA) -> str:
    """Without its index; cells without a value are empty."""
    import pandas as pd

    rows = frame.itertuples(index=False, name=None)
    values = ([None if pd.isna(cell) is True else cell for cell in row] for row in rows)
    return text(map(str, frame.columns), values, dialect)


def defused(cell: Any, separator: str = ",") -> Any:
    """Text that a spreadsheet would run gets an apostrophe; so does text that already looks defused, so that `plain`
    gives back what was there. Numbers stay; whatever else is written as its text (a path, a list) is judged by that."""
    if cell is None or isinstance(cell, Number):
        return cell
    written = str(cell)
    safe = _patterns(separator)[0].sub("'", written)
    return cell if safe == written else safe


def plain(cell: str, separator: str = ",") -> str:
    """A cell as it was before `defused`."""
    return _patterns(separator)[1].sub("", cell)


@cache
def _patterns(separator: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Where an apostrophe is put in, and the apostrophes that were, in a file with this separator."""
    cuts = r";\t\r\n" if separator == "," else r",;\t\r\n"
    return (
        re.compile(rf"\A{_AT_START}|(?<=[{cuts}]){_WITHIN}"),
        re.compile(rf"\A'{_AT_START}|(?<=[{cuts}])'{_WITHIN}"),
    )


def _write(file: TextIO, columns: Iterable[str], rows: Iterable[Iterable[Any]], dialect: Dialect) -> None:
    def cell(value: Any) -> Any:
        if dialect.decimal != "." and isinstance(value, Real) and not isinstance(value, Integral):
            return repr(float(value)).replace(".", dialect.decimal)
        return defused(value, dialect.separator)

    table = csv.writer(_LineFeeds(file), delimiter=dialect.separator, lineterminator="\r\n")
    table.writerow(map(cell, columns))
    table.writerows(map(cell, row) for row in rows)


class _LineFeeds:
    """Ends each line in a line feed. The `csv` module puts cells with a carriage return into quotes only where that is
    part of its own line end; without quotes they would fall apart when they are read."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(line.removesuffix("\r\n") + "\n")
