"""What is said of recordings and label files can be read in any language after it was kept: in the list of a set, in
the index and in what is known of an upload. JSON for other programs has the English text alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline import jsonl
from pipeline.audio.check import inspect_file
from pipeline.corpus.sets import (
    get_set,
    read_recordings,
    recording_to_json,
    recordings_file,
    result_path,
)
from pipeline.errors import AudioError, CorpusError, said_by
from pipeline.i18n import Message, ended, reason_alone, speaking, translated
from pipeline.importing.importer import import_path
from pipeline.importing.uploads import ledger
from pipeline.labels.index import Index
from pipeline.records import AudioReport, Problem, problem_from, problem_row, to_json
from pipeline.settings import Settings
from tests.prepared import save_set

CLIPPED = Message("{share:.1%} of the recording is clipped. Lower the input level, or move away from the microphone.",
                  share=0.123)  # fmt: skip
DAMAGE: list[Callable[[dict[str, Any]], Any]] = [
    lambda row: row.pop("msgid"),
    lambda row: row.pop("values"),
    lambda row: row.update(values=["share"]),
    lambda row: row.update(values={"share": "much"}),
    lambda row: row.update(values={"share": None}),
    lambda row: row.update(msgid="{share"),
    lambda row: row.update(msgid="Something else."),
    lambda row: row.update(msgid=None),
]


def report(*problems: Problem) -> AudioReport:
    return AudioReport(1.0, 16_000, 1, 1.0, 0.123, 0.1, None, problems)


def kept(problem: Problem) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(jsonl.dumps(problem_row(problem)))
    return row


def in_turkish(problem: Problem) -> str:
    with speaking("tr"):
        return translated(problem.message)


def test_a_problem_is_read_as_it_was_kept() -> None:
    inner = Message("the index {n}", n=2)
    problem = Problem("clipped", Message("{a}: {b}", a="x", b=inner), "error", "a.wav", 3, "value")
    read = problem_from(kept(problem))
    assert read == problem
    assert isinstance(read.message, Message)
    assert isinstance(read.message.values["b"], Message)
    assert in_turkish(problem_from(kept(Problem("clipped", CLIPPED)))).startswith("Kaydın %12,3")
    plain = Problem("odd", "Written by somebody.")
    assert problem_from(kept(plain)) == plain


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_parts_leave_the_english_text(damage: Callable[[dict[str, Any]], Any]) -> None:
    row = kept(Problem("clipped", CLIPPED))
    damage(row)
    assert problem_from(row) == Problem("clipped", str(CLIPPED))
    assert not isinstance(problem_from(row).message, Message)


def test_other_json_has_the_english_text_alone() -> None:
    content = to_json(report(Problem("clipped", CLIPPED)))
    assert content["problems"] == [
        {"code": "clipped", "message": str(CLIPPED), "severity": "warning", "path": None, "line": None, "value": None}
    ]


def test_what_an_error_says_can_be_kept() -> None:
    constant = said_by(AudioError("The recording is empty. Record it again."))
    assert isinstance(constant, Message)
    with speaking("tr"):
        assert translated(constant) != constant
    assert said_by(ValueError(CLIPPED)) is CLIPPED
    assert (said_by(ValueError("odd")), said_by(ValueError())) == ("odd", "")
    assert (ended("a"), ended("a.")) == ("a.", "a.")
    with speaking("tr"):
        assert translated(ended(CLIPPED)) == translated(CLIPPED)


@pytest.fixture
def damaged_set(settings: Settings, tiny_set: str, tmp_path: Path) -> str:
    """Two recordings that cannot be read, beside 24 sound ones."""
    folder = tmp_path / "tiny" / "participant_001" / "kelimeler"
    (folder / "07_bozuk.wav").write_bytes(b"no audio")
    (folder / "08_boş.wav").write_bytes(b"")
    import_path(settings, tmp_path / "tiny", name=tiny_set)
    return tiny_set


def test_problems_of_recordings_are_turkish_behind_the_list_and_the_index(
    settings: Settings, damaged_set: str, tmp_path: Path
) -> None:
    folder = tmp_path / "tiny" / "participant_001" / "kelimeler"
    wanted = {}
    for name in ("07_bozuk.wav", "08_boş.wav"):
        (problem,) = inspect_file(folder / name).problems
        wanted[name] = in_turkish(problem)
        assert wanted[name] != problem.message
    reports = [(Path(one.path).name, one.report) for one in read_recordings(settings, damaged_set) if one.report]
    assert {name: in_turkish(problem) for name, known in reports for problem in known.problems} == wanted
    index = Index(settings)
    assert {Path(one.path or "").name: in_turkish(one) for one in index.problems()} == wanted
    ids = {f"tiny/participant_001/kelimeler/{Path(name).stem}" for name in wanted}
    from_index = {key: index.recording(key).report for key in ids}
    assert {in_turkish(known.problems[0]) for known in from_index.values() if known} == set(wanted.values())
    save_set(settings, get_set(settings, damaged_set), read_recordings(settings, damaged_set))
    index.rebuild()
    assert {Path(one.path or "").name: in_turkish(one) for one in index.problems()} == wanted


def test_lists_of_recordings_without_parts_are_read_as_before(settings: Settings, damaged_set: str) -> None:
    file = recordings_file(settings, damaged_set)
    before = read_recordings(settings, damaged_set)
    jsonl.write(file, [to_json(one) for one in before])  # as earlier versions wrote it
    assert b'"msgid"' not in file.read_bytes()
    assert read_recordings(settings, damaged_set) == before
    Index(settings).rebuild()
    assert len(Index(settings).problems()) == 2
    jsonl.write(file, map(recording_to_json, before))
    assert b'"msgid"' in file.read_bytes()
    assert read_recordings(settings, damaged_set) == before


def test_damaged_parts_in_a_list_of_recordings_hide_nothing(settings: Settings, damaged_set: str) -> None:
    file = recordings_file(settings, damaged_set)
    before = read_recordings(settings, damaged_set)
    rows = [recording_to_json(one) for one in before]
    for row in rows:
        for problem in row["report"]["problems"]:
            problem["values"] = "odd"
    jsonl.write(file, rows)
    assert read_recordings(settings, damaged_set) == before
    Index(settings).rebuild()
    assert {problem.code for problem in Index(settings).problems()} == {"unreadable"}
    rows[-1]["report"]["problems"] = [{"odd": 1}]
    jsonl.write(file, rows)
    with pytest.raises(CorpusError, match="is damaged"):
        read_recordings(settings, damaged_set)


def test_what_is_said_of_label_files_is_kept_as_messages(settings: Settings, tiny_set: str) -> None:
    set_ = get_set(settings, tiny_set)
    files = [result_path(set_, one) for one in read_recordings(settings, tiny_set)]
    files[0].write_text("{", encoding="utf-8")
    files[1].write_bytes(b"")
    files[2].write_text(json.dumps({"word": "a", "score": 200}), encoding="utf-8")
    files[3].write_text("[1]", encoding="utf-8")
    files[4].write_bytes("ğ".encode("cp1254"))
    content = json.loads(files[5].read_text(encoding="utf-8"))
    content["ratings"][0]["at"] = "yesterday"
    files[5].write_text(json.dumps(content), encoding="utf-8")
    content["ratings"][0].update(at="2026-01-01T00:00:00+00:00", segments=[1], marks=[1])
    files[6].write_text(json.dumps(content), encoding="utf-8")
    files[7].write_text(json.dumps({"word": "a", "score": 5, "evaluator": ""}), encoding="utf-8")
    files[8].with_name("none_result.json").write_text("{}", encoding="utf-8")
    told = Index(settings).rebuild().problems
    found = Index(settings).problems()
    assert {one.code for one in found} == {"broken_label", "unread_part", "label_scale", "stray_label"}
    assert sorted(map(repr, found)) == sorted(map(repr, told))
    assert len(found) == 10
    assert [one for one in found if not (isinstance(one.message, Message) and one.message.values)] == []
    of_files = [one for one in found if one.code in ("broken_label", "stray_label")]
    assert len(of_files) == 7
    assert all(str(one.message).partition(": ")[0].endswith("_result.json") for one in of_files), "for commands"
    assert all("_result.json: " not in reason_alone(one.message) for one in of_files), "for tables with a path"
    assert all(isinstance(reason_alone(one.message), Message) for one in of_files)


def test_what_readers_of_corpora_say_can_be_translated(tmp_path: Path) -> None:
    from pipeline.corpus.readers.catalogue import opened

    rows = [{"audio": "a.wav", "text": "ev", "score": 101}, {"text": "ev"}, {"audio": "../b.wav", "text": "ev"}, 5]
    jsonl.write(tmp_path / "manifest.jsonl", rows)
    found = [entry for entry in opened("manifest", tmp_path).entries if isinstance(entry, Problem)]
    assert [str(one.message).partition(": ")[0] for one in found] == [f"Line {n}" for n in (1, 2, 3, 4)]
    assert all(isinstance(one.message, Message) for one in found)
    reasons = [one.message.values["reason"] for one in found if isinstance(one.message, Message)]
    assert reasons[0] == "101 lies outside 0-100"
    assert reasons[1].startswith("'audio' is missing among text; ")
    assert [reason for reason in reasons if not (isinstance(reason, Message) and reason.values)] == []


def test_names_of_raters_are_told_as_messages(settings: Settings, tiny_set: str) -> None:
    set_ = get_set(settings, tiny_set)
    files = [result_path(set_, one) for one in read_recordings(settings, tiny_set)]
    files[0].write_text(json.dumps({"word": "a", "score": 70, "evaluator": ""}), encoding="utf-8")
    files[1].write_text(json.dumps({"word": "a", "score": 80, "evaluator": "AYŞE"}), encoding="utf-8")
    files[2].write_text(json.dumps({"word": "a", "score": 80, "evaluator": "Ayşe"}), encoding="utf-8")
    Index(settings).rebuild()
    found = {one.code: one.message for one in Index(settings).problems()}
    assert set(found) == {"no_rater", "respelled"}
    assert all(isinstance(message, Message) and message.values for message in found.values())


def test_uploads_keep_messages_and_earlier_ones_are_read(tmp_path: Path) -> None:
    problem = Problem("clipped", CLIPPED, path="a.wav")
    entry = ledger.StagedFile(
        1, 1, "a.wav", 9, ledger.Kind.RECORDING, path="a.wav", report=report(problem), problems=(problem,)
    )
    file = tmp_path / "ledger.jsonl"
    ledger.append(file, entry)
    (read,) = ledger.staged(file).values()
    assert read == entry
    assert in_turkish(read.problems[0]) == in_turkish(problem)
    assert read.report is not None
    assert in_turkish(read.report.problems[0]) == in_turkish(problem)
    (row,) = jsonl.read(file)
    assert row["problems"] == [
        {
            "code": "clipped", "message": str(CLIPPED), "severity": "warning", "path": "a.wav",
            "msgid": CLIPPED.msgid, "values": {"share": 0.123},
        }
    ], "the form that earlier versions wrote, too"  # fmt: skip
    row["problems"][0]["values"] = 5
    jsonl.write(tmp_path / "damaged.jsonl", [row])
    (damaged,) = ledger.staged(tmp_path / "damaged.jsonl").values()
    assert damaged.problems == entry.problems
