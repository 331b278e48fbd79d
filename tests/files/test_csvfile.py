"""CSV that a spreadsheet opens without running anything: one writer, for every exporter."""

import csv
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from pipeline import csvfile
from pipeline.cli.main import main
from pipeline.corpus.sets import read_recordings
from pipeline.importing.importer import import_path
from pipeline.labels.exchange.files import export_table
from pipeline.labels.exchange.incoming import read_ratings
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.projects.project import Project, save_project
from pipeline.records import RatingAction, RatingEvent
from pipeline.runs.comparison import Comparison, Reached, RunRow, as_csv
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.feature_based.data import load_training_data, write_csv
from pipeline.settings import CHECKOUT, Settings

SPOKEN = CHECKOUT / "data" / "demo" / "references" / "masa.wav"
ADMIN = Identity("Ada", frozenset(Role))
STARTS = ["=", "+", "-", "@", "\t", "\r"]
SOURCES = sorted(p for top in ("pipeline", "dashboard") for p in (CHECKOUT / top).rglob("*.py"))


@pytest.mark.parametrize("start", STARTS)
def test_text_that_a_spreadsheet_would_run_is_defused(start: str) -> None:
    cell = f"{start}1+1"
    assert csvfile.defused(cell) == f"'{cell}"
    assert csvfile.plain(csvfile.defused(cell)) == cell
    assert csvfile.plain(csvfile.defused(f"'{cell}")) == f"'{cell}", "what looked defused comes back as it was"


@pytest.mark.parametrize("cell", [-1.5, 0, -3, None, True, "plain", "'quoted'", "", "a=1"])
def test_numbers_and_other_text_stay(cell: object) -> None:
    assert csvfile.defused(cell) is cell


@pytest.mark.parametrize(
    "before",
    ["\v", "\f", "\x00", "\ufeff", " ", "\xa0", "\u3000", "\u200b", "\u3164", "\ufe0f", '"', "' '"],
)  # fmt: skip
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝"])
def test_blanks_and_invisible_characters_hide_no_formula(before: str, sign: str) -> None:
    cell = f"{before}{sign}1+1"
    assert csvfile.defused(cell) == f"'{cell}"
    assert csvfile.plain(csvfile.defused(cell)) == cell


@pytest.mark.parametrize("split", [";", "\t", "\r", "\n", "\r\n", "; ", ';"', ";\u200b"])
def test_a_formula_after_what_a_spreadsheet_may_split_at_is_defused(split: str) -> None:
    cell = f"x{split}=1+1;{split}-2;y"
    safe = csvfile.defused(cell)
    for place in re.split(r"[;\t\r\n]", safe):
        assert not re.match(r"[\s\"\u200b]*[=+@-]", place), safe
    assert csvfile.plain(safe) == cell
    assert csvfile.plain(csvfile.defused(safe)) == safe
    (_, row) = csv.reader(io.StringIO(csvfile.text(["a", "b"], [["1", cell]]), newline=""))
    assert [csvfile.plain(found) for found in row] == ["1", cell], "line ends stay within their cell"


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_a_table_is_safe_whatever_sign_the_spreadsheet_cuts_at(separator: str) -> None:
    """A file with semicolons is opened by spreadsheets that cut at commas, and heed no quotes there."""
    cell = "a,=1+1;-2\t+3"
    dialect = csvfile.Dialect(separator, "," if separator == ";" else ".")
    content = csvfile.text(["x", "y"], [[cell, -1.5]], dialect)
    line = content.partition("\n")[2]
    for other in ";\t" if separator == "," else ",;\t":
        assert not any(re.match(r'"*[=+@]', place) for place in line.split(other)), (other, line)
    (_, (text, number)) = csv.reader(io.StringIO(content, newline=""), delimiter=separator)
    assert csvfile.plain(text, separator) == cell
    assert number == ("-1,5" if separator == ";" else "-1.5"), "a number stays a number"


@pytest.mark.parametrize(("language", "name"), [("tr", "semicolon"), ("en", "comma")])
def test_the_separator_of_a_language(language: str, name: str) -> None:
    assert csvfile.spreadsheet_dialect(language) == name
    content = csvfile.of_frame(pd.DataFrame({"a": [1.5, 2.0], "n": [3, 4]}), csvfile.DIALECTS["semicolon"])
    assert content == "a;n\n1,5;3\n2,0;4\n", "whole numbers have no decimals"


@pytest.mark.parametrize("cell", [Path("=1+1"), ["a;=1+1"], {"=x"}, pd.Timedelta(-1, "D")], ids=str)
def test_whatever_is_no_number_is_judged_by_its_text(cell: object) -> None:
    for content in (csvfile.text(["a"], [[cell]]), csvfile.of_frame(pd.DataFrame({"a": [cell]}))):
        (_, (found,)) = csv.reader(io.StringIO(content, newline=""))
        assert "=" not in found or not re.search(r"(^|;)=", found)
        assert not found.startswith("-")
        assert csvfile.plain(found) == str(cell)


def test_frames_leave_out_what_has_no_value() -> None:
    frame = pd.DataFrame({"a": [1.5, None, -2], "b": [None, "=x", pd.NA], "c": [True, False, True]})
    assert csvfile.of_frame(frame) == "a,b,c\n1.5,,True\n,'=x,False\n-2.0,,True\n"


