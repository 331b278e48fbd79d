"""Tables of any dialect are read by their content, and what was inferred is told."""

import io
import re
import zipfile
from collections import deque
from datetime import date, datetime
from pathlib import Path

import pytest

from pipeline.errors import TableError
from pipeline.settings import CHECKOUT
from pipeline.tablefile import SheetChoiceError, Table, decoded, header_key, open_table, read_table, split_rows
from tests.zip_entries import with_entries

COLUMNS = {
    "recording_id": ("kayıt",),
    "evaluator": ("değerlendirici", "rater"),
    "score": ("puan",),
    "notes": ("notlar",),
}
HEADER = ("recording_id", "evaluator", "score", "notes")
ROWS = (("a", "Ayşe Işık", "80", "iyi, çok güzel"), ("b", "Çağrı", "75", 'o "öyle" dedi'))


def written(separator: str = ",", end: str = "\n", header: tuple[str, ...] = HEADER) -> str:
    lines = [header, *ROWS]
    quoted = [
        ['"' + cell.replace('"', '""') + '"' if set(cell) & set(',;|\t"') else cell for cell in line] for line in lines
    ]
    return end.join(separator.join(line) for line in quoted) + end


def cells(table: Table) -> list[tuple[str, ...]]:
    assert [row.problem for row in table.rows] == [None] * len(table.rows)
    return [tuple(row.cells.get(name, "") for name in HEADER) for row in table.rows]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1254"])
def test_every_dialect_gives_the_same_rows(separator: str, end: str, encoding: str) -> None:
    table = read_table(written(separator, end).encode(encoding), COLUMNS)
    assert cells(table) == list(ROWS)
    assert [row.line for row in table.rows] == [2, 3]
    told = " ".join(table.assumed)
    assert ("Windows-1254" in told) == (encoding == "cp1254")
    assert ("UTF-16" in told) == encoding.startswith("utf-16")
    assert ("semicolons" in told) == (separator == ";")
    assert bool(table.assumed) == (separator != "," or not encoding.startswith("utf-8"))


@pytest.mark.parametrize("declared", ["sep=;", "SEP=;", '"sep=;"'])
def test_a_line_that_declares_the_separator_is_no_row(declared: str) -> None:
    table = read_table(f"{declared}\r\n{written(';', chr(13) + chr(10))}".encode("utf-8-sig"), COLUMNS)
    assert cells(table) == list(ROWS)
    assert [row.line for row in table.rows] == [3, 4], "as an editor counts them"


def test_any_separator_can_be_declared() -> None:
    (row,) = read_table(b"sep=^\nrecording_id^score\na^80,5\n", COLUMNS).rows
    assert row.cells == {"recording_id": "a", "score": "80,5"}


@pytest.mark.parametrize(
    "header",
    [
        ("RECORDING_ID", "Evaluator", "SCORE", "NOTES"), (" Recording ID ", "evaluator ", "Score (0-100)", "Notes"),
        ("Kayıt", "Değerlendirici", "Puan", "Notlar"), ("KAYIT", "DEĞERLENDİRİCİ", "PUAN", "NOTLAR"),
        ("kayit", "Degerlendirici", "puan", "notlar"), ("recording-id", "Rater", "score", "notes\u200b"),
    ],
)  # fmt: skip
def test_headers_are_known_in_every_spelling(header: tuple[str, ...]) -> None:
    table = read_table(written(";", header=header).encode(), COLUMNS)
    assert table.columns == HEADER
    assert cells(table) == list(ROWS)


def test_what_was_inferred_is_told_with_the_header_as_it_stands() -> None:
    header = ("Kayıt", "Değerlendirici", "Puan", "notes")
    table = read_table(written(";", header=header).encode("cp1254"), COLUMNS)
    assert table.assumed == (
        "The text is in Windows-1254.",
        "Cells are separated by semicolons.",
        "Columns are read as follows: Kayıt = recording_id, Değerlendirici = evaluator, Puan = score.",
    )


