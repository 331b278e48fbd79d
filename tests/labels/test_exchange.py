"""Labels to other programs and back: what goes out comes in again as it was, and bad rows are named."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.corpus.sets import get_set, read_recordings
from pipeline.errors import AccessError, LabelError, TableError
from pipeline.importing.importer import import_path
from pipeline.labels.exchange.incoming import apply, check, read_ratings
from pipeline.labels.exchange.label_studio import from_label_studio
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.people.people import People, Person
from pipeline.records import Mark, RatingAction, RatingEvent
from pipeline.settings import Settings
from tests.projects.test_projects import words

__all__ = ["words"]
AT = "2026-03-04T05:06:07.890+00:00"


@pytest.fixture
def rated(settings: Settings, words: str) -> str:
    """Ratings with everything that can be lost on the way: marks, notes that look like formulas, skips, Turkish."""
    store, (first, second, third, *_) = LabelStore(settings), read_recordings(settings, words)
    marks = (Mark(0, None, "accent"), Mark(0, 2, "mispronounced", "ı"))
    store.add(first, RatingEvent("Ayşe", RatingAction.RATE, AT, 81.5, notes='=çok iyi; "net"', marks=marks, took_s=4.5))
    store.add(first, RatingEvent("Bob", RatingAction.RATE, AT, 60.0))
    store.add(second, RatingEvent("Ayşe", RatingAction.SKIP, AT, reason="Not my dialect"))
    store.add(third, RatingEvent("Bob", RatingAction.RATE, AT, 12.0, notes="two\nlines"))
    return words


def elsewhere(settings: Settings, tmp_path: Path) -> Settings:
    """Another installation with the same recordings and no labels: the files beside the audio are not taken along."""
    import shutil

    other = Settings(tmp_path / "elsewhere" / "data", tmp_path / "elsewhere" / "models")
    copy = tmp_path / "elsewhere" / "words"
    shutil.copytree(get_set(settings, "words").root, copy, ignore=shutil.ignore_patterns("*_result.json"))
    import_path(other, copy, name="words")
    return other


def test_a_table_from_a_spreadsheet_is_enough(settings: Settings, words: str) -> None:
    path = read_recordings(settings, words)[0].path
    incoming = check(settings, words, read_ratings(f"recording_id,evaluator,score\n{path},Zoë,77\n".encode()).rows)
    assert incoming.n == 1
    apply(settings, words, incoming)
    ((who, event),) = LabelStore(settings).current(read_recordings(settings, words)[0]).items()
    assert (who, event.score) == ("Zoë", 77.0)


def test_every_bad_row_is_named(settings: Settings, words: str) -> None:
    key = read_recordings(settings, words)[0].id
    table = [
        ["recording_id", "evaluator", "score", "action", "at", "marks"],
        ["nowhere", "Eve", "50", "", "", ""],
        [key, "Eve", "101", "", "", ""],
        [key, "", "50", "", "", ""],
        [key, "Eve", "much", "", "", ""],
        [key, "Eve", "50", "undo", "", ""],
        [key, "Eve", "50", "", "yesterday", ""],
        [key, "Eve", "50", "", "", "["],
        [key, "Mallory", "50", "", "", ""],
        [key, "Eve", "", "", "", ""],
        [key, "Eve", "50", "", "2026-01-01T12:00:00+03:00", ""],
    ]
    text = io.StringIO()
    csv.writer(text).writerows(table)
    found = check(settings, words, read_ratings(text.getvalue().encode()).rows, {"Eve"})
    assert found.n == 1
    assert found.ratings[key][0].at == "2026-01-01T09:00:00.000+00:00"
    for line, part in enumerate(
        ["no recording “nowhere”", "101 is off the scale of 0 to 100", "names no rater", "much",
         "'undo' is not a rating", "yesterday", "not JSON", "“Mallory” is not an active rater",
         "needs a score"], start=2,
    ):  # fmt: skip
        assert any(p.startswith(f"line {line}:") and part in p for p in found.problems), (line, found.problems)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n", "no column recording_id. Its header is: a, b"),
        (b"\xff\xfe\x00", "not UTF-16-LE text"),
        (b" \n", "empty"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old Excel file"),
        (b"PK\x03\x04", "cannot be read as an Excel"),
        (b"\x89PNG\r\n\x1a\n" + bytes(300), "not text"),
        ("Ünvan,Öğrenci\nÇiğdem,\xff".encode()[:-1] + b"\xff", "Line 2 has a letter"),
    ],
)
def test_a_file_that_is_no_table(content: bytes, message: str) -> None:
    with pytest.raises(TableError, match=message):
        read_ratings(content)


def test_a_file_that_is_not_label_studios() -> None:
    for content in (b"{}", b"nonsense"):
        with pytest.raises(LabelError, match="not a JSON export of Label Studio"):
            from_label_studio(content)
    odd = [1, {"data": {"recording_id": "x"}, "annotations": [{"completed_by": 3}]}]
    assert [row.problem != "" for row in from_label_studio(json.dumps(odd).encode())] == [True, True]


def annotated(data: dict[str, object], *results: dict[str, object], by: object = 3) -> bytes:
    return json.dumps([{"id": 9, "data": data, "annotations": [{"completed_by": by, "result": results}]}]).encode()


def test_the_results_of_another_label_studio_project(settings: Settings, words: str) -> None:
    """What is a rating is read, everything else is told."""
    path = read_recordings(settings, words)[0].path
    content = annotated(
        {"audio": f"/data/local-files/?d=corpora/words/{path.replace(' ', '%20')}", "text": "araba"},
        {"from_name": "score", "to_name": "audio", "type": "choices", "value": {"choices": ["77"]}},
        {"from_name": "notes", "to_name": "audio", "type": "textarea", "value": {"text": ["iyi", "net"]}},
        {"from_name": "bits", "to_name": "audio", "type": "labels", "value": {"start": 0.1, "end": 1, "labels": ["x"]}},
        {"from_name": "marks", "to_name": "text", "type": "labels",
         "value": {"start": 0, "end": 5, "text": "araba", "labels": ["stress"]}},
        {"from_name": "mood", "to_name": "audio", "type": "choices", "value": {"choices": ["gay"]}},
        {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"},
    )  # fmt: skip
    incoming = check(settings, words, read_ratings(content).rows)
    assert incoming.problems == ()
    ((event,),) = incoming.ratings.values()
    assert (event.evaluator, event.score, event.notes) == ("3", 77.0, "iyi\nnet")
    assert event.marks == (Mark(0, None, "stress"),)
    told = " ".join(incoming.assumed)
    assert all(f"left out: {name} (1)" in told for name in ("choices mood", "labels bits", "relation")), told


@pytest.mark.parametrize("annotations", [5, "none", {"result": []}, True])
def test_annotations_that_are_no_list_are_a_row_that_says_so(annotations: object) -> None:
    tasks = [{"id": 7, "data": {"recording_id": "x"}, "annotations": annotations}]
    (row,) = from_label_studio(json.dumps(tasks).encode())
    assert (row.place, row.values) == ("task 7", {})
    assert "cannot be read" in str(row.problem)


@pytest.mark.parametrize("kind", ["number", "rating"])
def test_a_score_of_hundreds_of_digits_takes_no_other_row_with_it(settings: Settings, words: str, kind: str) -> None:
    first, second = read_recordings(settings, words)[:2]
    tasks = [
        {"id": number, "data": {"recording_id": recording.id}, "annotations": [
            {"completed_by": "Eve", "result": [{"from_name": "score", "type": form, "value": {form: score}}]}
        ]}
        for number, (recording, form, score) in enumerate(((first, kind, 10**400), (second, "number", 77)), start=1)
    ]  # fmt: skip
    incoming = check(settings, words, read_ratings(json.dumps(tasks).encode()).rows)
    assert [event.score for events in incoming.ratings.values() for event in events] == [77.0]
    (problem,) = incoming.problems
    assert str(problem) == f"task 1: score: “1{'0' * 59}” is not a number"


def test_a_word_number_without_end_is_refused(settings: Settings) -> None:
    content = annotated(
        {"recording_id": "x", "text": "araba"},
        {"id": "r", "from_name": "marks", "type": "labels",
         "value": {"start": 0, "end": 5, "text": "araba", "labels": ["stress"]}},
        {"id": "r", "from_name": "word", "type": "number",
         "value": {"start": 0, "end": 5, "text": "araba", "number": 1e300}},
    )  # fmt: skip
    (row,) = from_label_studio(content.replace(b"1e+300", b"1e999"))
    assert "cannot be read (cannot convert float infinity to integer)" in str(row.problem)


def test_stars_and_missing_raters_of_label_studio_are_asked_about(settings: Settings, words: str) -> None:
    data = {"audio": read_recordings(settings, words)[0].path}
    stars = {"from_name": "score", "to_name": "audio", "type": "rating", "value": {"rating": 4}}
    incoming = check(settings, words, read_ratings(annotated(data, stars)).rows)
    assert incoming.ratings == {}
    assert "how many stars" in str(incoming.scale_question)
    (row,) = read_ratings(annotated(data, stars, by=None)).rows
    assert row.values["evaluator"] == ""


def test_only_reviewers_decisions_come_in_and_only_through_reviewers(settings: Settings, words: str) -> None:
    key = read_recordings(settings, words)[0].id
    people, ada = People(settings), Identity("Ada", frozenset(Role))
    people.save(Person("Ada", (Role.ADMIN, Role.REVIEWER)), ada)
    people.save(Person("Eve", (Role.EXPERT,)), ada)
    table = f"recording_id,evaluator,score,action\n{key},Eve,50,decide\n{key},Ada,60,decide\n"
    incoming = check(settings, words, read_ratings(table.encode()).rows, people.raters())
    assert len(incoming.problems) == 1
    assert "Eve” is not an active reviewer" in incoming.problems[0]
    with pytest.raises(AccessError):
        apply(settings, words, incoming, Identity("Rob", frozenset({Role.RESEARCHER})))
    assert apply(settings, words, incoming, people.identify("Ada")) == 1
    assert Index(settings).consensus_scores(words)["score"].tolist() == [60.0]


def test_each_format_from_the_command_line(
    settings: Settings, rated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datasets import load_from_disk

    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))

    def call(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, list(arguments))
        return done.exit_code, done.output or repr(done.exception)

    for fmt, out in (("label-studio", "l.json"), ("textgrid", "grids"), ("dataset", "set"), ("csv", "l.csv")):
        code, text = call("export", "--set", rated, "--format", fmt, "--out", str(tmp_path / out))
        assert code == 0, text
    assert len(list((tmp_path / "grids").rglob("*.TextGrid"))) == 3
    table = load_from_disk(str(tmp_path / "set"))
    assert table[0]["text"] == "araba"
    assert table[0]["audio"]["bytes"][:4] == b"RIFF"
    assert {rating["evaluator"]: rating["score"] for rating in table[0]["ratings"]} == {"Ayşe": 81.5, "Bob": 60.0}
    code, text = call("export", "--set", rated, "--format", "dataset", "--out", str(tmp_path / "set"))
    assert (code, "not empty" in text) == (1, True)
    assert call("export", "--format", "textgrid", "--out", str(tmp_path / "x"))[0] == 1

    other = elsewhere(settings, tmp_path)
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(other.data_root))
    People(other).save(Person("Ayşe", (Role.ADMIN, Role.EXPERT)), Identity("Ayşe", frozenset(Role)))
    code, text = call("import-ratings", str(tmp_path / "l.json"), "--set", "words", "--by", "Ayşe")
    assert code == 1
    assert "2 of 4 ratings cannot be used, so nothing was imported" in text
    assert Index(other).labels("words").empty
    code, text = call(
        "import-ratings", str(tmp_path / "l.json"), "--set", "words", "--by", "Ayşe", "--dry-run", "--json"
    )
    assert json.loads(text)["ratings"] == 2
    assert Index(other).labels("words").empty
    code, text = call(
        "import-ratings", str(tmp_path / "l.csv"), "--set", "words", "--by", "Ayşe", "--skip-bad", "--json"
    )
    assert (code, json.loads(text)["changed"]) == (0, 2)
    assert set(Index(other).labels("words")["evaluator"]) == {"Ayşe"}


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ({"word": 0, "phone": 0, "kind": "wrong"}, "'wrong' is not a kind of mark; there are mispronounced, accent"),
        ({"kind": "accent"}, "a mark has the number of a word"),
        ({"word": -5, "kind": "accent"}, "counted from 0"),
        ({"word": 0, "phone": -1, "kind": "accent"}, "counted from 0"),
        ({"word": "x", "kind": "accent"}, "a mark has the number of a word"),
        ({"word": 10**400, "kind": "accent"}, "counted from 0"),
        ({"word": 0, "kind": ["a"]}, "is not a kind of mark"),
        ({"word": 0, "kind": "accent", "heard": "x" * 101}, "at most 100 characters"),
        ({"word": 0, "kind": "accent", "heard": 5}, "a label is text"),
        (5, "a mark has the keys"),
        ({"word": 0, "kind": "accent"}, ""),
    ],
)
def test_marks_that_no_form_offers_are_refused(mark: object, reason: str) -> None:
    from pipeline.labels.exchange.incoming import KINDS
    from pipeline.labels.segments import mark_from_json

    if not reason:
        assert mark_from_json(mark, KINDS) == Mark(0, None, "accent")
        return
    with pytest.raises(LabelError, match=reason):
        mark_from_json(mark, KINDS)
