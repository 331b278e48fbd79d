"""Who is given which recordings of a project: by name, by share, up to a quota; known answers chosen by hand; pace."""

from collections import Counter

import pytest

from pipeline.errors import LabelError, ProjectError
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.projects.assignment import Assignment
from pipeline.projects.known_answers import add_known_answers, assign, remove_known_answers
from pipeline.projects.pace import MIN_FOR_PACE, expert_paces, pace_of
from pipeline.projects.progress import progress_of
from pipeline.projects.project import Project, get_project
from pipeline.projects.queue import EmptyQueue, Queue, QueueItem
from pipeline.projects.review import ProjectReview
from pipeline.records import Purpose, RatingAction, RatingEvent
from pipeline.settings import Settings
from pipeline.times import now_iso
from tests.projects.test_projects import ADMIN, expert, ids_of, project_of, rate_all, rating, words

__all__ = ["words"]


def rated_by(settings: Settings, project: Project, name: str) -> list[str]:
    return [task.recording.id for task in rate_all(Queue(settings, project, expert(name)), name)]


def test_shares_divide_the_recordings_in_proportion_and_stay() -> None:
    project = Project("p", "s", overlap=1, shares={"Eve": 3, "Bob": 1})
    assignment = Assignment(project)
    people = {f"s/{n}": assignment.people_of(f"s/{n}") for n in range(4000)}
    counts = Counter(name for names in people.values() for name in names)
    assert counts["eve"] == pytest.approx(3000, abs=120)
    fewer = Assignment(Project("p", "s", overlap=1, shares={"eve": 3, "BOB": 1}))
    assert all(fewer.people_of(key) == names for key, names in people.items())
    assert all(
        len(Assignment(Project("p", "s", overlap=2, shares={"A": 1, "B": 1, "C": 5})).people_of(k)) == 2 for k in people
    )


def test_one_person_under_two_spellings_has_one_share() -> None:
    with pytest.raises(ProjectError, match="there is 1"):
        Project("p", "s", overlap=2, shares={"Eve": 1, "eve": 1})
    twice = Assignment(Project("p", "s", overlap=2, shares={"Eve": 1, "eve": 1, "Bob": 1}))
    assert {twice.people_of(f"s/{n}") for n in range(50)} == {frozenset({"eve", "bob"})}


def test_each_is_given_their_share_and_nothing_else(settings: Settings, words: str) -> None:
    project = project_of(settings, words, overlap=1, shares={"Eve": 1, "Bob": 1})
    assignment = Assignment(project)
    eves = [key for key in ids_of(settings) if "eve" in assignment.people_of(key)]
    assert 0 < len(eves) < 12
    queue = Queue(settings, project, expert("Eve"))
    assert queue.progress().left == len(eves)
    assert sorted(rated_by(settings, project, "Eve")) == sorted(eves)
    assert queue.next() == EmptyQueue("done")
    assert len(rated_by(settings, project, "Bob")) == 12 - len(eves)


def test_every_known_answer_that_comes_is_in_the_list_of_ones_own(settings: Settings, words: str) -> None:
    gold = {key: {"score": 75.0} for key in ids_of(settings)[:4]}
    project = project_of(settings, words, gold=gold, gold_every=2, shares={"Eve": 1, "Bob": 1})
    project = assign(settings, project, ids_of(settings)[:1], ["Bob"], ADMIN)
    tasks = rate_all(Queue(settings, project, expert("Eve")), "Eve")
    assert {task.purpose for task in tasks} == {Purpose.WORK, Purpose.GOLD}
    assert all(Assignment(project).is_theirs("Eve", task.recording.id) for task in tasks)


def test_recordings_given_by_name_are_theirs_and_the_rest_is_everybodys(settings: Settings, words: str) -> None:
    ids = ids_of(settings)
    project = assign(settings, project_of(settings, words, overlap=1), ids[:3], ["Eve"], ADMIN)
    bobs = rated_by(settings, project, "Bob")
    assert sorted(bobs) == ids[3:]
    assert sorted(rated_by(settings, project, "Eve")) == ids[:3]
    freed = assign(settings, project, ids[:3], [], ADMIN)
    assert freed.assigned == {}
    with pytest.raises(ProjectError, match="not in the set"):
        assign(settings, project, ["words/nowhere"], ["Eve"], ADMIN)


def test_a_further_rating_of_an_assigned_recording_is_open_to_others(settings: Settings, words: str) -> None:
    key = ids_of(settings)[0]
    project = assign(settings, project_of(settings, words, overlap=1), [key], ["Eve"], ADMIN)
    bob = Queue(settings, project, expert("Bob"))
    recording = Index(settings).recording(key)
    assert bob.progress().left == 11
    with pytest.raises(LabelError, match="not yours to rate now"):
        bob.open(recording)
    item = Queue(settings, project, expert("Eve")).open(recording)
    Queue(settings, project, expert("Eve")).save(item, RatingEvent("Eve", RatingAction.SKIP, now_iso(), reason="x"))
    assert bob.progress().left == 12
    assert bob.open(recording).recording.id == key, "Eve left it to others"
    bob.leave()
    ProjectReview(settings, project, ADMIN).request(key)
    assert bob.open(recording).recording.id == key


