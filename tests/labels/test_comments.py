"""Comments and replies on a recording: kept beside its ratings, seen by those whom they concern."""

import json
from typing import Any

import pytest

from pipeline.corpus.sets import get_set, result_path
from pipeline.errors import AccessError, LabelError
from pipeline.labels.comments import Thread
from pipeline.labels.discussion import MAX_LENGTH, Discussion
from pipeline.labels.index import Index
from pipeline.labels.recording_list import Filter, ListQuery, list_recordings
from pipeline.labels.result_file import read_result
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.records import RatingAction, RatingEvent, Recording
from pipeline.settings import Settings
from pipeline.times import now_iso

EVE, BOB = (Identity(name, frozenset({Role.EXPERT})) for name in ("Eve", "Bob"))
LEA = Identity("Lea", frozenset({Role.LEARNER}))
RITA = Identity("Rita", frozenset({Role.REVIEWER}))


@pytest.fixture
def recording(settings: Settings, tiny_set: str) -> Recording:
    index = Index(settings)
    index.ensure()
    return index.recordings(tiny_set)[0]


def texts(threads: Any) -> list[list[str]]:
    return [[comment.text for comment in thread.comments] for thread in threads]


def test_raters_see_their_own_threads_and_reviewers_all(settings: Settings, recording: Recording) -> None:
    eve, bob, rita = (Discussion(settings, who) for who in (EVE, BOB, RITA))
    eve.begin(recording, "Is the first vowel long?")
    bob.begin(recording, "I hear a **t**.")
    rita.begin(recording, "Between us reviewers.")
    rita.begin(recording, "Listen again, please.", audience="bob")
    rita.reply(recording, 0, "Yes.")
    eve.reply(recording, 0, "Thank you.")
    assert texts(eve.threads(recording)) == [["Is the first vowel long?", "Yes.", "Thank you."]]
    assert texts(bob.threads(recording)) == [["I hear a **t**."], ["Listen again, please."]]
    assert len(rita.threads(recording)) == 4
    both = Discussion(settings, Identity("Eve", frozenset({Role.EXPERT, Role.REVIEWER})))
    assert texts(both.threads(recording, while_rating=True)) == texts(eve.threads(recording))
    with pytest.raises(AccessError, match="no comment 0 for you"):
        bob.reply(recording, 0, "What?")
    with pytest.raises(AccessError, match="can see other people's ratings"):
        eve.begin(recording, "Psst", audience="Bob")
    with pytest.raises(AccessError):
        Discussion(settings, LEA)


def test_comments_stay_with_the_ratings_and_change_none(settings: Settings, recording: Recording) -> None:
    store = LabelStore(settings)
    before = store.current(recording)
    Discussion(settings, EVE).begin(recording, "Noisy.")
    assert store.current(recording) == before
    store.add(recording, RatingEvent("Eve", RatingAction.RATE, now_iso(), score=50))
    store.undo(recording, "Eve")
    assert texts(Discussion(settings, EVE).threads(recording)) == [["Noisy."]]
    index = Index(settings)
    single = index.rows("SELECT * FROM comments")
    index.rebuild()
    assert index.rows("SELECT * FROM comments") == single


def test_the_list_counts_the_comments_that_the_reader_sees(settings: Settings, recording: Recording) -> None:
    Discussion(settings, EVE).begin(recording, "Noisy.")
    for who, n in ((EVE, 1), (BOB, 0), (RITA, 1)):
        page = list_recordings(Index(settings), ListQuery("tiny", filter=Filter.COMMENTED), who)
        assert (page.total, [row.n_comments for row in page.rows]) == (n, [1] * n)


@pytest.mark.parametrize("text", ["", "  \n", "x" * (MAX_LENGTH + 1), "a\x00b", "\ud800"])
def test_refuses_what_is_no_comment(settings: Settings, recording: Recording, text: str) -> None:
    with pytest.raises(LabelError, match="A comment has 1 to"):
        Discussion(settings, EVE).begin(recording, text)


def test_a_key_of_another_program_is_left_alone(settings: Settings, recording: Recording) -> None:
    path = result_path(get_set(settings, recording.set), recording)
    raw = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**raw, "comments": "nice"}), encoding="utf-8")
    Index(settings).rebuild()
    assert Discussion(settings, RITA).threads(recording) == []
    with pytest.raises(LabelError, match="of another program"):
        Discussion(settings, EVE).begin(recording, "Noisy.")
    known = {"author": "Eve", "at": now_iso(), "text": "a"}
    listed = [
        known,
        {"author": "Eve"},
        5,
        {**known, "reply_to": 1},
        {**known, "reply_to": True},
        {**known, "reply_to": 0},
    ]
    path.write_text(json.dumps({**raw, "comments": listed}), encoding="utf-8")
    (thread,) = Discussion(settings, RITA).threads(recording)
    assert isinstance(thread, Thread)
    assert (thread.number, len(thread.comments)) == (0, 2)
    result = read_result(path)
    assert result is not None
    assert result.extra["comments"] == listed


def test_a_comment_releases_no_scores_of_an_unknown_scale(settings: Settings, tiny_set: str) -> None:
    index = Index(settings)
    index.ensure()
    recordings = index.recordings(tiny_set)[:3]
    for recording, score in zip(recordings, (7, 8, 3), strict=True):
        five = {"word": recording.text, "score": score, "labeled": True, "evaluator": "Old", "notes": ""}
        path = result_path(get_set(settings, tiny_set), recording)
        path.write_text(json.dumps(five), encoding="utf-8")
    index.rebuild()
    before = index.rows("SELECT * FROM recordings ORDER BY id")
    Discussion(settings, EVE).begin(recordings[0], "On which scale is this?")
    assert texts(Discussion(settings, RITA).threads(recordings[0])) == [["On which scale is this?"]]
    assert index.is_held(recordings[0])
    assert index.rows("SELECT * FROM recordings ORDER BY id") == before
    with pytest.raises(LabelError, match="unknown scale"):
        LabelStore(settings).add(recordings[0], RatingEvent("Eve", RatingAction.RATE, now_iso(), score=50), EVE)
    index.rebuild()
    assert index.rows("SELECT * FROM recordings ORDER BY id") == before
