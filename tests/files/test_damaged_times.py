"""Times changed by hand to what is none: in label files, tries, models, comparisons, projects, the log."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.corpus.sets import get_set, read_recordings, result_path
from pipeline.deployment.model_registry import Entry, Stage, entries
from pipeline.deployment.prediction_log import PredictionLog
from pipeline.deployment.routing import RoutingError, begin, comparisons
from pipeline.errors import LabelError, ProjectError
from pipeline.labels.index import Index
from pipeline.labels.repair import repair_labels
from pipeline.labels.result_file import LabelTimeError, read_result
from pipeline.labels.store import LabelStore
from pipeline.monitoring.outcomes import last_errors
from pipeline.monitoring.retraining import criteria
from pipeline.practice.attempts import read_attempts
from pipeline.practice.progress import by_day
from pipeline.projects.project import Project
from pipeline.records import RatingAction, RatingEvent, Recording, ScoreResult, Target
from pipeline.settings import Settings
from pipeline.times import as_text, now_iso, utc_time

WRONG = ["yesterday", "9999-12-31T23:59:59.999+00:00", "2026-13-40T00:00:00", "", 5, None, [], {"at": 1}, True, 1e400]
Labelled = tuple[Settings, Recording, Path]


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_what_is_no_time_is_refused_in_words(value: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a time such as .*, got|lies too far in the future"):
        utc_time(value)


def test_a_time_without_an_offset_is_in_utc() -> None:
    assert as_text(utc_time("2026-01-02T03:04:05")) == "2026-01-02T03:04:05.000+00:00"
    assert as_text(utc_time("2026-01-02T03:04:05+03:00")) == "2026-01-02T00:04:05.000+00:00"
    assert utc_time(now_iso()) <= datetime.now(UTC)
    utc_time(as_text(datetime.now(UTC) + timedelta(days=365)))  # a clock that was ahead


@pytest.fixture
def labelled(settings: Settings, tiny_set: str) -> Labelled:
    recording = read_recordings(settings, tiny_set)[0]
    return settings, recording, result_path(get_set(settings, tiny_set), recording)


def damage(path: Path, value: Any, number: int = 0) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    content["ratings"][number]["at"] = value
    path.write_text(json.dumps(content), encoding="utf-8")
    return content


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_a_label_file_with_a_wrong_time_is_named_and_repaired_on_request(labelled: Labelled, value: Any) -> None:
    settings, recording, path = labelled
    before = read_result(path)
    assert before is not None
    damage(path, value, 1)
    content = path.read_bytes()
    with pytest.raises(LabelTimeError, match=f"{path.name}: The label file is damaged: at: .*pronlab label repair"):
        read_result(path)
    report = Index(settings).rebuild()
    assert [problem.path for problem in report.problems] == [recording.id]
    assert report.n_ratings == 46, "those of all other files"
    with pytest.raises(LabelTimeError):
        LabelStore(settings).add(recording, RatingEvent("eve", RatingAction.RATE, now_iso(), score=50.0))
    assert path.read_bytes() == content, "nothing was saved"
    (done,) = repair_labels(settings, [])
    assert (done.file, done.n_times, done.kept.read_bytes()) == (path, 1, content)
    after = read_result(path)
    assert after is not None
    assert [replace(event, at="") for event in after.ratings] == [replace(event, at="") for event in before.ratings]
    assert after.ratings[0].at < after.ratings[1].at
    assert (after.score, after.evaluator) == (before.score, before.evaluator)
    LabelStore(settings).add(recording, RatingEvent("eve", RatingAction.RATE, now_iso(), score=50.0))
    assert not Index(settings).rebuild().problems
    assert repair_labels(settings, []) == []


def test_experts_go_on_with_the_other_recordings(labelled: Labelled) -> None:
    settings, recording, path = labelled
    index = Index(settings)
    index.ensure()
    others = [one.id for one in read_recordings(settings, recording.set) if one.id != recording.id]
    assert index.next_recording(recording.set, "eve", others) == recording
    damage(path, "yesterday")  # under the running server
    with pytest.raises(LabelTimeError):
        LabelStore(settings).add(recording, RatingEvent("eve", RatingAction.RATE, now_iso(), score=50.0))
    assert index.next_recording(recording.set, "eve", others) is None
    index.rebuild()
    assert index.next_recording(recording.set, "eve", others) is None
    repair_labels(settings, [], [path])
    assert index.next_recording(recording.set, "eve", others) == recording


def test_a_time_without_a_zone_is_named_and_taken_as_utc_on_request(labelled: Labelled) -> None:
    settings, recording, path = labelled
    damage(path, "2026-01-01T00:00:00")
    with pytest.raises(LabelTimeError, match="'2026-01-01T00:00:00' has no time zone"):
        LabelStore(settings).history(recording)
    (done,) = repair_labels(settings, [], [path])
    assert done.n_times == 1
    assert LabelStore(settings).history(recording)[0].at == "2026-01-01T00:00:00.000+00:00"


def test_repair_from_the_command_line(labelled: Labelled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings, recording, path = labelled
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))

    def call(*words: str) -> Any:
        return CliRunner().invoke(main, ["label", *words])

    damage(path, "yesterday")
    for words in (("show", recording.id), ("rate", recording.id, "--evaluator", "eve", "--score", "5")):
        done = call(*words)
        assert done.exit_code == 1
        assert done.output.count("\n") == 1
        assert "'yesterday'" in done.output
    assert "1 time repaired" in call("repair", str(path)).output
    assert "No label file needs repair" in call("repair", "--set", recording.set).output
    (tmp_path / "other_result.json").write_text("{}")
    done = call("repair", str(tmp_path / "other_result.json"))
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "is not a label file of a recording here" in done.output
    path.write_text("{")
    assert call("repair", str(path)).exit_code == 1


def test_the_pages_name_a_damaged_label_file(open_page: Callable[..., Any], labelled: Labelled) -> None:
    from tests.pages import said

    settings, recording, path = labelled
    damage(path, "9999-12-31T23:59:59.999+00:00")
    Index(settings).rebuild()
    for view in ("label", "data", "compare", "agreement", "review"):
        assert said(open_page(view, set=recording.set, rater="eve"))


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_a_try_with_a_wrong_time_is_named_and_the_others_stay(settings: Settings, value: Any) -> None:
    folder = settings.attempts_root / "eve" / "masa"
    folder.mkdir(parents=True)
    for name, at in (("a", "2026-01-01T10:00:00+00:00"), ("b", value)):
        record = {"learner": "eve", "text": "masa", "at": at, "result": {"overall": 50.0}}
        (folder / f"{name}.json").write_text(json.dumps(record))
    found = read_attempts(settings, "eve")
    assert (len(found.attempts), len(found.problems)) == (1, 1)
    assert by_day(found.attempts)[0].n == 1


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_models_with_a_wrong_time_hide_none_of_the_others(settings: Settings, value: Any) -> None:
    settings.models_root.mkdir(parents=True)
    lines = [
        {"at": at, "place": "word", "model_id": name, "stage": "candidate", "by": "", "folder": "/none"}
        for name, at in (("a", now_iso()), ("b", value), ("c", now_iso()))
    ]
    wrong_place = {**lines[0], "place": "moon"}
    text = "".join(json.dumps(line) + "\n" for line in [*lines, wrong_place, [1], 5])
    (settings.models_root / "registry.jsonl").write_text(text)
    assert {one.model_id for one in entries(settings) if one.stage is Stage.CANDIDATE} == {"a", "c"}
    entry = Entry("word", "x", Stage.LIVE, "", "", None, "", {"created_at": value, "trained_on": "none"})
    assert criteria(settings, entry, [])[-1].value == "unknown"


@pytest.mark.parametrize("value", [one for one in WRONG if one], ids=repr)
def test_comparisons_with_a_wrong_time_route_nobody_and_are_not_written_over(settings: Settings, value: Any) -> None:
    settings.data_root.mkdir(parents=True)
    one = {"id": "x", "place": "word", "a": "in use", "b": "heuristic", "share_b": 0.5, "began_at": value, "by": ""}
    text = json.dumps({"comparisons": [one], "shadows": {}})
    (settings.data_root / "routing.json").write_text(text)
    assert comparisons(settings) == []
    with pytest.raises(RoutingError, match="is damaged"):
        begin(settings, "word", "in use", "heuristic", 0.5, "eve")
    assert (settings.data_root / "routing.json").read_text() == text


def test_a_deadline_is_a_date() -> None:
    assert Project("p", "s", deadline="2026-12-31T10:00").deadline == "2026-12-31"
    assert Project("p", "s", deadline="20261231").deadline == "2026-12-31"
    assert not Project("p", "s", deadline="9999-12-31").is_over
    for value in ("yesterday", 5, [1]):
        with pytest.raises(ProjectError, match="deadline is a date"):
            Project("p", "s", deadline=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["yesterday", 1e30, -1.0, b"x"], ids=repr)
def test_predictions_with_a_wrong_time_are_passed_over(settings: Settings, value: Any) -> None:
    log = PredictionLog(settings)
    result = ScoreResult(50.0, "very_poor", "heuristic", "heuristic", "rule", Target("masa"))
    ids = [log.add(result) for _ in range(2)]
    for one in ids:
        log.feedback(one, score=60.0)
    with sqlite3.connect(settings.data_root / "predictions.sqlite") as db:
        db.execute("UPDATE predictions SET at = ? WHERE id = ?", [value, ids[0]])
    db.close()
    assert [one.id for one in log.newest("rule")] == [ids[1]]
    assert [one.id for one in log.labelled()] == [ids[1]]
    assert len(last_errors(log.labelled())) == 1


def test_an_unknown_label_error_is_still_set_aside(labelled: Labelled) -> None:
    settings, recording, path = labelled
    path.write_text('{"word": "x", "score": 500}')
    with pytest.raises(LabelError):
        read_result(path)
    LabelStore(settings).add(recording, RatingEvent("eve", RatingAction.RATE, now_iso(), score=50.0))
    assert list(path.parent.glob("*.broken-*"))