def test_tables_of_rows_records_and_frames() -> None:
    rows = [("=1+1", -2.5, None), ("two\nlines", 3, "@x")]
    expected = "a,b,'=c\n'=1+1,-2.5,\n\"two\nlines\",3,'@x\n"
    assert csvfile.text(("a", "b", "=c"), rows) == expected
    records = [dict(zip(("a", "b", "=c"), row, strict=True)) for row in rows]
    assert csvfile.of_records(("a", "b", "=c"), records) == expected
    assert csvfile.of_frame(pd.DataFrame(records)).replace("3.0", "3") == expected


@pytest.mark.parametrize("file", SOURCES, ids=lambda f: str(f.relative_to(CHECKOUT)))
def test_nothing_else_writes_csv(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    if file.name != "csvfile.py":
        assert not re.search(r"\w\)?\.to_csv\(index|\.to_csv\([a-z]+, index|csv\.(writer|DictWriter)\(", source)


@pytest.fixture
def formulas(settings: Settings, tmp_path: Path) -> str:
    """Texts, speakers, raters and notes that are formulas."""
    folder = tmp_path / "formulas"
    folder.mkdir()
    lines = []
    for number in range(24):
        (folder / f"{number}.wav").write_bytes(SPOKEN.read_bytes())
        lines.append(
            f'{{"audio": "{number}.wav", "text": "=1+{number}", "speaker": "@s{number % 4}", "rubric": "word"}}\n'
        )
    (folder / "manifest.jsonl").write_text("".join(lines), encoding="utf-8")
    import_path(settings, folder / "manifest.jsonl", name="formulas")
    store = LabelStore(settings)
    for number, recording in enumerate(read_recordings(settings, "formulas")):
        at = f"2026-01-01T00:00:{number:02}.000+00:00"
        store.add(recording, RatingEvent("-Eve", RatingAction.RATE, at, 50.0 + number, notes="+2", project="study"))
    return "formulas"


def unsafe(content: str) -> list[str]:
    rows = csv.reader(io.StringIO(content, newline=""))
    return [cell for row in rows for cell in row if cell.startswith(tuple(STARTS)) and not _is_number(cell)]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_exported_ratings_and_consensus(settings: Settings, formulas: str) -> None:
    for table in ("ratings", "consensus"):
        content = export_table(settings, formulas, "csv", table).content.decode("utf-8-sig")  # type: ignore[arg-type]
        assert "'=1+0" in content, table
        assert unsafe(content) == [], table
    ratings = export_table(settings, formulas, "csv").content
    assert [(row.values["evaluator"], row.values["notes"]) for row in read_ratings(ratings).rows] == [
        ("-Eve", "+2")
    ] * 24


def test_the_consensus_of_a_project(settings: Settings, formulas: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    save_project(settings, Project("study", formulas), ADMIN)
    result = CliRunner().invoke(main, ["project", "consensus", "study", "--by", "Ada"])
    assert result.exit_code == 0, result.output
    assert "'=1+0" in result.stdout
    assert unsafe(result.stdout) == []


def test_training_data_comes_back_as_it_was(settings: Settings, formulas: str, tmp_path: Path) -> None:
    data = load_training_data(settings, TrainConfig(set=formulas))
    file = tmp_path / "training_data.csv"
    write_csv(file, data)
    content = file.read_text(encoding="utf-8")
    assert unsafe(content) == []
    assert "'@s0" in content
    back = load_training_data(settings, TrainConfig(csv=str(file)))
    assert (back.texts, back.speakers, back.recording_ids) == (data.texts, data.speakers, data.recording_ids)
    np.testing.assert_allclose(back.values, data.values, rtol=1e-6)


def test_compared_runs() -> None:
    run = RunRow("=run", "speech", "finished", {"=loss": Reached(-1.5, -2.0, 1)})
    content = as_csv(Comparison((run,), {}))
    assert "'=run,speech,finished,'=loss,-1.5,-2.0,1" in content


def test_a_learners_data(settings: Settings) -> None:
    from pipeline.audio.load import load_audio
    from pipeline.practice.attempts import save_attempt
    from pipeline.practice.consent import exported
    from pipeline.records import ScoreResult, Target

    result = ScoreResult(50.0, "very_poor", "heuristic", "h", "m", Target("=1+1", "tr"))
    save_attempt(settings, "Eve", "=1+1", load_audio(SPOKEN), result)
    with zipfile.ZipFile(io.BytesIO(exported(settings, "Eve"))) as packed:
        content = packed.read("attempts.csv").decode("utf-8-sig")
    assert "'=1+1" in content
    assert unsafe(content) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ratings_with_any_line_end_are_read(end: str) -> None:
    table = end.join(["recording_id,evaluator,score", "a,Eve\u2028X,50", "b,Eve,60", ""])
    assert [row.values["score"] for row in read_ratings(table.encode()).rows] == [50.0, 60.0]


def test_a_quote_that_is_never_closed_is_named() -> None:
    table = 'recording_id,evaluator,notes\na,Eve,"' + "x" * 200_000 + "\nb,Eve,y\n"
    broken, whole = read_ratings(table.encode()).rows
    assert (broken.place, whole.place, whole.values["notes"]) == ("line 2", "line 3", "y")
    assert "quote that does not close" in broken.problem
