"""Label files of other programs: read as they are meant, and what cannot be read is told once, wherever one looks."""

import json
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.corpus.sets import get_set, read_recordings, result_path
from pipeline.errors import LabelError
from pipeline.importing.importer import import_path
from pipeline.labels.discussion import Discussion
from pipeline.labels.exchange.recordings import labels_of
from pipeline.labels.index import Index
from pipeline.labels.repair import rescale_labels
from pipeline.labels.result_file import ResultFile, event_to_json, parse_result, read_result, unread_parts
from pipeline.labels.scale import Scale, parse_scale, question
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.people.people import People, Person
from pipeline.records import Problem, RatingAction, RatingEvent, RubricName
from pipeline.rubrics import RUBRICS
from pipeline.settings import Settings
from pipeline.times import now_iso
from tests.projects.test_projects import words

__all__ = ["words"]
DECOMPOSED = "Ays\u0327e"
FOUND = [
    "not UTF-8",
    "not UTF-8",
    "it is empty",
    "85,5",
    "nan",
    "[80]",
    "Word, Score",
    "got [1]",
    "yesterday",
    "9999-01-01",
]


def label(**changed: object) -> dict[str, Any]:
    return {"word": "ev", "score": 80, "labeled": True, "evaluator": "Ayşe", "notes": ""} | changed


def history(**changed: object) -> dict[str, Any]:
    event = {"evaluator": "Ayşe", "action": "rate", "at": "2026-01-01T00:00:00.000+00:00", "score": 80} | changed
    return label(rubric="word", ratings=[event])


def paths(settings: Settings) -> list[Path]:
    set_ = get_set(settings, "words")
    return [result_path(set_, recording) for recording in read_recordings(settings, "words")]


def of_labels(problems: Iterable[Problem]) -> list[Problem]:
    """Without what is wrong with the tones that stand for recordings."""
    return [problem for problem in problems if problem.code != "noisy"]


def write(settings: Settings, *contents: object) -> list[Problem]:
    """Label files beside the first recordings; what the set's import says of them."""
    for path, content in zip(paths(settings), contents, strict=False):
        raw = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
        path.write_bytes(raw)
    return of_labels(import_path(settings, get_set(settings, "words").root, name="words").problems)


def parsed(content: dict[str, Any]) -> ResultFile:
    return parse_result(content, Path("x_result.json"))


def unreadable() -> list[object]:
    plain = json.dumps(label(notes="çok güzel şey"), ensure_ascii=False)
    return [
        plain.encode("cp1254"), plain.encode("utf-16"), b"", label(score="85,5"), plain.replace("80", "NaN").encode(),
        label(score=[80]), {"Word": "ev", "Score": 80}, [1], history(at="yesterday"), history(at="9999-01-01T00:00:00"),
    ]  # fmt: skip


