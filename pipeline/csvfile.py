"""CSV files: the only writer here, and how its cells are read back.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line end for a formula and may run it (OWASP,
CSV injection). Text that begins so gets an apostrophe before it, which spreadsheets show as nothing or as it is;
numbers stay numbers. `plain` takes the apostrophe off again.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from pipeline import artifacts

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"  # spreadsheets need it for Turkish letters


def text(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A header and rows, each line ending in a line feed."""
    content = io.StringIO()
    _write(content, columns, rows)
    return content.getvalue()


def write(path: Path, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """The same as a file, whole or not at all."""
    with artifacts.replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        _write(file, columns, rows)


def of_records(columns: Iterable[str], records: Iterable[Mapping[str, Any]]) -> str:
    names = list(columns)
    return text(names, ([record.get(name) for name in names] for record in records))


def of_frame(frame: "pd.DataFrame") -> str:
    """Without its index."""
    safe = frame.map(defused).rename(columns=defused)
    content: str = safe.to_csv(index=False)
    return content


def defused(cell: Any) -> Any:
    """Text that a spreadsheet would run gets an apostrophe; so does text that already looks defused, so that `plain`
    gives back what was there."""
    return "'" + cell if isinstance(cell, str) and cell.lstrip("'").startswith(FORMULA) else cell


def plain(cell: str) -> str:
    """A cell as it was before `defused`."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def _write(file: TextIO, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(map(defused, columns))
    table.writerows(map(defused, row) for row in rows)