def test_a_quota_ends_the_queue_and_counts_down(settings: Settings, words: str) -> None:
    project = project_of(settings, words, overlap=2, quotas={"eve": 4})
    queue = Queue(settings, project, expert("Eve"))
    assert queue.progress().left == 4
    assert len(rated_by(settings, project, "Eve")) == 4
    assert queue.next() == EmptyQueue("quota")
    assert queue.progress().left == 0
    with pytest.raises(LabelError, match="as many ratings as you were asked for"):
        queue.open(Index(settings).recordings(words)[0])
    assert len(rated_by(settings, project, "Bob")) == 12


@pytest.mark.parametrize(
    "wrong",
    [
        {"shares": {"Eve": 0.0}}, {"shares": {"Eve": float("nan")}}, {"quotas": {"Eve": 0}},
        {"shares": {"Eve": 1.0}, "overlap": 2}, {"experts": ("Bob",), "quotas": {"Eve": 5}},
        {"gold": {"a": {"score": 1.0}}, "calibrate": ("b",)},
        {"gold": {"a": {"score": 1.0}}, "calibrate": ("a",), "gold_every": 3},
    ],
)  # fmt: skip
def test_refuses_plans_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ProjectError):
        Project("p", "s", **wrong)  # type: ignore[arg-type]


def test_a_plan_is_kept(settings: Settings, words: str) -> None:
    ids = ids_of(settings)
    saved = project_of(
        settings, words, assigned={"Eve": (ids[0],)}, shares={"Eve": 2.0, "Bob": 1.0}, quotas={"Bob": 7},
        gold={ids[1]: {"score": 50.0}}, calibrate=(ids[1],), calibration=1,
    )  # fmt: skip
    assert get_project(settings, "study") == saved


def test_decisions_and_medians_become_known_answers(settings: Settings, words: str) -> None:
    project = project_of(settings, words, overlap=3)
    scores = {"Eve": 60.0, "Bob": 70.0, "Cem": 95.0}
    first, second = ids_of(settings)[:2]
    for name, score in scores.items():
        queue = Queue(settings, project, expert(name))
        queue.save(queue.open(Index(settings).recording(first)), rating(name, score))
    with pytest.raises(ProjectError, match="Nobody has rated these yet"):
        add_known_answers(settings, project, [first, second], ADMIN)
    ProjectReview(settings, project, ADMIN).decide(second, {"score": 42.0})
    project = add_known_answers(settings, project, [first, second], ADMIN)
    assert project.gold == {first: {"score": 70.0}, second: {"score": 42.0}}
    project = add_known_answers(settings, project, [second], ADMIN, calibrate=True)
    assert project.calibrate == (second,)
    project = remove_known_answers(settings, project, [first, second], ADMIN)
    assert (project.gold, project.calibrate) == ({}, ())


def test_only_chosen_recordings_calibrate_and_they_never_come_silently(settings: Settings, words: str) -> None:
    ids = ids_of(settings)
    gold = {key: {"score": 50.0} for key in ids[:4]}
    project = project_of(settings, words, gold=gold, calibrate=(ids[0], ids[1]), calibration=2, gold_every=2)
    queue, met = Queue(settings, project, expert("Eve")), []
    while isinstance(item := queue.next(), QueueItem):
        met.append((item.purpose, item.recording.id))
        queue.save(item, rating("Eve"))
    assert {key for purpose, key in met if purpose is Purpose.CALIBRATION} == {ids[0], ids[1]}
    assert {key for purpose, key in met if purpose is Purpose.GOLD} == {ids[2], ids[3]}


def test_the_time_left_follows_the_measured_pace(settings: Settings, words: str) -> None:
    project = project_of(settings, words, overlap=1, quotas={"Eve": MIN_FOR_PACE + 2})
    clock = [1000.0]
    queue = Queue(settings, project, expert("Eve"), now=lambda: clock[0])
    for n in range(MIN_FOR_PACE):
        pace = pace_of(settings, project, progress_of(settings, project))
        assert (pace.median_s, pace.seconds_left) == (None, None), "not enough yet"
        item = queue.next()
        assert isinstance(item, QueueItem)
        clock[0] += 10 + n
        queue.save(item, rating("Eve"))
    pace = pace_of(settings, project, progress_of(settings, project))
    (eve,) = expert_paces(settings, project)
    assert (eve.rated, eve.left, eve.median_s, eve.seconds_left) == (MIN_FOR_PACE, 2, 12.0, 24.0)
    assert pace.seconds_left == (12 - MIN_FOR_PACE) * 12.0


def test_what_others_change_at_the_same_time_stays(settings: Settings, words: str) -> None:
    stale = project_of(settings, words, overlap=1)
    ids = ids_of(settings)
    for key in ids[:3]:
        assign(settings, stale, [key], ["Eve"], ADMIN)
    for key in ids[3:6]:
        LabelStore(settings).add(Index(settings).recording(key), rating("Bob", 70.0))
        add_known_answers(settings, stale, [key], ADMIN, calibrate=True)
    remove_known_answers(settings, stale, [ids[4]], ADMIN)
    project = get_project(settings, stale.name)
    assert project.assigned == {"Eve": tuple(ids[:3])}
    assert (set(project.gold), project.calibrate) == ({ids[3], ids[5]}, (ids[3], ids[5]))


def test_only_who_sets_up_projects_chooses_known_answers(settings: Settings, words: str) -> None:
    project = project_of(settings, words)
    for act in (add_known_answers, remove_known_answers):
        with pytest.raises(Exception, match="can set up projects"):
            act(settings, project, ids_of(settings)[:1], Identity("Eve", frozenset({Role.EXPERT, Role.RESEARCHER})))