def test_label_files_that_cannot_be_read_are_told_at_import_once_each_and_stop_nothing(
    settings: Settings, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = write(settings, *unreadable(), label(score=70), label(score=90))
    told = {problem.path: problem.message for problem in problems}
    ids = [recording.id for recording in read_recordings(settings, "words")][: len(FOUND)]
    assert len(problems) == len(FOUND)
    assert {key: part in told[key] for key, part in zip(ids, FOUND, strict=True)} == dict.fromkeys(ids, True), told
    assert Index(settings).label_counts("words") == {"Ayşe": 2}
    rebuilt = Index(settings).rebuild()
    assert {problem.path: problem.message for problem in rebuilt.problems} == told
    assert {problem.path: problem.message for problem in of_labels(Index(settings).problems("words"))} == told
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    root = str(get_set(settings, "words").root)
    printed = CliRunner().invoke(main, ["import", root, "--name", "words", "--json"])
    assert {
        problem["path"]: problem["message"]
        for problem in json.loads(printed.stdout)["problems"]
        if problem["code"] != "noisy"
    } == told


@pytest.mark.parametrize("value", [False, 0, 0.0, "false", "False", "no", "hayır", "HAYIR", "0"])
def test_not_labelled_in_any_spelling_is_no_rating(value: object) -> None:
    assert parsed(label(labeled=value)).ratings == ()


@pytest.mark.parametrize("value", [True, 1, "true", "yes", "evet", None])
def test_labelled_in_any_spelling_is_a_rating(value: object) -> None:
    assert parsed(label(labeled=value)).score == 80


def test_what_is_neither_labelled_nor_not_is_told() -> None:
    with pytest.raises(LabelError, match="“maybe” is neither yes nor no"):
        parsed(label(labeled="maybe"))


@pytest.mark.parametrize("name", [None, "", " ", "None", "null", "nan"])
def test_a_rating_without_a_rater_is_nobody_called_none(name: object) -> None:
    assert parsed(label(evaluator=name)).evaluator == "unknown"
    with pytest.raises(LabelError, match="names no rater"):
        parsed(history(evaluator=name))


def test_files_that_name_no_rater_are_told(settings: Settings, words: str) -> None:
    (problem,) = write(settings, label(), label(evaluator=None), label(evaluator=""))
    assert (problem.code, "2 label files name no rater" in problem.message) == ("no_rater", True)


def test_spellings_of_one_name_are_one_rater(settings: Settings, words: str) -> None:
    names = [
        " Ayşe ",
        "Ayşe",
        DECOMPOSED,
        "Ay\u200bşe",
        "DERYA",
        "derya",
        "Derya",
        "derya  b",
        "Derya B",
        "IŞIK",
        "Işık",
    ]
    problems = write(settings, *(label(evaluator=name) for name in names))
    expected = {"Ayşe": 4, "Derya": 3, "Derya B": 2, "Işık": 2}
    assert Index(settings).label_counts("words") == expected
    messages = [problem.message for problem in problems if problem.code == "respelled"]
    assert "“DERYA” in label files is taken as “Derya”." in messages
    assert not any("Ayşe" in message for message in messages), "what only looks the same needs no word"
    state = Index(settings).rows("SELECT * FROM events ORDER BY 1, 2")
    Index(settings).rebuild()
    assert Index(settings).rows("SELECT * FROM events ORDER BY 1, 2") == state
    assert Index(settings).labels("words")["evaluator"].nunique() == 4


def test_the_list_of_people_has_the_last_word_on_a_spelling(settings: Settings, words: str) -> None:
    People(settings).save(Person("DERYA", (Role.ADMIN, Role.EXPERT)), Identity("DERYA", frozenset(Role)))
    admin = Identity("DERYA", frozenset(Role))
    for path, name in zip(paths(settings), ("Derya", "derya"), strict=False):
        path.write_text(json.dumps(label(evaluator=name)), encoding="utf-8")
    import_path(settings, get_set(settings, "words").root, name="words", by=admin)
    assert Index(settings).label_counts("words") == {"DERYA": 2}


def test_a_save_keeps_the_one_spelling(settings: Settings, words: str) -> None:
    write(settings, label(evaluator="DERYA"), label(evaluator="DERYA"))
    third = read_recordings(settings, "words")[2]
    LabelStore(settings).add(third, rating("Derya", 50.0))
    assert Index(settings).label_counts("words") == {"Derya": 3}, "the better spelling, for all"
    LabelStore(settings).add(read_recordings(settings, "words")[0], rating("Bob", 60.0))
    assert Index(settings).label_counts("words") == {"Derya": 3, "Bob": 1}


def test_spellings_within_a_history_are_one_rater() -> None:
    content = history()
    content["ratings"] = [
        {**content["ratings"][0], "evaluator": n, "score": s} for n, s in (("AYŞE", 20), ("Ayşe", 80))
    ]
    content["score"] = 80
    result = parsed(content)
    assert (result.score, result.evaluator, result.consensus and result.consensus.n) == (80, "Ayşe", 1)


def rating(name: str, score: float) -> RatingEvent:
    return RatingEvent(name, RatingAction.RATE, "2026-01-01T00:00:00.000+00:00", score=score)


def consensus(settings: Settings) -> dict[str, float]:
    frame = Index(settings).consensus_scores("words")
    return dict(zip(frame["recording_id"], frame["score"], strict=True))


def test_scores_that_look_like_another_scale_are_asked_about(settings: Settings, words: str) -> None:
    scores = [8.5, 9, 3, 7.5]
    problems = write(settings, *(label(score=score) for score in scores))
    (problem,) = problems
    assert (problem.code, problem.severity) == ("label_scale", "error")
    assert "4 label files are left out. All scores lie between 3 and 9" in problem.message
    assert consensus(settings) == {}
    first = read_recordings(settings, "words")[0]
    with pytest.raises(LabelError, match="unknown scale"):
        LabelStore(settings).add(first, rating("Bob", 60.0))
    before = paths(settings)[0].read_bytes()
    assert rescale_labels(settings, "words", Scale(0, 10)) == paths(settings)[:4]
    assert list(consensus(settings).values()) == [85, 90, 30, 75]
    result = read_result(paths(settings)[0])
    assert result is not None
    assert result.ratings[0].reason == "given as 8.5 on a scale of 0 to 10"
    assert [copy.read_bytes() for copy in paths(settings)[0].parent.glob("*before-scale*")].count(before) == 1
    assert Index(settings).rebuild().problems == ()
    LabelStore(settings).add(first, rating("Bob", 60.0))
    assert rescale_labels(settings, "words", Scale(0, 10)) == [], "it is asked once"


def test_low_scores_can_be_confirmed(settings: Settings, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(settings, label(score=8.5), label(score=3))
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    done = CliRunner().invoke(main, ["label", "scale", "--set", "words", "--scale", "100", "--by", "Ada"])
    assert (done.exit_code, done.stdout) == (0, "2 label files of words read on the scale 100.\n"), done.output
    assert list(consensus(settings).values()) == [8.5, 3]
    assert of_labels(Index(settings).problems("words")) == []


def test_a_score_off_the_scale_changes_no_file(settings: Settings, words: str) -> None:
    write(settings, label(score=8.5), label(score=3))
    before = [path.read_bytes() for path in paths(settings)[:2]]
    with pytest.raises(LabelError, match=r"8\.5 is off the scale of 0 to 5"):
        rescale_labels(settings, "words", Scale(0, 5))
    assert [path.read_bytes() for path in paths(settings)[:2]] == before


def test_other_scores_are_not_asked_about(settings: Settings, words: str) -> None:
    assert write(settings, label(score=8.5), label(score=60)) == []
    LabelStore(settings).add(read_recordings(settings, "words")[2], rating("Bob", 3.0))
    assert sorted(consensus(settings).values()) == [3, 8.5, 60], "what was rated here has its scale"
    assert write(settings, label(score=0), label(score=0)) == [], "0 is 0 on every scale"


def test_a_label_file_without_its_recording_is_told(settings: Settings, words: str) -> None:
    stray = paths(settings)[0].with_name("99_yok_result.json")
    stray.write_text("{}", encoding="utf-8")
    (problem,) = write(settings)
    assert (problem.code, problem.path) == ("stray_label", "participant_001/kelimeler/99_yok_result.json")


@pytest.mark.parametrize(
    ("text", "scale"), [("5", Scale(0, 5)), ("1-5", Scale(1, 5)), (" 0 – 10 ", Scale(0, 10)), ("100", Scale(0, 100))]
)
def test_scales_are_written_by_their_ends(text: str, scale: Scale) -> None:
    assert parse_scale(text) == scale


@pytest.mark.parametrize("text", ["", "five", "5-1", "0", "-5", "1-5-9", "5 stars"])
def test_what_is_no_scale(text: str) -> None:
    with pytest.raises(LabelError, match="is not a scale"):
        parse_scale(text)


def test_scores_become_their_share_of_the_rubrics_scale() -> None:
    (score,) = RUBRICS[RubricName.WORD].dimensions
    accuracy = RUBRICS[RubricName.SENTENCE].dimensions[0]
    assert [Scale(0, 5).onto(value, score) for value in (0, 4, 5)] == [0, 80, 100]
    assert [Scale(1, 5).onto(value, score) for value in (1, 4, 5)] == [0, 75, 100]
    assert (Scale(0, 5).onto(4, accuracy), Scale(0, 100).onto(85, accuracy)) == (8, 8.5)
    assert Scale(0, 100).onto(77.123456, score) == 77.123456, "its own scale changes nothing"
    for value in (-1, 5.1, float("nan")):
        with pytest.raises(LabelError, match="off the scale of 0 to 5"):
            Scale(0, 5).onto(value, score)


def test_only_the_lowest_tenth_of_a_scale_is_questioned() -> None:
    rubric = RUBRICS[RubricName.WORD].dimensions
    assert question({"score": [8.5, 9, 3, 7.5]}, rubric) is not None
    assert [question({"score": values}, rubric) for values in ([], [0, 0], [3, 11], [-1, 5])] == [None] * 4
    sentence = RUBRICS[RubricName.SENTENCE].dimensions
    assert question({"accuracy": [0.8, 1.0]}, sentence) is not None
    assert question({"accuracy": [5, 7]}, sentence) is None


def test_exports_have_one_spelling_and_leave_out_scores_of_an_unknown_scale(settings: Settings, words: str) -> None:
    write(settings, label(evaluator="DERYA"), label(evaluator="Derya"), label(score="85,5"))
    labels = labels_of(settings, "words")
    assert [one.events[0].evaluator for one in labels.recordings] == ["Derya", "Derya"]
    assert [problem.code for problem in labels.left_out] == ["broken_label"]
    write(settings, label(score=8), label(score=9))
    with pytest.raises(LabelError, match="no ratings to export"):
        labels_of(settings, "words")
    LabelStore(settings).add(read_recordings(settings, "words")[4], rating("Bob", 60.0))
    left_out = labels_of(settings, "words").left_out
    assert [problem.code for problem in left_out] == ["broken_label", "label_scale", "label_scale"]


@pytest.fixture
def call(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """`pronlab import-ratings` of a file's content."""
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))

    def run(content: bytes, *options: str) -> tuple[int, str]:
        file = tmp_path / "ratings.bin"
        file.write_bytes(content)
        done = CliRunner().invoke(main, ["import-ratings", str(file), "--set", "words", "--by", "Ada", *options])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return run


def test_what_was_inferred_is_printed_and_in_json(settings: Settings, words: str, call) -> None:
    key = read_recordings(settings, "words")[0].id
    table = f"Kayıt;Değerlendirici;Puan;Tarih\r\n{key};Işıl;80,5;01.05.2024\r\n".encode("cp1254")
    code, text = call(table, "--dry-run", "--json")
    result = json.loads(text)
    assert (code, result["ratings"], result["changed"], len(result["assumed"])) == (0, 1, 0, 5)
    assert Index(settings).label_counts("words") == {}
    code, text = call(table)
    assert code == 0
    assert text.splitlines()[:2] == ["The text is in Windows-1254.", "Cells are separated by semicolons."]
    assert text.splitlines()[-1] == "1 rating of 1 recording; new ratings for 1 recording."
    (event,) = LabelStore(settings).current(read_recordings(settings, "words")[0]).values()
    assert (event.evaluator, event.score, event.at) == ("Işıl", 80.5, "2024-05-01T00:00:00.000+00:00")


def test_a_low_scale_and_a_missing_rater_are_asked_for(settings: Settings, words: str, call) -> None:
    keys = [recording.id for recording in read_recordings(settings, "words")[:3]]
    table = "recording_id,evaluator,score\n" + "".join(
        f"{key},{n},8\n" for key, n in zip(keys, ("", "None", "Bob"), strict=True)
    )
    code, text = call(table.encode())
    assert (code, "(--scale)" in text) == (1, True)
    code, text = call(table.encode(), "--scale", "10")
    assert (code, "2 of 3 ratings cannot be used" in text, "--rater" in text) == (1, True, True)
    assert Index(settings).label_counts("words") == {}
    code, text = call(table.encode(), "--scale", "10", "--rater", "Zoë")
    assert code == 0
    assert "Ratings that name no rater are by Zoë: 2." in text
    assert Index(settings).label_counts("words") == {"Zoë": 2, "Bob": 1}
    assert set(consensus(settings).values()) == {80}


@pytest.mark.parametrize(
    "name", ["{id}", "{path}", "{file}", "\\{path}", " {id} ", "./{path}", "{decomposed}"],
)  # fmt: skip
def test_recordings_are_known_by_id_path_and_name(
    settings: Settings, tmp_path: Path, words: str, name: str, call
) -> None:
    recording = read_recordings(settings, "words")[1]
    names = {
        "id": recording.id, "path": recording.path, "file": "02_çiçek.wav",
        "decomposed": unicodedata.normalize("NFD", recording.id),
    }  # fmt: skip
    written = name.format(**names).replace("\\", "").replace("/", "\\" if name.startswith("\\") else "/")
    code, text = call(f"recording_id,evaluator,score\n{written},Bob,80\n".encode())
    if name == "{file}":
        assert "“02_çiçek.wav” is the name of 2 recordings in the set" in text
    else:
        assert (code, Index(settings).label_counts("words")) == (0, {"Bob": 1}), text


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "The file is empty"), (b"PK\x03\x04broken", "cannot be read as an Excel workbook"),
        (b"[1", "not a JSON export"), (b"recording_id,evaluator,score\n" + b'"' * 300_001, "quote that does not close"),
        (bytes(range(256)) * 20, ""), (b"\x00" * 1000, ""), (b"\xff\xfe\x00", ""), (b"sep=;", "no rows"),
    ],
)  # fmt: skip
def test_no_content_makes_a_traceback(words: str, call, content: bytes, part: str) -> None:
    code, text = call(content)
    assert code == 1
    assert part in text


