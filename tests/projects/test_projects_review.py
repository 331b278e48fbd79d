"""Reviewers: disputes, decisions and taking them back, consensus by each method, and how experts work."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.corpus.sets import get_set, result_path
from pipeline.errors import AccessError, LabelError, ProjectError
from pipeline.labels.discussion import Discussion
from pipeline.labels.history import standing_events
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.projects.consensus import derived
from pipeline.projects.project import Project, save_project
from pipeline.projects.quality import quality_of
from pipeline.projects.queue import EmptyQueue, Queue, QueueItem
from pipeline.projects.review import ProjectReview
from pipeline.records import Purpose, RatingAction, RatingEvent
from pipeline.settings import Settings
from pipeline.times import now_iso
from tests.projects.test_projects import ADMIN, expert, ids_of, rate_all, rating, words

__all__ = ["words"]
REVIEWER = Identity("Rita", frozenset({Role.REVIEWER}))
SCORES = {"Eve": (80.0, 40.0, 70.0), "Bob": (84.0, 90.0, 72.0), "Cem": (60.0, 65.0, 71.0)}


@pytest.fixture
def rated(settings: Settings, words: str) -> Project:
    """Three experts on every recording: the first three of them apart, others at one."""
    project = save_project(settings, Project("study", words, overlap=3, max_spread=15.0, extra=0), ADMIN)
    ids = ids_of(settings)[:3]

    def score(name: str, task: QueueItem) -> float:
        return SCORES[name][ids.index(task.recording.id)] if task.recording.id in ids else 75.0

    for name in SCORES:
        rate_all(Queue(settings, project, expert(name)), name, lambda task, name=name: score(name, task))
    return project


def test_the_widest_dispute_comes_first(settings: Settings, rated: Project) -> None:
    panel = ProjectReview(settings, rated, REVIEWER)
    first, second = panel.disputes()
    ids = ids_of(settings)
    assert [(first.recording.id, first.spread), (second.recording.id, second.spread)] == [
        (ids[1], 50.0),
        (ids[0], 24.0),
    ]
    assert {name: event.score for name, event in first.ratings.items()} == {"Eve": 40.0, "Bob": 90.0, "Cem": 65.0}
    assert [d.spread for d in panel.disputes(30)] == [50.0]


def test_a_decision_stands_until_it_is_taken_back(settings: Settings, rated: Project) -> None:
    panel = ProjectReview(settings, rated, REVIEWER)
    disputed = ids_of(settings)[1]
    saved = panel.decide(disputed, {"score": 62.0}, "the vowel is fine")
    assert (saved.score, saved.consensus.method if saved.consensus else "") == (62.0, "decided by Rita")
    assert len(panel.disputes()) == 1
    table = panel.consensus().set_index("recording_id")
    assert (table.loc[disputed, "score"], table.loc[disputed, "method"]) == (62.0, "decided by Rita")
    panel.undo(disputed)
    assert panel.consensus().set_index("recording_id").loc[disputed, "score"] == 65.0
    assert [e.action for e in panel.history(disputed)][-2:] == [RatingAction.DECIDE, RatingAction.UNDO]
    with pytest.raises(ProjectError, match="has no decision on “"):
        panel.undo(ids_of(settings)[0])


def test_an_undo_takes_back_what_it_is_of(settings: Settings, rated: Project) -> None:
    both = Identity("Rex", frozenset({Role.EXPERT, Role.REVIEWER}))
    key = ids_of(settings)[1]
    recording, store = Index(settings).recording(key), LabelStore(settings)
    panel = ProjectReview(settings, rated, both)
    for score in (40.0, 45.0):
        store.add(recording, RatingEvent("Rex", RatingAction.RATE, now_iso(), score=score), both)
    panel.decide(key, {"score": 90.0})
    panel.decide(key, {"score": 91.0})

    def standing() -> list[float | None]:
        return [e.score for e in standing_events(store.history(recording)) if e.evaluator == "Rex"]

    store.undo(recording, "Rex", both)
    assert standing() == [40.0, 90.0, 91.0], "the decisions stay"
    panel.undo(key)
    panel.undo(key)
    assert standing() == [40.0], "the rating stays"
    with pytest.raises(ProjectError, match="has no decision on “"):
        panel.undo(key)
    store.undo(recording, "Rex", both)
    with pytest.raises(LabelError, match="Rex has no rating of"):
        store.undo(recording, "Rex", both)
    single = Index(settings).rows("SELECT * FROM events ORDER BY recording_id, number")
    Index(settings).rebuild()
    assert Index(settings).rows("SELECT * FROM events ORDER BY recording_id, number") == single


def test_an_undo_of_an_older_file_takes_back_the_last_event_of_any_kind() -> None:
    rated, decided = (RatingEvent("Rex", action, f"2026-05-01T10:00:0{n}.000+00:00", score=50.0 + n)
                      for n, action in enumerate((RatingAction.RATE, RatingAction.DECIDE)))  # fmt: skip
    undo = RatingEvent("Rex", RatingAction.UNDO, "2026-05-01T10:00:09.000+00:00")
    assert standing_events([rated, decided, undo]) == [rated]
    assert standing_events([rated, decided, undo, undo]) == []


def test_a_look_takes_over_an_edited_file_with_its_comments(settings: Settings, rated: Project) -> None:
    recording = Index(settings).recording(ids_of(settings)[0])
    Discussion(settings, REVIEWER).begin(recording, "Listen to the vowel.")
    path = result_path(get_set(settings, recording.set), recording)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["ratings"].append({**content["ratings"][0], "evaluator": "Can", "score": 10.0})
    path.write_text(json.dumps(content), encoding="utf-8")
    assert ProjectReview(settings, rated, REVIEWER).look(recording.id).spread == 74.0
    tables = {table: Index(settings).rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("events", "comments")}
    assert len(tables["comments"]) == 1
    Index(settings).rebuild()
    for table, rows in tables.items():
        assert Index(settings).rows(f"SELECT * FROM {table} ORDER BY 1, 2") == rows


def test_an_excluded_recording_leaves_the_consensus_and_the_queue(settings: Settings, rated: Project) -> None:
    panel = ProjectReview(settings, rated, REVIEWER)
    key = ids_of(settings)[0]
    with pytest.raises(LabelError, match="A reason is needed"):
        panel.exclude(key, "")
    saved = panel.exclude(key, "two speakers")
    assert (saved.score, saved.labeled) == (None, False)
    assert key not in set(panel.consensus()["recording_id"])
    assert len(saved.ratings) == 4, "nothing is deleted"
    panel.undo(key)
    assert key in set(panel.consensus()["recording_id"])


def test_a_further_rating_can_be_asked_for(settings: Settings, rated: Project) -> None:
    panel = ProjectReview(settings, rated, REVIEWER)
    key = ids_of(settings)[1]
    dan = Queue(settings, rated, expert("Dan"))
    assert dan.next() == EmptyQueue("done")
    panel.request(key)
    assert panel.look(key).requested == 1
    assert [task.recording.id for task in rate_all(dan, "Dan")] == [key]
    assert dan.next() == EmptyQueue("done")


def test_reviewing_takes_the_role(settings: Settings, rated: Project) -> None:
    with pytest.raises(AccessError, match="Only reviewers, researchers and admins can see other people's ratings"):
        ProjectReview(settings, rated, expert("Eve"))
    researcher = ProjectReview(settings, rated, Identity("Rob", frozenset({Role.RESEARCHER})))
    assert researcher.disputes()
    for act in (
        lambda: researcher.decide(ids_of(settings)[0], {"score": 1.0}),
        lambda: researcher.exclude(ids_of(settings)[0], "x"),
        lambda: researcher.request(ids_of(settings)[0]),
        lambda: researcher.undo(ids_of(settings)[0]),
    ):
        with pytest.raises(AccessError, match="Only reviewers and admins can decide between ratings"):
            act()
    with pytest.raises(LabelError, match="between 0 and 100"):
        ProjectReview(settings, rated, REVIEWER).decide(ids_of(settings)[0], {"score": 400.0})


def test_consensus_by_each_method() -> None:
    table = np.array([[10.0, 80.0, 90.0, 100.0], [50.0, 60.0, np.nan, np.nan], [np.nan] * 4])
    assert derived(table, "median", 0, 100)[:2] == pytest.approx([85, 55])
    assert derived(table, "trimmed_mean", 0, 100)[:2] == pytest.approx([85, 55])
    corrected = derived(np.array([[60.0, 70.0], [90.0, 100.0], [50.0, np.nan]]), "severity", 0, 100)
    assert corrected == pytest.approx([65, 95, 55])
    for method in ("median", "trimmed_mean", "severity"):
        assert np.isnan(derived(table, method, 0, 100)[2])
    assert derived(np.array([[100.0, 90.0], [100.0, np.nan]]), "severity", 0, 100).max() <= 100


def test_the_same_ratings_give_the_same_consensus_again(settings: Settings, rated: Project) -> None:
    panel = ProjectReview(settings, rated, REVIEWER)
    for method in ("median", "trimmed_mean", "severity"):
        first, second = panel.consensus(method), panel.consensus(method)
        assert first.equals(second)
        assert set(first["method"]) == {method}
    assert panel.ratings().agreement("score").n == 12


def events(scores: list[float], purpose: Purpose = Purpose.WORK, took_s: float = 5.0) -> list[tuple[str, RatingEvent]]:
    return [(f"r{n}", replace(rating("Eve", score), purpose=purpose, took_s=took_s)) for n, score in enumerate(scores)]


def test_quality_of_an_expert() -> None:
    project = Project("p", "s", gold={"r0": {"score": 70.0}}, calibration=1)
    others = {f"r{n}": 70.0 for n in range(40)}
    lasts = {f"r{n}": 1.0 for n in range(40)}
    steady = quality_of(
        project, "Eve", [*events([72.0], Purpose.CALIBRATION), *events([71.0] * 40)], lasts, others, {"r0": 70.0}
    )
    assert (steady.calibration.n, steady.calibration.mae, steady.calibration.bias) == (1, 2.0, 2.0)
    assert steady.drift == pytest.approx(0.0, abs=1e-9)
    assert (steady.warnings, steady.hurried, steady.median_s, steady.n) == ((), 0.0, 5.0, 40)

    drifting = quality_of(project, "Eve", events([50.0 + n for n in range(40)], took_s=0.5), lasts, others, {})
    assert drifting.drift == pytest.approx(40.0, abs=2)
    assert drifting.hurried == 1.0
    said = " ".join(drifting.warnings)
    for part in ("not finished calibration (0 of 1 items)", "more lenient by", "saved 100% of the ratings before"):
        assert part in said

    again = [*events([80.0] * 3), *events([50.0] * 3, Purpose.REPEAT)]
    unsteady = quality_of(replace(project, calibration=0), "Eve", again, lasts, {}, {})
    assert (unsteady.repeats.n, unsteady.repeats.mae, unsteady.repeats.bias, unsteady.drift) == (3, 30.0, -30.0, None)
    assert "30 points apart" in unsteady.warnings[0]


def test_quality_from_a_project(settings: Settings, words: str) -> None:
    known = {key: {"score": 75.0} for key in ids_of(settings)[:3]}
    project = save_project(settings, Project("study", words, gold=known, calibration=3), ADMIN)
    rate_all(Queue(settings, project, expert("Eve")), "Eve", lambda task: 95.0 if task.purpose else 75.0)
    (eve,) = ProjectReview(settings, project, REVIEWER).quality()
    assert (eve.name, eve.n, eve.calibration.n, eve.calibration.mae) == ("Eve", 9, 3, 20.0)
    assert "Eve is off by 20 points on average in calibration." in eve.warnings


def test_history_survives_a_rebuild(settings: Settings, rated: Project, tmp_path: Path) -> None:
    panel = ProjectReview(settings, rated, REVIEWER)
    panel.decide(ids_of(settings)[1], {"score": 62.0})
    before = Index(settings).rows("SELECT * FROM events ORDER BY recording_id, number")
    review = Index(settings).rows("SELECT id, review, requested, score FROM recordings ORDER BY id")
    Index(settings).rebuild()
    assert Index(settings).rows("SELECT * FROM events ORDER BY recording_id, number") == before
    assert Index(settings).rows("SELECT id, review, requested, score FROM recordings ORDER BY id") == review
    assert LabelStore(settings).history(Index(settings).recording(ids_of(settings)[1]))[-1].score == 62.0


def test_reviewing_from_the_command_line(settings: Settings, rated: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    from click.testing import CliRunner

    from pipeline.cli.main import main

    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))

    def call(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(main, ["project", *words])
        assert done.exit_code == code, done.output
        return done.output

    key = ids_of(settings)[1]
    assert "study" in call("list")
    assert json.loads(call("disputes", "study", "--by", "Rita", "--json"))[0]["spread"] == 50.0
    of_zero, zero = ids_of(settings)[4], RatingEvent("Zed", RatingAction.RATE, now_iso(), score=0.0)
    LabelStore(settings).add(Index(settings).recording(of_zero), zero)
    assert "Zed 0" in call("disputes", "study", "--by", "Rita")
    LabelStore(settings).undo(Index(settings).recording(of_zero), "Zed")
    assert "decided by Rita" in call("decide", "study", key, "--by", "Rita", "--score", "61")
    rows = json.loads(call("consensus", "study", "--by", "Rita", "--json"))
    assert next(row["score"] for row in rows if row["recording_id"] == key) == 61.0
    call("undo", "study", key, "--by", "Rita")
    assert "Saved; no consensus" in call("exclude", "study", key, "--by", "Rita", "--reason", "noise")
    call("undo", "study", key, "--by", "Rita")
    call("request", "study", key, "--by", "Rita")
    assert "Eve: 12 ratings" in call("experts", "study", "--by", "Rita")
    assert "recording_id,speaker" in call("consensus", "study", "--by", "Rita", "--method", "severity")
    call("disputes", "none", "--by", "Rita", code=1)
    assert (
        json.loads(CliRunner().invoke(main, ["agreement", "--project", "study", "--json"]).output)["dimensions"][
            "score"
        ]["n"]
        == 12
    )


def test_a_label_file_that_was_removed_or_edited_meanwhile(settings: Settings, rated: Project) -> None:
    from pipeline.corpus.sets import get_set, result_path
    from pipeline.labels.result_file import read_result, write_result

    panel = ProjectReview(settings, rated, REVIEWER)
    first, second = (dispute.recording for dispute in panel.disputes())
    set_ = get_set(settings, "words")
    result_path(set_, first).unlink()
    path = result_path(set_, second)
    result = read_result(path)
    assert result is not None
    write_result(path, replace(result, ratings=result.ratings[:1]))
    assert panel.disputes() == []
    assert len(Index(settings).rows("SELECT 1 FROM events WHERE recording_id = ?", [second.id])) in (1, 2)
    assert Index(settings).rows("SELECT 1 FROM ratings WHERE recording_id = ?", [first.id]) == []
    saved = panel.decide(first.id, {"score": 50.0})
    assert [event.evaluator for event in saved.ratings] == ["Rita"]