def test_titles_above_the_header_are_told_and_not_read() -> None:
    table = read_table(f"Değerlendirmeler 2026\n\n{written()}".encode(), COLUMNS)
    assert cells(table) == list(ROWS)
    assert table.assumed == ("The header is line 3; the lines above it are not read.",)


@pytest.mark.parametrize("line", ['b,Bob,"bad,60', 'b,Bob,"bad" one,60', 'b,"Bob,70,"x'])
def test_a_quote_that_is_not_closed_takes_no_other_row_with_it(line: str) -> None:
    after = 'c,Cem,"ok",70\nd,Dan,"",80\ne,Eda,"two\nlines",90\n'
    text = f"recording_id,evaluator,notes,score\na,Ann,fine,50\n{line}\n{after}"
    rows = read_table(text.encode(), COLUMNS).rows
    assert [(row.line, row.cells.get("recording_id")) for row in rows if row.problem is None] == [
        (2, "a"), (4, "c"), (5, "d"), (6, "e"),
    ]  # fmt: skip
    (broken,) = [row for row in rows if row.problem is not None]
    assert broken.line == 3
    assert line.split()[0] in str(broken.problem)
    assert "Close it" in str(broken.problem)


def test_many_quotes_that_are_not_closed_are_read_in_time() -> None:
    lines = ["recording_id,score", *(f'"a{n},50' for n in range(2000)), "z,60"]
    rows = read_table("\n".join(lines).encode(), COLUMNS).rows
    assert sum(row.problem is not None for row in rows) == 2000
    assert rows[-1].cells == {"recording_id": "z", "score": "60"}


@pytest.mark.parametrize("line", ["b,Bob,80,5", "b,Bob,80,fine,really"])
def test_a_row_with_too_many_cells_names_the_one_too_many(line: str) -> None:
    first, second = read_table(f"recording_id,evaluator,score\na,Ann,70,,\n{line}\n".encode(), COLUMNS).rows
    assert first.problem is None, "empty cells at the end are no cells"
    assert second.problem is not None
    assert f"“{line.split(',')[3]}” belongs to no column" in second.problem


def test_two_columns_of_one_meaning_are_refused() -> None:
    with pytest.raises(TableError, match="'score' and 'Puan' are both read as score"):
        read_table(b"recording_id,score,Puan\na,1,2\n", COLUMNS)


def test_line_separators_of_unicode_are_text() -> None:
    (row,) = read_table("recording_id,notes\na,x\u2028y\u0085z\n".encode(), COLUMNS).rows
    assert row.cells["notes"] == "x\u2028y\u0085z"


def test_letters_of_western_europe() -> None:
    text, encoding = decoded("Ž,ß".encode("cp1252"))
    assert (text, encoding) == ("Ž,ß", "Windows-1252")


def test_a_damaged_letter_in_utf8_is_named_by_its_line() -> None:
    with pytest.raises(TableError, match=r"Line 3 .*byte 30 "):
        decoded("kayıt,değerlendirici\nş,ğ\n".encode() + b"\xfe,ok\n")


def test_headers_are_compared_by_letters_and_digits() -> None:
    assert header_key(" Recording-ID (file) ") == header_key("recording_id") == header_key("RECORDİNG ID")
    assert header_key("Değerlendirici") == "degerlendirici"


