"""What exports hold, and what they say of what they cannot hold."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import textgrid
import tgt
from click.testing import CliRunner
from praatio import textgrid as praatio

from pipeline.cli.main import main
from pipeline.corpus.sets import get_set, read_recordings, result_path
from pipeline.labels.exchange.files import write_textgrids, zipped_textgrids
from pipeline.labels.exchange.recordings import Labels, labels_of
from pipeline.labels.exchange.textgrid import Alignment, write_textgrid
from pipeline.labels.store import LabelStore
from pipeline.records import Mark, PhoneScore, RatingAction, RatingEvent, Recording, WordScore
from pipeline.settings import Settings
from tests.projects.test_projects import words

__all__ = ["words"]
AT = "2026-03-04T05:06:07.890+00:00"
NOTES = 'iki\nsatır\r\n"tırnak" \u2028 😀'
MARKS = (
    Mark(0, None, "accent"), Mark(0, None, "mispronounced"), Mark(0, 2, "mispronounced", "ı"),
    Mark(0, 0, "mispronounced"), Mark(0, 1, "stress"), Mark(0, 1, "missing"),
)  # fmt: skip
PHONES = tuple(PhoneScore(p, 90.0, 0.1 + 0.1 * n, 0.2 + 0.1 * n) for n, p in enumerate(("A", "R", "A")))
ALIGNED = (WordScore("araba", 90.0, 0.1, 0.4, PHONES),)


@pytest.fixture
def rated(settings: Settings, words: str) -> str:
    first, second, *_ = read_recordings(settings, words)
    LabelStore(settings).add(first, RatingEvent("Ayşe", RatingAction.RATE, AT, 81.5, notes=NOTES, marks=MARKS))
    LabelStore(settings).add(second, RatingEvent("Bob", RatingAction.RATE, AT, 60.0))
    return words


@pytest.mark.parametrize("aligned", [ALIGNED, ()], ids=["in time", "without times"])
def test_as_many_marks_come_out_as_went_in(
    aligned: tuple[WordScore, ...], settings: Settings, rated: str, tmp_path: Path
) -> None:
    labelled = labels_of(settings, rated).recordings[0]
    write_textgrid(tmp_path / "a.TextGrid", labelled, aligned)
    grid = praatio.openTextgrid(str(tmp_path / "a.TextGrid"), includeEmptyIntervals=False)
    marks = [
        (name.split(":")[0], entry.start, entry.end, entry.label)
        for name in grid.tierNames
        if name.endswith(": Ayşe") and not name.startswith("rating")
        for entry in grid.getTier(name).entries
    ]
    assert len(marks) == 6
    if aligned:
        assert ("mispronounced", 0.1, 0.2, "araba (word 1, sound 1)") in marks
        assert ("mispronounced", 0.3, 0.4, "araba (word 1, sound 3): ı") in marks, "beside it, so in the same tier"
        assert ("mispronounced 2", 0.1, 0.4, "araba (word 1)") in marks, "over both, so in another"
        assert [entry.label for entry in grid.getTier("phones").entries] == ["A", "R", "A"]
    else:
        assert {mark[1:3] for mark in marks} == {(0.0, 0.6)}


def test_other_programs_read_the_text_grids(settings: Settings, rated: str, tmp_path: Path) -> None:
    import parselmouth

    labelled = labels_of(settings, rated).recordings[0]
    path = tmp_path / "a.TextGrid"
    write_textgrid(path, labelled, ALIGNED)
    wanted = next(line for line in path.read_text(encoding="utf-8").split("\n") if "notes: " in line)
    label = wanted.partition('"')[2].rpartition('"')[0].replace('""', '"')
    assert 'notes: iki⏎satır\\u000d⏎"tırnak" \\u2028 😀' in label
    of_textgrid = textgrid.TextGrid.fromFile(str(path)).getFirst("rating: Ayşe")
    of_tgt = tgt.io.read_textgrid(str(path)).get_tier_by_name("rating: Ayşe")
    praat = parselmouth.read(str(path))
    n_tiers = int(parselmouth.praat.call(praat, "Get number of tiers"))
    tiers = [parselmouth.praat.call(praat, "Get tier name", n + 1) for n in range(n_tiers)]
    of_praat = parselmouth.praat.call(praat, "Get label of interval", tiers.index("rating: Ayşe") + 1, 1)
    assert {of_textgrid[0].mark, of_tgt.intervals[0].text, of_praat} == {label}


def test_recordings_that_cannot_be_aligned_are_named(settings: Settings, rated: str, tmp_path: Path) -> None:
    labels = labels_of(settings, rated)

    def align(recording: Recording, _audio: Path) -> Alignment:
        return Alignment(ALIGNED) if recording.text == "araba" else Alignment(reason="'25' cannot be read out")

    n, left_out, unaligned = write_textgrids(tmp_path, labels, align)
    assert (n, left_out) == (2, ())
    assert [(problem.path, problem.message) for problem in unaligned] == [
        (labels.recordings[1].recording.id, "'25' cannot be read out")
    ]


Damage = Callable[[Path], Any]
DAMAGES: dict[str, Damage] = {
    "a score as text": lambda file: file.write_text('{"word": "x", "score": "85,5"}'),
    "not a number": lambda file: file.write_text('{"word": "x", "score": NaN}'),
    "a list": lambda file: file.write_text("[]"),
    "capital keys": lambda file: file.write_text('{"Word": "x", "Score": 5}'),
    "Windows-1254": lambda file: file.write_bytes('{"word": "şu", "score": 5}'.encode("cp1254")),
    "UTF-16": lambda file: file.write_bytes('{"word": "x", "score": 5}'.encode("utf-16")),
    "empty": lambda file: file.write_bytes(b""),
}


def test_damaged_label_files_stop_no_export(
    settings: Settings, rated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = read_recordings(settings, rated)
    damaged = recordings[2 : 2 + len(DAMAGES)]
    for recording, damage in zip(damaged, DAMAGES.values(), strict=True):
        damage(result_path(get_set(settings, rated), recording))
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    for fmt in ("csv", "xlsx", "label-studio", "textgrid"):
        arguments = ["export", "--set", rated, "--format", fmt, "--out", str(tmp_path / fmt)]
        answer = CliRunner().invoke(main, [*arguments, "--json"])
        assert answer.exit_code == 0, answer.output
        result = json.loads(answer.output)
        assert result["rows"] == 2
        assert [problem["path"] for problem in result["left_out"]] == [recording.id for recording in damaged], fmt
        text = CliRunner().invoke(main, arguments).output
        assert f"{len(damaged)} recordings left out" in text
        assert damaged[0].id in text
    assert len(zipped_textgrids(labels_of(settings, rated)).left_out) == len(damaged)
    arguments = ["export", "--set", rated, "--format", "jsonl", "--out", str(tmp_path / "all.jsonl")]
    result = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).output)
    assert (result["rows"], result["left_out"]) == (len(recordings), [])
    assert [problem["path"] for problem in result["without_ratings"]] == [recording.id for recording in damaged]


def test_a_recording_of_unknown_length_stops_no_text_grids(settings: Settings, rated: str, tmp_path: Path) -> None:
    from dataclasses import replace

    first, second = labels_of(settings, rated).recordings
    unknown = replace(first, recording=replace(first.recording, report=None))
    n, left_out, _unaligned = write_textgrids(tmp_path, Labels((unknown, second)))
    assert (n, [problem.path for problem in left_out]) == (1, [first.recording.id])


def test_an_excel_workbook_has_both_tables_and_no_formula(settings: Settings, rated: str) -> None:
    import io

    from openpyxl import load_workbook

    from pipeline.labels.exchange.files import export_table

    third = read_recordings(settings, rated)[2]
    LabelStore(settings).add(third, RatingEvent("=1+1", RatingAction.RATE, AT, 50.0, notes="@x"))
    book = load_workbook(io.BytesIO(export_table(settings, rated, "xlsx").content))
    assert book.sheetnames == ["ratings", "consensus"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not any(cell.data_type == "f" for cell in cells)
    assert {"'=1+1", "'@x"} <= {cell.value for cell in cells}
    assert 81.5 in {cell.value for cell in cells}, "scores are numbers"


def test_corrected_notes_are_imported_and_a_repeat_changes_nothing(settings: Settings, rated: str) -> None:
    from dataclasses import replace

    store, recording = LabelStore(settings), read_recordings(settings, rated)[0]
    (event,) = store.history(recording)
    assert store.add_from_corpus(recording, [event, replace(event, notes="", marks=())]) is None
    later = replace(event, notes="better", at="2026-03-05T00:00:00.000+00:00")
    assert store.add_from_corpus(recording, [later]) is not None
    assert store.add_from_corpus(recording, [event]) is None, "what was said before is not said again"
    assert store.current(recording)["Ayşe"].notes == "better"


def test_a_textgrid_that_the_disk_has_no_room_for_leaves_no_half_file(
    settings: Settings, rated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: Any, name: str, **_options: Any) -> None:
        Path(name).write_text("File type", encoding="utf-8")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(praatio.Textgrid, "save", full)
    with pytest.raises(OSError, match=r"No space left on device.*\.TextGrid"):
        write_textgrids(tmp_path / "out", labels_of(settings, rated))
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []
