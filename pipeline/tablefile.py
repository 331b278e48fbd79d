"""Tables that people bring, CSV of any dialect or Excel: the only reader of such files here.

A table is read by its content, whatever its name. Of CSV the encoding, the separator and the line of the header are
inferred, from a byte order mark, a `sep=` line and the columns that the caller knows; `Table.assumed` says what was
inferred, so that it can be shown before anything is made of it. A row that cannot be read says so and takes none of
the others with it: reading goes on at the next line. `pipeline.csvfile` writes tables, `pipeline.cells` reads cells,
`pipeline.workbook` the sheets of Excel.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import BinaryIO, TextIO

from pipeline import csvfile
from pipeline.errors import TableError, said_by
from pipeline.i18n import N_, Message
from pipeline.text import composed, visible
from pipeline.workbook import MAX_COLUMNS, Record, is_workbook, read_sheets

SEPARATORS = {",": N_("commas"), ";": N_("semicolons"), "\t": N_("tabs"), "|": N_("vertical bars")}
BLOCK_BYTES = 1 << 20
MAX_LINE = 1 << 20  # characters
HEADER_WITHIN = 20  # rows: titles and notes may stand above it
SAMPLE = 200
SHOWN = 60  # characters of a cell or line in a message
_SEP_LINE = re.compile(r'"?sep=(.)"?[ \t]*(?:\r\n|\r|\n)?', re.IGNORECASE)
_CODECS = {"Windows-1254": "cp1254", "Windows-1252": "cp1252"}
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

# A column's name, and other spellings of it: case, blanks, accents and what stands in brackets do not matter.
Columns = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class TableRow:
    """`line` counts from 1, as editors and spreadsheets do, and is where the row begins. `cells` has what is not empty
    by column; `problem` says why the row cannot be used."""

    line: int
    cells: dict[str, str]
    problem: Message | None = None


@dataclass(frozen=True)
class OpenTable:
    """A table being read, row by row. `columns` in their order, those that the caller knows by the caller's names;
    `spelled` gives the header of each. `assumed` is what was inferred."""

    columns: tuple[str, ...]
    spelled: dict[str, str]
    rows: Iterator[TableRow]
    assumed: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Table:
    """The same, read as a whole."""

    columns: tuple[str, ...]
    spelled: dict[str, str]
    rows: tuple[TableRow, ...]
    assumed: tuple[Message, ...] = ()


@dataclass(frozen=True)
class _Grid:
    """Rows of fields without names yet, and how they were read."""

    records: Iterator[Record]
    assumed: list[Message]
    separator: str = ","


def read_table(content: bytes, columns: Columns, required: Collection[str] = (), sheet: str = "") -> Table:
    """Read the table with a header of these `columns`.

    Args:
        required: columns without which it is not the table that was meant.
        sheet: which sheet of a spreadsheet; needed only where several could be meant.

    Raises TableError, naming what is wrong and what to do.
    """
    if not content.strip():
        raise TableError(N_("The file is empty."))
    if is_workbook(content):
        table = _named(_spreadsheet(content, columns, required, sheet), columns, required)
    else:
        text, encoding = decoded(content)
        table = _named(_text(io.StringIO(text, newline=""), encoding, columns), columns, required)
    return Table(table.columns, table.spelled, tuple(table.rows), table.assumed)


@contextmanager
def open_table(
    path: Path, columns: Columns, required: Collection[str] = (), *, quoted: bool = True
) -> Iterator[OpenTable]:
    """The same for a file of any length, row by row in bounded memory. With `quoted=False` quotes are text, as in the
    tables of Common Voice. Raises TableError and OSError."""
    with path.open("rb") as file:
        start = file.read(BLOCK_BYTES)
        if is_workbook(start):
            table = read_table(path.read_bytes(), columns, required)
            yield OpenTable(table.columns, table.spelled, iter(table.rows), table.assumed)
            return
        if not start.strip():
            raise TableError(N_("{path} is empty."), path=str(path))
        encoding, n_mark = _encoding_of(file, start)
        file.seek(n_mark)
        lines = io.TextIOWrapper(file, _CODECS.get(encoding, encoding), newline="")
        try:
            yield _named(_text(lines, encoding, columns, quoted), columns, required)
        finally:
            lines.detach()


def split_rows(text: str, n_fields: int) -> list[tuple[int, list[str]]]:
    """Rows without a header, as people type or paste them: each with its line, split at the first of tab, semicolon,
    bar and comma that gives every row `n_fields`, else at commas. Raises TableError for an unclosed quote."""
    split: list[list[Record]] = []
    for separator in ("\t", ";", "|", ","):
        split.append(
            [
                record
                for record in _records(io.StringIO(text, newline=""), separator)
                if any(map(str.strip, record.fields))
            ]
        )
        if all(record.problem is None and len(record.fields) == n_fields for record in split[-1]):
            break
    for record in split[-1]:
        if record.problem is not None:
            raise TableError(N_("Line {line} {problem}"), line=str(record.line), problem=record.problem)
    return [(record.line, [field.strip() for field in record.fields]) for record in split[-1]]


def decoded(content: bytes) -> tuple[str, str]:
    """The text of a file, and its encoding: by its byte order mark, else UTF-8, else UTF-16, else the Windows code page
    of Turkish (1254) or, where that has no such letter, of western Europe (1252). Raises TableError for what is no
    text, and for UTF-8 with damaged letters."""
    encoding, n_mark = _encoding_of(io.BytesIO(content), content[:BLOCK_BYTES])
    if encoding in _CODECS:
        return content.decode(_CODECS[encoding], "replace"), encoding
    return _strictly(content[n_mark:], encoding), encoding


def _encoding_of(file: BinaryIO, start: bytes) -> tuple[str, int]:
    """And the length of its byte order mark."""
    for mark, encoding in _BOMS.items():
        if start.startswith(mark):
            return encoding, len(mark)
    if b"\0" in start[:4096]:
        even, odd = start[0:4096:2].count(0), start[1:4096:2].count(0)
        return "utf-16-be" if even > odd else "utf-16-le", 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while block := file.read(BLOCK_BYTES):
            decoder.decode(block)
        decoder.decode(b"", final=True)
        return "utf-8", 0
    except UnicodeDecodeError:
        file.seek(0)
        content = file.read()
    _refuse_damaged_utf8(content)
    try:
        content.decode("cp1254")
        return "Windows-1254", 0
    except UnicodeDecodeError:
        return "Windows-1252", 0


def _strictly(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise TableError(
            N_("The file is not {encoding} text: {reason}. Save it as CSV UTF-8."),
            encoding=encoding.upper(),
            reason=said_by(error),
        ) from error
    if "\0" in text:
        raise TableError(N_("The file is not text. Save the table as CSV UTF-8 or as an Excel workbook (.xlsx)."))
    return text


def _refuse_damaged_utf8(content: bytes) -> None:
    """A file of another encoding has hardly a letter that is UTF-8; one with many was UTF-8 before it was damaged."""
    text = content.decode("utf-8", "surrogateescape")
    wrong = sum("\udc80" <= sign <= "\udcff" for sign in text)
    right = sum(sign > "\x7f" for sign in text) - wrong
    if right > wrong:
        before = next(n for n, sign in enumerate(text) if "\udc80" <= sign <= "\udcff")
        line = len(re.findall(r"\r\n|\r|\n", text[:before])) + 1
        raise TableError(
            N_(
                "Line {line} has a letter that is damaged: byte {n} is not UTF-8, as the rest of the file is. "
                "Correct the letter and save the file as UTF-8."
            ),
            line=str(line),
            n=str(len(text[:before].encode()) + 1),
        )


def _text(lines: TextIO, encoding: str, columns: Columns, quoted: bool = True) -> _Grid:
    assumed: list[Message] = []
    if encoding != "utf-8":
        name = encoding if encoding in _CODECS else encoding.upper()
        assumed.append(Message(N_("The text is in {encoding}."), encoding=name))
    source = _bounded(lines)
    head = list(islice(source, SAMPLE))
    declared = _SEP_LINE.fullmatch(head[0]) if head else None
    skipped = 0 if declared is None else 1
    head = head[skipped:]
    separator = declared[1] if declared else _separator(head, columns, quoted)
    if separator != ",":
        name = Message(SEPARATORS[separator]) if separator in SEPARATORS else repr(separator)
        assumed.append(Message(N_("Cells are separated by {separator}."), separator=name))
    return _Grid(_records(chain(head, source), separator, quoted, skipped), assumed, separator)


def _bounded(lines: TextIO) -> Iterator[str]:
    """The lines, of each no more than shows that it is too long: a file of any length may be a single line."""
    while line := lines.readline(MAX_LINE + 1):
        end = line
        while len(end) > MAX_LINE and not end.endswith(("\r", "\n")):
            end = lines.readline(MAX_LINE + 1)
        yield line


def _separator(head: Sequence[str], columns: Columns, quoted: bool) -> str:
    """The separator under which the header has the most of the columns, else the most cells."""

    def fit(separator: str) -> tuple[int, int]:
        first = islice(_records(head, separator, quoted), HEADER_WITHIN)
        return max(((_n_known(record.fields, columns), len(record.fields)) for record in first), default=(0, 0))

    return max(SEPARATORS, key=fit)


def _records(lines: Iterable[str], separator: str, quoted: bool = True, skipped: int = 0) -> Iterator[Record]:
    """Every row with the line it begins on, after `skipped` lines. After one that cannot be read it goes on with the
    next line, so that a quote that is not closed swallows nothing."""
    source = iter(lines)
    waiting: deque[str] = deque(islice(source, SAMPLE))
    blank_before_quote = re.compile(rf'(?:^|{re.escape(separator)}) +"')
    skips = any(map(blank_before_quote.search, waiting))
    taken: list[str] = []

    def feed() -> Iterator[str]:
        while (line := waiting.popleft() if waiting else next(source, None)) is not None:
            taken.append(line)
            if len(line) > MAX_LINE:
                raise csv.Error
            yield line

    number, ended = skipped + 1, False
    while not ended:
        reader = csv.reader(
            feed(), delimiter=separator, strict=True, skipinitialspace=skips,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        )  # fmt: skip
        while True:
            try:
                fields = next(reader)
            except StopIteration:
                ended = True
                break
            except csv.Error as error:
                yield Record(number, [], _problem(taken, error, quoted))
                waiting.extendleft(reversed(taken[1:]))
                taken.clear()
                number += 1
                break
            if any(field.strip() for field in fields):
                yield Record(number, fields)
            number += len(taken)
            taken.clear()


def _problem(lines: Sequence[str], error: csv.Error, quoted: bool) -> Message:
    """Why the row that begins with the first of these lines cannot be read."""
    if len(lines[0]) > MAX_LINE:
        return Message(N_("is longer than {most} characters."), most=str(MAX_LINE))
    is_closed = not quoted or lines[0].count('"') % 2 == 0
    if len(lines) == 1 and is_closed and str(error).startswith("field larger"):
        return Message(N_("has a cell of more than {most} characters."), most=str(csv.field_size_limit()))
    shown = " ".join(lines[0].split())
    return Message(
        N_("has a quote that does not close its cell: {line}. Close it, or write it twice if it belongs to the text."),
        line=shown if len(shown) <= SHOWN else shown[:SHOWN] + "…",
    )


def _named(grid: _Grid, columns: Columns, required: Collection[str]) -> OpenTable:
    """The rows below the header, by column: the first row with the most of the columns, the very first where none has
    any."""
    heads = list(islice(grid.records, HEADER_WITHIN))
    if not heads:
        raise TableError(N_("The table has no rows."))
    place = max(range(len(heads)), key=lambda n: (_n_known(heads[n].fields, columns), -n))
    header = heads[place]
    if len(header.fields) > MAX_COLUMNS:
        raise TableError(
            N_("The table has {n} columns; at most {most} are read. Split it."),
            n=len(header.fields),
            most=MAX_COLUMNS,
        )
    if header.problem is not None and not header.fields:
        raise TableError(N_("Line {line} {problem}"), line=str(header.line), problem=header.problem)
    names, spelled = _names(header.fields, columns)
    if missing := sorted(set(required) - set(names)):
        there = ", ".join(field.strip() or "-" for field in header.fields)[:300]
        raise TableError(
            N_("The table has no column {columns}. Its header is: {there}. Name the columns in the first line."),
            columns=", ".join(missing),
            there=there,
        )
    assumed = list(grid.assumed)
    if place:
        assumed.append(
            Message(N_("The header is line {line}; the lines above it are not read."), line=str(header.line))
        )
    renamed = [f"{spelled[name]} = {name}" for name in names if name in columns and spelled[name] != name]
    if renamed:
        assumed.append(Message(N_("Columns are read as follows: {columns}."), columns=", ".join(renamed)))
    rows = (_row(record, names, grid.separator) for record in chain(heads[place + 1 :], grid.records))
    return OpenTable(tuple(name for name in names if name), spelled, rows, tuple(assumed))


def _n_known(fields: Sequence[str], columns: Columns) -> int:
    return len(_known(fields, columns))


def _known(fields: Sequence[str], columns: Columns) -> set[str]:
    """Which of the columns a header has."""
    names = _by_key(columns)
    return {name for field in fields[:MAX_COLUMNS] if (name := names.get(header_key(field), ""))}


def _names(fields: Sequence[str], columns: Columns) -> tuple[list[str], dict[str, str]]:
    """The name of each column, empty for one without header. Raises TableError where two have one name."""
    by_key = _by_key(columns)
    names: list[str] = []
    spelled: dict[str, str] = {}
    for field in fields:
        header = composed(visible(field)).strip()
        name = by_key.get(header_key(header), header)
        if name and name in spelled:
            raise TableError(
                N_("The columns {first!r} and {second!r} are both read as {name}. Rename or delete one."),
                first=spelled[name],
                second=header,
                name=name,
            )
        if name:
            spelled[name] = header
        names.append(name)
    return names, spelled


def _by_key(columns: Columns) -> dict[str, str]:
    """Each column's name by the keys of all its spellings; the first counts where two have one."""
    names: dict[str, str] = {}
    for name, others in columns.items():
        for spelling in (name, *others):
            names.setdefault(header_key(spelling), name)
    names.pop("", None)
    return names