EVENT: dict[str, Any] = {"evaluator": "Eve", "action": "rate", "at": "2026-01-01T00:00:00.000+00:00", "score": 80.0}
FIVE = {"word": "araba", "score": 80.0, "labeled": True, "evaluator": "Eve", "notes": ""}


def with_event(**event: Any) -> ResultFile:
    return parse_result({**FIVE, "ratings": [{**EVENT, **event}]}, Path("x_result.json"))


@pytest.mark.parametrize(
    "key", ["notes", "reason", "project", "rubric", "marks", "segments", "dimensions", "source", "purpose", "experts"]
)
def test_null_is_what_is_left_out(key: str) -> None:
    assert with_event(**{key: None}) == with_event()


@pytest.mark.parametrize(
    "event",
    [
        {"marks": [{"word": "x", "phone": None, "kind": "accent", "heard": ""}]}, {"marks": [5]}, {"marks": 5},
        {"marks": [{"word": -5, "phone": None, "kind": "accent"}]}, {"marks": [{"word": 0, "kind": ["a"]}]},
        {"marks": [{"word": 0, "kind": "accent", "later_key": 1}]}, {"marks": [{"word": 0, "kind": "a", "heard": 5}]},
        {"segments": [{"tier": "words", "start_s": 0.1, "end_s": 0.3}, {"tier": "words", "start_s": 0.2, "end_s": 1}]},
        {"segments": [{"tier": "words", "start_s": 10**400, "end_s": 1}]}, {"segments": "x"},
        {"later_key": {"a": [1, None]}},
    ],
)  # fmt: skip
def test_what_cannot_be_read_of_a_rating_is_kept_and_the_rating_counts(event: dict[str, Any]) -> None:
    result = with_event(**event)
    (rating,) = result.ratings
    assert (result.score, rating.marks, rating.segments, rating.extra) == (80.0, (), (), event)
    assert event_to_json(rating) == {**EVENT, **event, "source": "human"}
    assert with_event(**event_to_json(rating)) == result
    assert set(unread_parts(rating)) == event.keys() - {"later_key"}