def test_a_table_of_more_columns_than_a_sheet_has_is_refused() -> None:
    n = 200_000
    with pytest.raises(TableError, match=f"has {n} columns; at most 16384 are read"):
        read_table(("x," * (n - 1) + "x\n" + "1," * (n - 1) + "1\n").encode(), COLUMNS)
    wide = ["kayıt", *(f"c{number}" for number in range(7000))]
    (row,) = read_table((";".join(wide) + "\n" + ";".join("1" for _ in wide) + "\n").encode(), COLUMNS).rows
    assert (len(row.cells), row.cells["recording_id"], row.problem) == (7001, "1", None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("b," + "x" * 140_000, "has a cell of more than 131072 characters"),
        ("b," + "x" * 3_000_000, "is longer than 1048576 characters"),
        ('b,"' + "x" * 2_000_000 + '"', "is longer than 1048576 characters"),
        ('b,"x', "has a quote that does not close its cell"),
    ],
    ids=["cell", "line", "quoted", "unclosed"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_row_that_is_too_long_is_refused_for_its_true_reason(
    tmp_path: Path, line: str, reason: str, end: str
) -> None:
    content = end.join(("recording_id,score", "a,1", line, "c,3", "")).encode()
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with open_table(file, COLUMNS) as table:
        rows = list(table.rows)
    assert rows == list(read_table(content, COLUMNS).rows)
    assert [(row.line, row.cells.get("score")) for row in rows] == [(2, "1"), (3, None), (4, "3")]
    assert reason in str(rows[1].problem)


def test_a_header_that_is_too_long_says_so() -> None:
    with pytest.raises(TableError, match="Line 1 is longer than 1048576 characters"):
        read_table(b"x" * 1_100_000 + b"\n1\n", COLUMNS, ("recording_id",))


def workbook(**sheets: list[list[object]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_sheet(rows: str, dimension: str = "A1:B2") -> bytes:
    """A workbook whose only sheet is written by hand."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{space}"><dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>'
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(Puanlar=[["a"]]))) as plain, zipfile.ZipFile(file, "w") as packed:
        for name in plain.namelist():
            packed.writestr(name, sheet if name.endswith("sheet1.xml") else plain.read(name))
    return file.getvalue()


def sheet_row(number: int, **cells: str) -> str:
    written = (f'<c r="{column}{number}" t="inlineStr"><is><t>{text}</t></is></c>' for column, text in cells.items())
    return f'<row r="{number}">{"".join(written)}</row>'


TABLE: list[list[object]] = [
    ["Kayıt", "Puan", "when"],
    ["a", 80.5, datetime(2026, 5, 1, 13, 45)],
    ["b", 80, date(2026, 5, 1)],
]


@pytest.mark.parametrize("dimension", ["A1:XFD1048576", "A1:A1"])
def test_what_a_sheet_claims_of_its_size_is_not_believed(dimension: str) -> None:
    rows = sheet_row(1, A="kayıt", B="puan") + sheet_row(2, A="a", B="80") + sheet_row(70_000, A="b", B="75")
    table = read_table(with_sheet(rows, dimension), COLUMNS)
    assert [(row.line, row.cells) for row in table.rows] == [
        (2, {"recording_id": "a", "score": "80"}),
        (70_000, {"recording_id": "b", "score": "75"}),
    ]


def test_a_sheet_of_billions_of_empty_rows_or_cells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.workbook.MAX_ROWS", 1000)
    monkeypatch.setattr("pipeline.workbook.MAX_CELLS", 50_000)
    head = sheet_row(1, A="kayıt", B="puan")
    with pytest.raises(TableError, match="more than 1000 rows or 50000 cells"):
        read_table(with_sheet(head + sheet_row(2_000_000_000, A="a", B="80")), COLUMNS)
    with pytest.raises(TableError, match="more than 1000 rows or 50000 cells"):
        read_table(with_sheet(head + "".join(sheet_row(n, A="a", XFD="x") for n in range(2, 7))), COLUMNS)
    table = read_table(with_sheet(head + "".join(sheet_row(n, A="a", XFD="x") for n in range(2, 4))), COLUMNS)
    assert [row.line for row in table.rows] == [2, 3]


def test_a_row_of_a_sheet_without_end_is_refused() -> None:
    head = sheet_row(1, A="kayıt", B="puan")
    with pytest.raises(TableError, match="a row of more than 16384 cells"):
        read_table(with_sheet(head + "<row>" + "<c/>" * 300_000 + "</row>"), COLUMNS)


@pytest.mark.parametrize(("flags", "method"), [(1, zipfile.ZIP_DEFLATED), (0, 99), (0, zipfile.ZIP_LZMA)])
def test_a_workbook_that_cannot_be_unpacked_is_refused(flags: int, method: int) -> None:
    with pytest.raises(TableError, match="cannot be read as an Excel workbook"):
        read_table(with_entries(workbook(A=TABLE), flags, method), COLUMNS)


def test_an_excel_workbook() -> None:
    table = read_table(workbook(Puanlar=TABLE), COLUMNS, ("recording_id",))
    assert [row.cells for row in table.rows] == [
        {"recording_id": "a", "score": "80.5", "when": "2026-05-01 13:45:00"},
        {"recording_id": "b", "score": "80", "when": "2026-05-01 00:00:00"},
    ]
    assert [row.line for row in table.rows] == [2, 3]


def test_the_sheet_with_the_table_is_taken_and_told() -> None:
    table = read_table(workbook(Info=[["about"], ["x"]], Puanlar=TABLE), COLUMNS, ("recording_id",))
    assert len(table.rows) == 2
    assert "The sheet “Puanlar” is read, not: Info." in table.assumed


def test_of_several_sheets_one_is_asked_for() -> None:
    content = workbook(A=TABLE, B=TABLE[:2])
    with pytest.raises(SheetChoiceError) as asked:
        read_table(content, COLUMNS, ("recording_id",))
    assert asked.value.sheets == ("A", "B")
    assert len(read_table(content, COLUMNS, ("recording_id",), "B").rows) == 1
    with pytest.raises(TableError, match="no sheet 'C'"):
        read_table(content, COLUMNS, ("recording_id",), "C")


def test_a_formula_without_its_value_is_told() -> None:
    (row,) = read_table(workbook(A=[["recording_id", "score"], ["a", "=40+40"]]), COLUMNS).rows
    assert "the formula =40+40 without its value" in str(row.problem)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,80\nb,7.5\n", [["a", "80"], ["b", "7.5"]]), ("a;80,5\n\nb;7\n", [["a", "80,5"], ["b", "7"]]),
        ("a, b\t80,5\nb\t7\n", [["a, b", "80,5"], ["b", "7"]]), ("a|80\r\nb|7", [["a", "80"], ["b", "7"]]),
    ],
)  # fmt: skip
def test_pasted_rows_are_split_where_they_fit(text: str, rows: list[list[str]]) -> None:
    assert [fields for _line, fields in split_rows(text, 2)] == rows


def test_a_file_of_any_length_is_read_row_by_row(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    for encoding in ("utf-8-sig", "utf-16", "cp1254"):
        with file.open("w", encoding=encoding, newline="") as stream:
            stream.write("kayıt;puan\r")
            stream.writelines(f'ş{n};"{n},5"\r' if n % 1000 else f'"ş{n};{n}\r' for n in range(5000))
        with open_table(file, COLUMNS, ("recording_id",)) as table:
            assert table.columns == ("recording_id", "score")
            rows = list(table.rows)
        assert [row.line for row in rows] == list(range(2, 5002))
        assert [row.line for row in rows if row.problem] == [2, 1002, 2002, 3002, 4002]
        assert rows[-1].cells == {"recording_id": "ş4999", "score": "4999,5"}


def test_quotes_can_be_text(tmp_path: Path) -> None:
    file = tmp_path / "validated.tsv"
    file.write_text('recording_id\tnotes\na\t"Oh", he said\nb\t"x\n', encoding="utf-8")
    with open_table(file, COLUMNS, quoted=False) as table:
        assert [row.cells["notes"] for row in table.rows] == ['"Oh", he said', '"x']


def test_a_letter_of_windows_far_into_a_file(tmp_path: Path) -> None:
    file = tmp_path / "late.csv"
    file.write_bytes(b"recording_id,score\n" + (b"a" * 1000 + b",1\n") * 1200 + "ğ,2\n".encode("cp1254"))
    with open_table(file, COLUMNS) as table:
        assert table.assumed == ("The text is in Windows-1254.",)
        assert deque(table.rows, maxlen=1)[0].cells["recording_id"] == "ğ"


def test_nothing_else_reads_tables_that_people_bring() -> None:
    ours = {"tablefile.py", "model_files.py"}  # the second reads what it wrote itself
    files = [path for top in ("pipeline", "dashboard") for path in (CHECKOUT / top).rglob("*.py")]
    reads = {path.name for path in files if re.search(r"csv\.(DictR|r)eader\(", path.read_text(encoding="utf-8"))}
    assert reads == ours
