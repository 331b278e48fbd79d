"""Rows of ratings as other programs give them, and how a table of them is read."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from pipeline import artifacts, cells
from pipeline.i18n import N_, Message
from pipeline.records import RubricName
from pipeline.rubrics import RUBRICS, Rubric
from pipeline.tablefile import SheetChoiceError, Table, TableRow, read_table

DIMENSIONS = tuple(dimension.key for dimension in RUBRICS[RubricName.SENTENCE].dimensions)
NUMBERS = ("score", *DIMENSIONS, "took_s", "heard")
TEXTS = ("notes", "reason")  # kept with the blanks around them
# English and Turkish names of columns; case, blanks, accents and brackets do not matter.
COLUMNS: dict[str, tuple[str, ...]] = {
    "recording_id": (
        "recording", "id", "audio", "audio file", "file", "file name", "path", "wav", "clip", "utterance",
        "kayıt", "kayıt no", "kayıt adı", "dosya", "dosya adı", "ses", "ses dosyası", "ses kaydı", "yol",
    ),
    "evaluator": (
        "rater", "expert", "judge", "annotator", "assessor", "labeler", "labeller", "evaluated by", "rated by",
        "değerlendirici", "değerlendiren", "puanlayan", "puanlayıcı", "uzman",
    ),
    "score": ("rating", "points", "grade", "puan", "puanı", "skor", "derece"),
    "accuracy": ("doğruluk",),
    "fluency": ("akıcılık",),
    "prosodic": ("prosody", "prozodi", "bürün", "vurgu ve ezgi"),
    "total": ("overall", "total score", "toplam", "toplam puan", "genel", "genel puan"),
    "at": ("date", "rated at", "created at", "timestamp", "date time", "tarih", "tarih saat"),
    "clock": ("time", "time of day", "saat"),
    "notes": ("note", "comment", "comments", "remark", "remarks", "notlar", "açıklama", "yorum"),
    "reason": ("neden", "sebep", "gerekçe"),
    "action": ("işlem", "eylem"),
    "labeled": ("labelled", "rated", "is labeled", "etiketli", "etiketlendi", "puanlandı", "değerlendirildi"),
    "dimensions": (),
    "marks": (),
    "segments": (),
    "project": ("proje",),
    "purpose": (),
    "took_s": ("seconds", "lead time", "süre"),
    "heard": ("share heard",),
    "source": (),
    "rubric": (),
    "experts": (),
}  # fmt: skip
TableName = Literal["ratings", "consensus"]
SHEETS: tuple[TableName, ...] = ("ratings", "consensus")  # of an exported workbook: the second follows from the first
# What our own export has beside them, which follows from the recording and its history.
KNOWN_ALREADY = ("set", "speaker", "text", "part", "counts", "consensus", "excluded")


@dataclass(frozen=True)
class Row:
    """One rating as it was read: `place` says where it stood, `problem` what is wrong with it already. `unscaled` names
    the values whose scale the file does not say (stars), `left_out` what stood beside the rating and is no part of
    one. `places_by_label`: for which words and sounds its segments stand is told by their labels."""

    place: str
    values: dict[str, Any]
    problem: str = ""
    unscaled: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    places_by_label: bool = False


@dataclass(frozen=True)
class Reading:
    """The ratings of a file, and what was inferred to read them, to be shown before anything is written."""

    rows: list[Row]
    assumed: tuple[Message, ...] = ()


def from_table(content: bytes, sheet: str = "", rubrics: Iterable[Rubric] = ()) -> Reading:
    """Of a table with `recording_id`, and `score` (words) or the dimensions' names (sentences): that of `pronlab export
    --format csv`, or any CSV or Excel file whose columns have one of the names in COLUMNS, or are named as a dimension
    of one of `rubrics`. Raises TableError where it is none."""
    columns = columns_with(rubrics)
    try:
        table = read_table(content, columns, ("recording_id",), sheet)
    except SheetChoiceError as error:
        if error.sheets != SHEETS:
            raise
        table = read_table(content, columns, ("recording_id",), SHEETS[0])
    month_first = cells.is_month_first(_column(table, "at"))
    rows: list[Row] = []
    not_rated = 0
    for row in table.rows:
        place = Message(N_("line {line}"), line=str(row.line))
        if row.problem is not None:
            rows.append(Row(place, {}, row.problem))
            continue
        try:
            if not cells.flag(row.cells.get("labeled", True)):
                not_rated += 1
                continue
            rows.append(Row(place, _values(row, columns, month_first is True)))
        except cells.CellError as error:
            rows.append(Row(place, {}, error.reason))
    return Reading(rows, (*table.assumed, *_assumed(table, columns, month_first, not_rated)))


def columns_with(rubrics: Iterable[Rubric]) -> dict[str, tuple[str, ...]]:
    """COLUMNS with the dimensions of these rubrics, each also by its label where no other column has that name."""
    columns = dict(COLUMNS)
    taken = {name for key, names in COLUMNS.items() for name in (key, *names)}
    for dimension in (dimension for rubric in rubrics for dimension in rubric.dimensions):
        if dimension.key not in columns:
            label = dimension.label.casefold()
            columns[dimension.key] = () if label in taken | {dimension.key} else (label,)
            taken |= {dimension.key, label}
    return columns


def _numbers(columns: Collection[str]) -> list[str]:
    return [*NUMBERS, *(name for name in columns if name not in COLUMNS)]


def _values(row: TableRow, columns: Collection[str], month_first: bool) -> dict[str, Any]:
    """Raises CellError."""
    values: dict[str, Any] = {
        name: cell if name in TEXTS else cell.strip() for name, cell in row.cells.items() if name in columns
    }
    for name in ("dimensions", "marks", "segments", "experts"):
        if name in values:
            try:
                values[name] = artifacts.loads(values[name])
            except ValueError:
                raise cells.CellError(Message(N_("has {name} that are not JSON"), name=name)) from None
    for name in _numbers(columns):
        if name in values:
            try:
                values[name] = cells.number(values[name])
            except cells.CellError as error:
                raise cells.CellError(Message(N_("{column}: {reason}"), column=name, reason=error.reason)) from None
    clock = values.pop("clock", "")
    if "at" in values:
        whole = f"{values['at']} {clock}" if clock and ":" not in values["at"] else values["at"]
        values["at"] = cells.moment(whole, month_first=month_first)
    return values


def _assumed(table: Table, columns: Collection[str], month_first: bool | None, not_rated: int) -> Iterable[Message]:
    decimal = next(
        (cell for name in _numbers(columns) for cell in _column(table, name) if cells.has_decimal_comma(cell)), None
    )
    if decimal is not None:
        yield Message(
            N_("A comma is the decimal sign: “{text}” is read as {value}."),
            text=decimal, value=f"{cells.number(decimal):g}",
        )  # fmt: skip
    dates = _column(table, "at")
    ordered = next((date for date in dates if cells.is_day_or_month_first(date)), None)
    if ordered is not None:
        msgid = N_("Dates have the day first: “{text}” is read as {day}.")
        if month_first:
            msgid = N_("Dates have the month first: “{text}” is read as {day}.")
        with suppress(cells.CellError):  # its row says so
            yield Message(msgid, text=ordered, day=cells.moment(ordered, month_first=month_first is True)[:10])
    if not all(map(cells.has_offset, dates)) or "clock" in table.columns:
        yield Message(N_("Times without a time zone are read as UTC."))
    if not_rated:
        yield Message(N_("Rows marked as not rated are left out: {n}."), n=str(not_rated))
    unused = [name for name in table.columns if name not in columns and name not in KNOWN_ALREADY]
    if unused:
        yield Message(N_("These columns are not used: {columns}."), columns=", ".join(unused))


def _column(table: Table, name: str) -> Sequence[str]:
    return [row.cells[name].strip() for row in table.rows if name in row.cells]
