"""What keeps ratings valid: known answers test skill and not memory, nothing on the page tells which they are, and what
is taken back and rated again stays what it was."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dashboard.services.label import Labelling, OpenRecording, Session
from pipeline.errors import LabelError
from pipeline.labels.discussion import Discussion
from pipeline.labels.index import Index
from pipeline.labels.recording_list import Filter, ListQuery, list_recordings
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.projects.project import folder_of, save_project
from pipeline.projects.queue import EmptyQueue, Queue, QueueItem, QueueProgress, visible_history
from pipeline.projects.secret import secret_of
from pipeline.records import Purpose, RatingAction, RubricName
from pipeline.rubrics import RUBRICS
from pipeline.settings import Settings
from tests.projects.test_projects import ADMIN, expert, ids_of, project_of, rate_all, rating
from tests.projects.test_projects import words as words

EVE = expert("Eve")
MINE, OPEN = ListQuery("words", filter=Filter.RATED), ListQuery("words", filter=Filter.OPEN)


def known(settings: Settings, n: int) -> dict[str, dict[str, float]]:
    return {key: {"score": 75.0} for key in ids_of(settings)[:n]}


def test_an_answer_that_was_shown_never_comes_back_as_silent_gold(settings: Settings, words: str) -> None:
    project = project_of(settings, words, gold=known(settings, 4), calibration=2, gold_every=2)
    done = rate_all(Queue(settings, project, EVE), "Eve")
    by = {purpose: [t.recording for t in done if t.purpose is purpose] for purpose in Purpose}
    assert (len(by[Purpose.CALIBRATION]), len(by[Purpose.GOLD])) == (2, 2)
    assert not {r.id for r in by[Purpose.CALIBRATION]} & {r.id for r in by[Purpose.GOLD]}
    assert not {r.text for r in by[Purpose.CALIBRATION]} & {r.text for r in by[Purpose.GOLD]}
    again = replace(project, name="again", calibration=0, gold_every=1)
    save_project(settings, again, ADMIN)
    in_the_next = rate_all(Queue(settings, again, EVE), "Eve")
    assert all(t.purpose is not Purpose.GOLD for t in in_the_next), "Eve has met all four"


def test_what_was_rated_as_work_is_no_gold_for_the_same_person(settings: Settings, words: str) -> None:
    rate_all(Queue(settings, project_of(settings, words), EVE), "Eve", most=5)
    rated = {recording.id for recording, _ in Index(settings).recent(words, "Eve", 5)}
    project = project_of(settings, words, gold={key: {"score": 80.0} for key in ids_of(settings)}, gold_every=1)
    queue = Queue(settings, project, EVE)
    assert not rated & {key for key, _ in queue._candidates()}
    assert len(queue._gold_items()) == 7


def test_gold_falls_once_in_each_stretch_at_a_place_that_nobody_can_count_out(settings: Settings, words: str) -> None:
    project = project_of(settings, words, gold=known(settings, 3), gold_every=4)
    places = set()
    for name in ("Eve", "Bob", "Zoë", "Ada", "Kim", "Joe"):
        queue = Queue(settings, project, expert(name))
        falls = [turn for turn in range(1, 41) if queue._falls(Purpose.GOLD, 4, turn)]
        assert [(turn - 1) // 4 for turn in falls] == list(range(10))
        places |= {(turn - 1) % 4 for turn in falls}
    assert places == {0, 1, 2, 3}


@pytest.mark.parametrize("changed", [{}, {"calibration": 2}, {"repeat_every": 12}, {"overlap": 2, "max_spread": 10.0}])
def test_every_save_leaves_one_fewer_whatever_it_was(settings: Settings, words: str, changed: dict[str, Any]) -> None:
    project = project_of(settings, words, gold=known(settings, 4), gold_every=3, **changed)
    queue = Queue(settings, project, EVE)
    left = [queue.progress().left]
    while isinstance(task := queue.next(), QueueItem):
        queue.save(task, rating("Eve"))
        left.append(queue.progress().left)
    assert left == list(range(left[0], -1, -1))
    assert queue.progress() == QueueProgress(len(left) - 1, 0, 0, 0, 0)


def test_the_others_figure_is_not_moved_by_ones_own_saves(settings: Settings, words: str) -> None:
    project = project_of(settings, words, overlap=2, gold=known(settings, 2), gold_every=2)
    rate_all(Queue(settings, project, expert("Bob")), "Bob", most=5)
    n = sum(event.purpose is Purpose.WORK for _, event in Index(settings).recent(words, "Bob", 5))
    queue = Queue(settings, project, EVE)
    while isinstance(task := queue.next(), QueueItem):
        queue.save(task, rating("Eve"))
        assert queue.progress().by_others == n


def test_the_address_of_what_is_open_tells_nothing(settings: Settings, words: str) -> None:
    project = project_of(settings, words, gold=known(settings, 4), gold_every=3)
    for key in project.gold:  # as work they would be refused
        LabelStore(settings).add(Index(settings).recording(key), rating("Bob"), expert("Bob"))
    queue, purposes = Queue(settings, project, EVE), set()
    while isinstance(task := queue.next(), QueueItem):
        assert queue.open(task.recording).lease.token == task.lease.token
        purposes.add(task.purpose)
        queue.save(task, rating("Eve"))
    assert purposes == {Purpose.WORK, Purpose.GOLD}


@pytest.mark.parametrize("changed", [{"gold_every": 6}, {"gold_every": 2, "overlap": 2}, {"calibration": 2}])
def test_what_is_chosen_by_address_leaves_one_fewer_whatever_it_was(
    settings: Settings, words: str, changed: dict[str, Any]
) -> None:
    calibrate = tuple(ids_of(settings)[:2])
    project = project_of(settings, words, gold=known(settings, 5), calibrate=calibrate, **changed)
    queue, index = Queue(settings, project, EVE), Index(settings)
    rate_all(queue, "Eve", most=project.calibration)
    left = queue.progress().left
    for key in ids_of(settings)[3:7]:
        queue.save(queue.open(index.recording(key)), rating("Eve"))
        assert queue.progress().left == left - 1, key in project.gold
        left -= 1
    rate_all(queue, "Eve")
    assert queue.progress().left == 0


def test_turns_and_order_are_drawn_with_a_secret_of_the_project(settings: Settings, words: str) -> None:
    project = project_of(settings, words, gold=known(settings, 5), gold_every=7, repeat_every=13)
    queue = Queue(settings, project, EVE)
    falls = [turn for turn in range(1, 200) if queue._falls(Purpose.GOLD, 7, turn)]
    order = queue._order()
    assert secret_of(settings, project.name) == secret_of(settings, project.name)
    secret = folder_of(settings, project.name) / "secret.json"
    assert secret_of(settings, project.name) in secret.read_text()
    secret.unlink()
    another = Queue(settings, project, EVE)
    assert [turn for turn in range(1, 200) if another._falls(Purpose.GOLD, 7, turn)] != falls
    assert another._order() != order


def test_known_answers_of_another_part_hold_nobody_up(settings: Settings, words: str) -> None:
    """Those of calibration that cannot come are not waited for."""
    project = replace(project_of(settings, words, gold=known(settings, 2), calibration=2), part="dev")
    queue = Queue(settings, project, EVE)
    assert queue.next() == EmptyQueue("done")
    assert queue.progress().left == 0


def test_a_repeat_looks_as_if_it_had_not_been_rated(settings: Settings, words: str) -> None:
    project = project_of(settings, words, repeat_every=12)
    queue = Queue(settings, project, EVE)
    discussion, index, purposes = Discussion(settings, EVE), Index(settings), set()
    while isinstance(task := queue.next(), QueueItem):
        of_it = ListQuery(words, search=task.recording.id)
        assert [row.mine for row in list_recordings(index, of_it, EVE).rows if row.id == task.recording.id] == [None]
        assert task.recording.id not in {row.id for row in list_recordings(index, MINE, EVE).rows}
        assert task.recording.id in {row.id for row in list_recordings(index, OPEN, EVE).rows}
        desk = Labelling(settings, words, EVE, project).go_to(Session(), task.recording.id)
        assert (desk.previous, desk.item and desk.item.purpose) == (None, task.purpose)
        assert visible_history(settings, EVE, task.recording) == []
        assert not discussion.threads(task.recording, while_rating=True)
        discussion.begin(task.recording, "Noisy.")
        assert len(discussion.threads(task.recording, while_rating=True)) == 1
        purposes.add(task.purpose)
        queue.save(task, rating("Eve"))
        assert len(discussion.threads(task.recording, while_rating=True)) == 1 + (task.purpose is Purpose.REPEAT)
    assert purposes == {Purpose.WORK, Purpose.REPEAT}
    assert list_recordings(index, MINE, EVE).total == 12


def test_a_refused_address_takes_nothing_away(settings: Settings, words: str) -> None:
    project = project_of(settings, words)
    rate_all(Queue(settings, project, expert("Bob")), "Bob", most=3)
    rated = Index(settings).recent(words, "Bob", 1)[0][0]
    queue = Queue(settings, project, EVE)
    task = queue.next()
    assert isinstance(task, QueueItem)
    with pytest.raises(LabelError, match="not yours to rate"):
        queue.open(rated)
    assert queue.renew(task)


def test_later_comes_back_at_the_end_by_itself(settings: Settings, words: str) -> None:
    queue = Queue(settings, project_of(settings, words), EVE)
    first = queue.next()
    assert isinstance(first, QueueItem)
    queue.save(first, replace(rating("Eve"), action=RatingAction.SKIP, score=None, reason="Later"))
    assert queue.progress().left == 12
    done = rate_all(queue, "Eve")
    assert [t.recording.id for t in done].index(first.recording.id) == 11
    assert queue.next() == EmptyQueue("done")
    assert queue.progress().rated == 12


def opened(desk: Labelling, session: Session) -> OpenRecording:
    current = desk.open_recording(session)
    assert isinstance(current, OpenRecording)
    return current


def acted(desk: Labelling, session: Session, kind: str, **more: object) -> Session:
    """The session after an act on what is open."""
    current = opened(desk, session)
    if "score" in more:
        more = {**more, "rubric": current.rubric.reference, "dimensions": {"score": more["score"]}}
    action = {"nonce": f"{session.turn}{kind}", "kind": kind, "item": current.recording.id, **more}
    after = desk.act(replace(session, item=current.item), action)
    assert after.answer is not None
    assert after.answer.ok, after.answer.message
    return after


@pytest.mark.parametrize(
    ("changed", "purpose"),
    [({}, Purpose.WORK), ({"calibration": 1}, Purpose.CALIBRATION), ({"gold_every": 1}, Purpose.GOLD)],
)
def test_undone_and_rated_again_it_stays_what_it_was(
    settings: Settings, words: str, changed: dict[str, Any], purpose: Purpose
) -> None:
    clock = [1000.0]
    project = project_of(settings, words, gold=known(settings, 3) if changed else {}, **changed)
    desk = Labelling(settings, words, EVE, project)
    desk._queue = Queue(settings, project, EVE, lambda: clock[0])
    recording = opened(desk, Session()).recording
    clock[0] += 7.0
    session = acted(desk, Session(), "rate", score=70)
    assert desk.n_earlier() == 1
    session = acted(desk, session, "undo")
    again = opened(desk, session)
    assert again.previous is not None
    assert (again.recording.id, again.previous.score) == (recording.id, 70.0)
    if purpose is Purpose.WORK:
        bob = Queue(settings, project, expert("Bob"), lambda: clock[0]).next()
        assert isinstance(bob, QueueItem)
        assert bob.recording.id != recording.id, "it is reserved while it is open again"
    clock[0] += 5.0
    acted(desk, session, "rate", score=90)
    (event,) = [event for event in LabelStore(settings).history(recording) if event.score == 90.0]
    assert (event.project, event.purpose, event.took_s) == ("study", purpose, 12.0)


def test_a_change_of_mind_long_after_keeps_project_purpose_and_time(
    settings: Settings, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(settings, words, gold=known(settings, 12), gold_every=1)
    desk = Labelling(settings, words, EVE, project)
    session = Session()
    for _ in range(12):
        session = acted(desk, session, "rate", score=70)
    current = opened(desk, replace(session, place=12))
    acted(desk, replace(session, place=12), "rate", score=10)
    first, last = LabelStore(settings).history(current.recording)
    assert (last.score, last.project, last.purpose, last.took_s) == (10.0, "study", Purpose.GOLD, first.took_s)


def test_a_project_in_which_everything_was_skipped_does_not_call_itself_rated(
    settings: Settings, words: str, open_page: Callable[..., Any]
) -> None:
    queue = Queue(settings, project_of(settings, words), Identity("Eve", frozenset(Role)))
    while isinstance(task := queue.next(), QueueItem):
        queue.save(task, replace(rating("Eve"), action=RatingAction.SKIP, score=None, reason="I know the speaker"))
    page = open_page("label", project="study", rater="Eve").run()
    (shown,) = [info.value for info in page.info]
    assert "you have rated nothing: 0 rated, 12 skipped, 0 flagged" in shown
    assert not page.success


def test_where_the_project_wants_it_a_rating_needs_the_whole_recording(settings: Settings, words: str) -> None:
    project = project_of(settings, words, hear_all=True)
    desk = Labelling(settings, words, EVE, project)
    current = opened(desk, Session())
    session = Session(item=current.item)
    half = {"nonce": "1", "kind": "rate", "item": current.recording.id, "heard": 0.6,
            "rubric": current.rubric.reference, "dimensions": {"score": 70}}  # fmt: skip
    refused = desk.act(session, half).answer
    assert refused is not None
    assert (refused.ok, refused.message) == (False, "Hear the whole recording once before you save your rating.")
    assert LabelStore(settings).history(current.recording) == ()
    session = desk.act(session, {**half, "nonce": "2", "heard": 0.98})
    assert LabelStore(settings).history(current.recording)[0].heard == 0.98
    acted(desk, session, "skip", reason="Later", heard=0.0)


def test_share_heard_counts_before_the_clock() -> None:
    from pipeline.projects.project import Project
    from pipeline.projects.quality import quality_of

    events = [
        ("a", replace(rating("Eve"), heard=1.0, took_s=1.0)),
        ("b", replace(rating("Eve"), heard=0.5, took_s=60.0)),
        ("c", replace(rating("Eve"), took_s=1.0)),
        ("d", replace(rating("Eve"), took_s=9.0)),
    ]
    quality = quality_of(Project("p", "s"), "Eve", events, dict.fromkeys("abcd", 3.0), {}, {})
    assert quality.hurried == 0.5


@pytest.mark.parametrize("changed", [{"gold_every": 2}, {"calibration": 2}])
def test_a_known_answer_left_for_later_comes_back_as_one_and_no_figure_tells(
    settings: Settings, words: str, changed: dict[str, Any]
) -> None:
    project = project_of(settings, words, gold=known(settings, 3), **changed)
    queue = Queue(settings, project, EVE)
    first: dict[str, Purpose] = {}
    while isinstance(task := queue.next(), QueueItem) and task.recording.id not in first:
        first[task.recording.id] = task.purpose
        before = queue.progress().left
        queue.save(task, replace(rating("Eve"), action=RatingAction.SKIP, score=None, reason="Later"))
        assert queue.progress().left >= before
    assert set(first.values()) == {Purpose.WORK, *(Purpose(key.split("_")[0]) for key in changed)}
    again = {task.recording.id: task.purpose for task in rate_all(queue, "Eve")}
    assert again.items() >= first.items()
    assert queue.progress().left == 0


def test_an_expert_learns_nothing_from_the_command_line(
    settings: Settings, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from pipeline.cli.main import main
    from pipeline.people.people import People, Person

    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    project = project_of(settings, words, gold=known(settings, 12), gold_every=1)
    task = rate_all(Queue(settings, project, EVE), "Eve", most=1)[0]
    LabelStore(settings).add(task.recording, rating("Bob", 33.0))
    people = People(settings)
    people.save(Person("Ada", (Role.ADMIN,)), ADMIN)
    people.save(Person("Eve", (Role.EXPERT,)), ADMIN)
    for act in (["show"], ["rate", "--score", "70"], ["undo"], ["skip", "--reason", "Not my dialect"]):
        told = CliRunner().invoke(main, ["label", act[0], task.recording.id, *act[1:], "--json", "--by", "Eve"])
        assert told.exit_code == 0, told.output
        assert "Bob" not in told.output
        assert '"score": 33' not in told.output
        assert "gold" not in told.output


def refusal(desk: Labelling, session: Session, recording_id: str, **more: object) -> str:
    """What a rater is told who sends this recording from the form."""
    action = {"nonce": f"forged {recording_id}", "kind": "rate", "item": recording_id,
              "rubric": RUBRICS[RubricName.WORD].reference, "dimensions": {"score": 12}, **more}  # fmt: skip
    answer = desk.act(session, action).answer
    assert answer is not None
    return "" if answer.ok else answer.message


def test_nothing_is_saved_but_what_is_open_or_was_rated_before(settings: Settings, words: str) -> None:
    project = project_of(settings, words, hear_all=True)
    desk = Labelling(settings, words, EVE, project)
    current = opened(desk, Session())
    session = Session(item=current.item)
    other = next(key for key in ids_of(settings) if key != current.recording.id)
    assert "is not open here any more" in refusal(desk, session, other, heard=1)
    session = acted(desk, session, "skip", reason="Later", heard=0.1)
    assert "Hear the whole recording" in refusal(desk, session, current.recording.id, heard=0.2)
    without = Labelling(settings, words, EVE)
    assert "Hear the whole recording" in refusal(without, Session(), current.recording.id, heard=0.2)
    assert refusal(desk, session, current.recording.id, heard=1) == ""
    closed = save_project(settings, replace(project, closed=True), ADMIN)
    desk = Labelling(settings, words, EVE, closed)
    assert "study is closed" in refusal(desk, Session(), current.recording.id, heard=1, dimensions={"score": 13})
    assert "is not open here any more" in refusal(desk, Session(), other, heard=1)
    undone = desk.act(Session(), {"nonce": "u", "kind": "undo"}).answer
    assert undone is not None
    assert undone.message == "study is closed."
    assert [event.score for event in LabelStore(settings).history(current.recording)] == [None, 12.0]
    assert LabelStore(settings).history(Index(settings).recording(other)) == ()


def test_no_recording_of_another_set_is_saved(settings: Settings, words: str, tiny_set: str) -> None:
    Index(settings).rebuild()
    key = Index(settings).recordings(tiny_set)[0].id
    assert "is not open here any more" in refusal(Labelling(settings, words, EVE), Session(), key)


def test_with_nothing_left_an_undo_says_so(settings: Settings, words: str) -> None:
    answer = Labelling(settings, words, EVE).act(Session(), {"nonce": "u", "kind": "undo"}).answer
    assert answer is not None
    assert (answer.ok, answer.message) == (False, "You have nothing left to undo here.")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"dimensions": {"score": "x"}}, "is no rating"), ({"dimensions": [5]}, "is no rating"),
        ({"dimensions": {"score": 10**400}}, "is no rating"), ({"heard": "x"}, "is no rating"),
        ({"kind": "decide"}, "is no rating"), ({"kind": ["rate"]}, "is no rating"),
        ({"notes": "\ud800"}, "is no rating"),
        ({"marks": [{"kind": "accent", "word": 0, "heard": "\ud800"}]}, "no rating"),
        ({"segments": [{"tier": "words", "start_s": 10**400, "end_s": 1}]}, "a time is a number"),
        ({"segments": [5]}, "a segment has the keys"), ({"marks": [5]}, "a mark has the keys"),
        ({"marks": 5}, "is no rating"), ({"marks": [{"kind": ["a"], "word": 0}]}, "is not a kind of mark"),
        ({"marks": [{"kind": "accent", "word": -5}]}, "counted from 0"),
        ({"marks": [{"kind": "accent", "word": 1}]}, "is on word 2, and the text has 1"),
        ({"rubric": "nothing@0"}, "nothing"),
    ],
)  # fmt: skip
def test_what_no_form_sends_is_refused_in_words(
    settings: Settings, words: str, sent: dict[str, Any], reason: str
) -> None:
    desk = Labelling(settings, words, Identity("Rex", frozenset(Role)))
    current = opened(desk, Session())
    assert reason in refusal(desk, Session(), current.recording.id, **sent)
    assert LabelStore(settings).history(current.recording) == ()