def header_key(header: str) -> str:
    """What is equal for all spellings of a column's name: letters and digits alone, lower case, without accents."""
    bare = re.sub(r"[(\[].*?[)\]]", "", visible(header)).replace("ı", "i")
    letters = unicodedata.normalize("NFKD", bare.casefold())
    return "".join(sign for sign in letters if sign.isalnum())


def _row(record: Record, names: Sequence[str], separator: str) -> TableRow:
    cells = {
        name: csvfile.plain(field, separator) if "'" in field else field
        for name, field in zip(names, record.fields, strict=False)
        if name and field.strip()
    }
    problem = record.problem
    stray = ""
    if len(record.fields) > len(names) or "" in names:
        placed = zip_longest(names, record.fields, fillvalue="")
        stray = next((field.strip() for name, field in placed if not name and field.strip()), "")
    if problem is None and stray:
        problem = Message(
            N_(
                "has {n} cells and the header {columns}: “{cell}” belongs to no column. Put quotes around a cell that "
                "contains the separator."
            ),
            n=str(len(record.fields)), columns=str(sum(map(bool, names))), cell=stray[:SHOWN],
        )  # fmt: skip
    return TableRow(record.line, cells, problem)


def _spreadsheet(content: bytes, columns: Columns, required: Collection[str], sheet: str) -> _Grid:
    """The sheet that was named, else the only one whose header has the required columns."""
    sheets = read_sheets(content)
    if sheet:
        if sheet not in sheets:
            raise TableError(
                N_("There is no sheet {sheet!r}. The workbook has: {sheets}."), sheet=sheet, sheets=", ".join(sheets)
            )
        fitting = [sheet]
    else:
        needed = set(required) or set(columns)
        fitting = [name for name, records in sheets.items() if _fits(records, columns, needed, bool(required))]
        if len(fitting) > 1:
            raise SheetChoiceError(fitting)
    chosen = fitting[0] if fitting else next(iter(sheets))
    grid = _Grid(iter(sheets[chosen]), [])
    if len(sheets) > 1:
        others = ", ".join(name for name in sheets if name != chosen)
        grid.assumed.append(Message(N_("The sheet “{sheet}” is read, not: {others}."), sheet=chosen, others=others))
    return grid


class SheetChoiceError(TableError):
    """Several sheets of a workbook could be meant: `sheets` names them."""

    def __init__(self, sheets: Sequence[str]) -> None:
        super().__init__(
            N_("Several sheets have such a table: {sheets}. Choose one of them (--sheet NAME)."),
            sheets=", ".join(sheets),
        )
        self.sheets = tuple(sheets)


def _fits(records: Sequence[Record], columns: Columns, needed: set[str], every: bool) -> bool:
    for record in records[:HEADER_WITHIN]:
        names = _known(record.fields, columns)
        if names and (needed <= names if every else names & needed):
            return True
    return False
