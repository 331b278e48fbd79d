"""Ratings on disk: what a save writes, what it refuses, and what it survives."""

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipeline import artifacts
from pipeline.corpus.sets import get_set, read_recordings, result_path
from pipeline.errors import LabelError
from pipeline.labels.history import current_ratings
from pipeline.labels.index import Index
from pipeline.labels.result_file import read_result
from pipeline.labels.store import LabelStore
from pipeline.records import RatingAction, RatingEvent, RatingSource, Recording, RubricName
from pipeline.rubrics import RUBRICS
from pipeline.settings import Settings

NOW = "2026-05-01T10:00:00.000+00:00"


def rating(evaluator: str, score: float | None, **more: Any) -> RatingEvent:
    return RatingEvent(evaluator, RatingAction.RATE, NOW, score=score, **more)


@pytest.fixture
def recording(settings: Settings, tiny_set: str) -> Recording:
    return read_recordings(settings, tiny_set)[7]


@pytest.fixture
def path(settings: Settings, recording: Recording) -> Path:
    return result_path(get_set(settings, recording.set), recording)


def raw(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_a_saved_rating_lies_beside_the_audio_with_the_five_keys(
    settings: Settings, recording: Recording, path: Path
) -> None:
    path.unlink()
    LabelStore(settings).add(recording, rating("Ayşe", 85.5, notes="Good pronunciation, slight accent"))
    content = raw(path)
    assert path.name == "02_çiçek_result.json"
    assert {key: content[key] for key in ("word", "score", "labeled", "evaluator", "notes")} == {
        "word": "çiçek",
        "score": 85.5,
        "labeled": True,
        "evaluator": "Ayşe",
        "notes": "Good pronunciation, slight accent",
    }
    assert [event["score"] for event in content["ratings"]] == [85.5]


def test_the_score_of_several_raters_is_their_median_and_says_so(
    settings: Settings, recording: Recording, path: Path
) -> None:
    path.unlink()
    store = LabelStore(settings)
    for name, score in (("a", 60), ("b", 90), ("c", 70)):
        store.add(recording, rating(name, score, notes=f"note of {name}"))
    content = raw(path)
    assert (content["score"], content["evaluator"]) == (70, "consensus")
    assert content["notes"].splitlines() == ["a: note of a", "b: note of b", "c: note of c"]
    assert content["consensus"]["n"] == 3
    assert content["consensus"]["spread"] == 30


def test_a_second_thought_counts_and_the_first_stays_in_the_history(
    settings: Settings, recording: Recording, path: Path
) -> None:
    path.unlink()
    store = LabelStore(settings)
    store.add(recording, rating("a", 60))
    store.add(recording, rating("a", 75))
    assert raw(path)["score"] == 75
    assert [event.score for event in store.history(recording)] == [60, 75]


def test_undo_goes_back_step_by_step(settings: Settings, recording: Recording, path: Path) -> None:
    path.unlink()
    store = LabelStore(settings)
    store.add(recording, rating("a", 60))
    store.add(recording, rating("a", 75))
    assert store.undo(recording, "a").score == 60
    after = store.undo(recording, "a")
    assert (after.labeled, after.score, len(after.ratings)) == (False, None, 4)
    with pytest.raises(LabelError, match="no rating"):
        store.undo(recording, "a")


def test_undo_of_what_another_tab_took_back_takes_nothing_more(
    settings: Settings, recording: Recording, path: Path
) -> None:
    path.unlink()
    store = LabelStore(settings)
    store.add(recording, rating("a", 60))
    last = store.add(recording, rating("a", 75)).ratings[-1]
    assert store.undo(recording, "a", last=last).score == 60
    with pytest.raises(LabelError, match="no rating"):
        store.undo(recording, "a", last=last)
    assert store.current(recording)["a"].score == 60


def test_undo_takes_back_ones_own_only() -> None:
    events = [rating("a", 60), rating("b", 70), RatingEvent("a", RatingAction.UNDO, NOW)]
    assert {who: event.score for who, event in current_ratings(events).items()} == {"b": 70}


def test_people_outrank_a_synthesisers_known_fault(settings: Settings, recording: Recording, path: Path) -> None:
    path.unlink()
    store = LabelStore(settings)
    store.add(recording, rating("demo-synthetic", 40, source=RatingSource.SYNTHETIC))
    assert store.add(recording, rating("a", 90)).score == 90


@pytest.mark.parametrize("score", [None, float("nan"), float("inf"), -1, 100.5])
def test_a_score_outside_the_scale_is_refused(settings: Settings, recording: Recording, path: Path, score: Any) -> None:
    before = path.read_bytes()
    with pytest.raises(LabelError):
        LabelStore(settings).add(recording, rating("a", score))
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\nb", "\x00"])
def test_a_name_nobody_could_bear_is_refused(settings: Settings, recording: Recording, name: str) -> None:
    if name == "a\nb":
        assert LabelStore(settings).add(recording, rating(name, 50)).ratings[-1].evaluator == "a b"
        return
    with pytest.raises(LabelError, match="name"):
        LabelStore(settings).add(recording, rating(name, 50))


@pytest.mark.parametrize("action", [RatingAction.SKIP, RatingAction.FLAG])
def test_skipping_and_flagging_need_a_reason_and_give_no_score(
    settings: Settings, recording: Recording, action: RatingAction
) -> None:
    store = LabelStore(settings)
    with pytest.raises(LabelError, match="reason"):
        store.add(recording, RatingEvent("new", action, NOW))
    store.add(recording, RatingEvent("new", action, NOW, reason="Too noisy", score=50))
    assert store.current(recording)["new"].score is None


def test_a_legacy_file_with_five_keys_is_one_rating_and_foreign_keys_survive(
    settings: Settings, recording: Recording, path: Path
) -> None:
    legacy = {"word": "çiçek", "score": 72, "labeled": True, "evaluator": "old", "notes": "", "device": {"mic": 3}}
    path.write_text(json.dumps(legacy), encoding="utf-8")
    LabelStore(settings).add(recording, rating("new", 80))
    content = raw(path)
    assert [(event["evaluator"], event["score"]) for event in content["ratings"]] == [("old", 72), ("new", 80)]
    assert content["device"] == {"mic": 3}
    assert content["score"] == 76


def test_an_edit_of_the_five_keys_by_hand_is_adopted_not_lost(
    settings: Settings, recording: Recording, path: Path
) -> None:
    content = raw(path)
    path.write_text(json.dumps({**content, "score": 12.0, "evaluator": "by hand"}), encoding="utf-8")
    store = LabelStore(settings)
    assert store.current(recording)["by hand"].score == 12.0
    store.add(recording, rating("late", 50))
    assert {"by hand", "late", "ayşe", "can"} == set(store.current(recording))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"word": "x", "sco',
        b"\xff\xfe\x00broken",
        b"[1, 2]",
        b'{"word": "x"}',
        b'{"word": "x", "score": "high"}',
        b'{"word": "x", "score": 50, "ratings": [{"evaluator": "a"}]}',
        b'{"word": "x", "score": 500}',
    ],
)
def test_a_broken_label_file_is_kept_aside_and_the_expert_goes_on(
    settings: Settings, recording: Recording, path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    with pytest.raises(LabelError, match=path.name):
        read_result(path)
    report = Index(settings).rebuild()
    assert [problem.path for problem in report.problems] == [recording.id]
    LabelStore(settings).add(recording, rating("a", 66))
    assert raw(path)["score"] == 66
    kept = [file for file in path.parent.iterdir() if ".broken-" in file.name]
    assert [file.read_bytes() for file in kept] == [content]
    assert not Index(settings).rebuild().problems


def test_a_full_disk_is_told_and_the_file_stays_as_it_was(
    settings: Settings, recording: Recording, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def full(_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(artifacts, "_fsync", full)
    with pytest.raises(LabelError, match=r"the disk is full.*Free some space"):
        LabelStore(settings).add(recording, rating("a", 50))
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert not list(path.parent.glob(".tmp-*"))
    assert "a" not in set(Index(settings).labels()["evaluator"])


def test_an_index_that_cannot_be_told_costs_no_label(
    settings: Settings, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, index = LabelStore(settings), Index(settings)

    def refuse(*_: Any) -> None:
        raise LabelError("locked")

    monkeypatch.setattr(Index, "_is_current", refuse)
    store.add(recording, rating("a", 50))
    monkeypatch.undo()
    assert "a" in store.current(recording)
    index.ensure()
    assert "a" in set(index.labels()["evaluator"])


def test_people_saving_the_same_recording_at_once_all_get_in(settings: Settings, recording: Recording) -> None:
    names = [f"expert {number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: LabelStore(settings).add(recording, rating(name, 50)), names))
    assert set(names) <= set(LabelStore(settings).current(recording))
    assert set(names) <= set(Index(settings).labels()["evaluator"])


def test_sentences_take_their_score_from_the_total(settings: Settings, recording: Recording) -> None:
    from dataclasses import replace

    from pipeline.labels.store import checked

    sentence = replace(recording, rubric=RubricName.SENTENCE)
    values = {"accuracy": 8.0, "fluency": 7.0, "prosodic": 7.0, "total": 7.5}
    assert checked(RUBRICS[sentence.rubric], rating("a", None, dimensions=values)).score == 75
    for wrong in ({**values, "total": 11.0}, {"total": 5.0}, {**values, "style": 3.0}):
        with pytest.raises(LabelError):
            checked(RUBRICS[sentence.rubric], rating("a", None, dimensions=wrong))


@pytest.mark.parametrize(
    "content",
    [
        '{"word":"araba","score":50,"ratings":["x"]}',
        '{"word":"a","score":5,"ratings":[{"evaluator":"a","action":"rate","at":"t","score":5,"dimensions":[1]}]}',
        '{"word":"a","score":5,"ratings":[{"evaluator":"a","action":"rate","at":"t","dimensions":{"x":1e999}}]}',
        '{"word":"a","score":5,"ratings":[{"evaluator":"a","action":"rate","at":"t","dimensions":{"x":1%s}}]}'
        % ("0" * 400),
        '{"word":"a","score":5,"notes":"\\ud800"}',
        "[" * 100_000,
    ],
)
def test_a_label_file_of_any_wrong_shape_is_listed_and_stops_nothing(
    settings: Settings, recording: Recording, path: Path, content: str
) -> None:
    path.write_text(content, encoding="utf-8")
    report = Index(settings).rebuild()
    assert [problem.path for problem in report.problems] == [recording.id]
    assert report.n_ratings == 46


def test_notes_edited_by_hand_are_kept(settings: Settings, recording: Recording, path: Path) -> None:
    path.unlink()
    store = LabelStore(settings)
    store.add(recording, rating("Ada", 60, notes="first"))
    path.write_text(json.dumps({**raw(path), "notes": "by hand"}), encoding="utf-8")
    store.add(recording, rating("Bo", 70))
    assert store.current(recording)["Ada"].notes == "by hand"


def test_a_label_file_linked_from_outside_is_not_read(
    settings: Settings, recording: Recording, path: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.json"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)
    report = Index(settings).rebuild()
    assert "outside" in report.problems[0].message
    assert report.n_ratings == 46