def test_a_part_that_is_left_out_is_told(settings: Settings, tiny_set: str) -> None:
    recording = read_recordings(settings, tiny_set)[0]
    path = result_path(get_set(settings, tiny_set), recording)
    content = {**FIVE, "ratings": [{**EVENT, "marks": [{"word": -5, "phone": None, "kind": "accent"}]}]}
    path.write_text(json.dumps(content), encoding="utf-8")
    (problem,) = Index(settings).rebuild().problems
    assert (problem.code, problem.path) == ("unread_part", recording.id)
    assert "The marks of the rating by Eve at 2026" in problem.message
    assert "counted from 0" in problem.message


def test_a_remark_before_any_rating_stays(settings: Settings, tiny_set: str) -> None:
    recording = read_recordings(settings, tiny_set)[0]
    path = result_path(get_set(settings, tiny_set), recording)
    five = {"word": recording.text, "score": None, "labeled": False, "evaluator": "", "notes": "to do"}
    path.write_text(json.dumps(five), encoding="utf-8")
    Index(settings).rebuild()
    eve, store = Identity("Eve", frozenset({Role.EXPERT})), LabelStore(settings)
    Discussion(settings, eve).begin(recording, "Noisy.")
    assert json.loads(path.read_text(encoding="utf-8")).items() >= five.items()
    store.add(recording, RatingEvent("Eve", RatingAction.RATE, now_iso(), score=50, notes="fine"), eve)
    assert json.loads(path.read_text(encoding="utf-8"))["notes"] == "fine"
    store.undo(recording, "Eve", eve)
    assert json.loads(path.read_text(encoding="utf-8")).items() >= five.items()
