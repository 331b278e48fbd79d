"""The sheets of an Excel workbook as rows of text, whatever a stranger's file claims of its size."""

import io
import zipfile
from contextlib import suppress
from datetime import date, datetime
from typing import Any, NamedTuple
from xml.parsers import expat

from pipeline.errors import TableError, said_by
from pipeline.i18n import N_, Message
from pipeline.optional import require
from pipeline.zips import ZIP_ERRORS

MAX_COLUMNS = 16_384  # as in Excel
MAX_ROW_ELEMENTS = 16 * MAX_COLUMNS  # of XML: a cell has a value, a formula, runs of text
MAX_BYTES = 100 * 1024 * 1024  # unpacked
MAX_ROWS = 1_048_576  # of a sheet, as in Excel
MAX_CELLS = 5_000_000  # of a workbook, empty ones before the last of a row included
SHOWN = 60  # characters of a formula in a message
_XLS = b"\xd0\xcf\x11\xe0"
_BROKEN = (OSError, KeyError, TypeError, AttributeError, IndexError, SyntaxError)


class Record(NamedTuple):
    """A row of a table without names yet: the line that it begins in (from 1), its cells, and why it cannot be used."""

    line: int
    fields: list[str]
    problem: Message | None = None


def is_workbook(content: bytes) -> bool:
    """By its first bytes."""
    return content.startswith((b"PK\x03\x04", _XLS))


def read_sheets(content: bytes) -> dict[str, list[Record]]:
    """The rows of every sheet that has any, by its name. Raises TableError for an old `.xls`, for what is damaged or
    over the limits, and where openpyxl is not installed."""
    if content.startswith(_XLS):
        raise TableError(N_("This is an old Excel file (.xls). Save it as an Excel workbook (.xlsx) or as CSV UTF-8."))
    require(N_("An Excel file"), ("openpyxl",), TableError)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
        if size > MAX_BYTES:
            raise TableError(
                N_("The workbook has {size} MB, at most {most} MB can be read. Save it as CSV."),
                size=size >> 20,
                most=MAX_BYTES >> 20,
            )
        _refuse_endless_rows(content)
        return _rows_of_sheets(content)
    except (*_BROKEN, *ZIP_ERRORS) as error:
        raise TableError(
            N_("The file cannot be read as an Excel workbook ({reason}). Save it as .xlsx or as CSV UTF-8."),
            reason=said_by(error),
        ) from error


def _refuse_endless_rows(content: bytes) -> None:
    """openpyxl holds a row as a whole, however many cells without a place a small file packs into it."""
    n_in_row = 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal n_in_row
        n_in_row = 0 if name.rpartition(":")[2] == "row" else n_in_row + 1
        if n_in_row > MAX_ROW_ELEMENTS:
            raise TableError(
                N_("The workbook has a row of more than {most} cells. Save the table as CSV UTF-8."), most=MAX_COLUMNS
            )

    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        for name in packed.namelist():
            if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
                continue
            parser, n_in_row = expat.ParserCreate(), 0
            parser.StartElementHandler = start
            with packed.open(name) as sheet, suppress(expat.ExpatError):  # which openpyxl reports
                parser.ParseFile(sheet)


def _rows_of_sheets(content: bytes) -> dict[str, list[Record]]:
    """With values in place of formulas. A formula whose value the file does not hold (it was
    made by a program and never opened in a spreadsheet) is a problem of its row.

    What a sheet claims of its size is not believed, and rows and cells are counted: a small file can claim billions.
    """
    from openpyxl import load_workbook

    values = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    formulas = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
    sheets: dict[str, list[Record]] = {}
    n_cells = 0
    for sheet in values.worksheets:
        records: list[Record] = []
        both = (sheet, formulas[sheet.title])
        for view in both:
            view.reset_dimensions()
        pairs = zip(*(view.iter_rows(values_only=True) for view in both), strict=False)
        for number, (row, written) in enumerate(pairs, start=1):
            n_cells += len(row)
            if number > MAX_ROWS or n_cells > MAX_CELLS:
                raise TableError(
                    N_(
                        "The workbook has more than {n_rows} rows or {n_cells} cells. Delete what is far below or "
                        "beside the table, or save the table as CSV UTF-8."
                    ),
                    n_rows=MAX_ROWS,
                    n_cells=MAX_CELLS,
                )
            if not row:
                continue
            fields = [_cell_text(cell) for cell in row]
            while fields and not fields[-1].strip():
                fields.pop()
            unsaved = next(
                (form for cell, form in zip(row, written, strict=False) if cell is None and form is not None), None
            )
            problem = None
            if unsaved is not None:
                problem = Message(
                    N_("has the formula {formula} without its value. Open the file in a spreadsheet and save it."),
                    formula=str(getattr(unsaved, "text", unsaved))[:SHOWN],
                )
            if fields or problem:
                records.append(Record(number, fields, problem))
        if records:
            sheets[sheet.title] = records
    if not sheets:
        raise TableError(N_("The workbook has no cells with values."))
    return sheets


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
