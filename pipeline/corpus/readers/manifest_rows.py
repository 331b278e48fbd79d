"""The rows of manifest files: JSON lines, a JSON array, a table."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline import artifacts, jsonl
from pipeline.corpus.readers.manifest_columns import NAMES, NUMBERS, OTHER_NAMES, OUR_KEYS, REQUIRED, named
from pipeline.corpus.readers.rows import Row, table_rows
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_

LINES = (".jsonl", ".ndjson")
SPREADSHEET = ".xlsx"
TABLES = (".csv", ".tsv", SPREADSHEET)
SUFFIXES = (*LINES, ".json", *TABLES)
BLOCK_BYTES = 1 << 20


def rows_of(file: Path) -> Iterator[Row]:
    """Every row, used or not. Raises CorpusError for what is no manifest, OSError for what cannot be read."""
    if file.suffix.lower() in TABLES:
        yield from map(_with_numbers, table_rows(file, frozenset((*OTHER_NAMES, *OUR_KEYS, *NUMBERS))))
        return
    if _is_array(file):
        yield from _array(file)
        return
    for line in jsonl.lines(file):
        yield Row(line.number, line.value, "" if line.error is None else line.error.reason)


def n_rows(file: Path) -> int:
    """Lines, as the number of rows to come: counted in blocks."""
    if file.suffix.lower() == SPREADSHEET:
        return sum(1 for _row in rows_of(file))
    n, last = 0, b"\n"
    with file.open("rb") as opened:
        for block in iter(lambda: opened.read(BLOCK_BYTES), b""):
            n, last = n + block.count(b"\n"), block[-1:]
    return max(1, n + (last != b"\n") - (file.suffix.lower() in TABLES))


def _is_array(file: Path) -> bool:
    """Whether the first line is an array of objects or begins one; a `.json` file need not have an object per line."""
    first = next(jsonl.lines(file), None)
    if first is None or isinstance(first.value, dict):
        return False
    if isinstance(first.value, list):
        return all(isinstance(row, dict) for row in first.value)
    with file.open("rb") as opened:
        begin = opened.read(256).removeprefix(b"\xef\xbb\xbf")
    return re.match(rb"\s*\[\s*\{", begin) is not None or (file.suffix.lower() == ".json" and first.value is None)


def _array(file: Path) -> Iterable[Row]:
    """A JSON array of rows, numbered as lines are; what is neither is explained."""
    try:
        content = artifacts.read_json(file)
    except ValueError as error:
        raise CorpusError(
            N_("{path} cannot be read as JSON: {reason}."), path=str(file), reason=said_by(error)
        ) from error
    rows = content.get("data") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        raise CorpusError(
            N_(
                "{file} is one JSON object. A manifest has one object per line, or is an array of objects, each with "
                "'audio' and 'text'."
            ),
            file=str(file),
        )
    return [Row(number, row) for number, row in enumerate(rows, start=1)]


def _with_numbers(row: Row) -> Row:
    """Cells of a table are texts; those that hold numbers are read as such, with a decimal point or comma."""
    if not isinstance(row.values, dict):
        return row
    values = named({key: value for key, value in row.values.items() if value != ""})
    for key in REQUIRED:  # an empty cell is not a column that is missing
        if key not in values and any(name in row.values for name in NAMES[key]):
            values[key] = ""
    for name in NUMBERS:
        if name in values and re.fullmatch(r"[+-]?\d+([.,]\d+)?", values[name].strip()):
            number = float(values[name].replace(",", "."))
            values[name] = int(number) if number.is_integer() and name == "age" else number
    return Row(row.number, values, row.error)
