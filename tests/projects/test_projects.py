"""People and roles, projects and their queues: who gets what, when, and what nobody may."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import artifacts
from pipeline.errors import AccessError, LabelError, ProjectError
from pipeline.labels.index import Index
from pipeline.labels.leases import LASTS_S, Leases
from pipeline.labels.store import LabelStore
from pipeline.people.access import Action, Identity, Role
from pipeline.people.people import People, Person
from pipeline.projects.order import order_of
from pipeline.projects.progress import progress_of
from pipeline.projects.project import Project, changes, damaged_projects, get_project, list_projects, save_project
from pipeline.projects.queue import EmptyQueue, Queue, QueueItem, visible_history
from pipeline.records import Purpose, RatingAction, RatingEvent
from pipeline.settings import Settings
from pipeline.times import now_iso
from tests.prepared import prepare

ADMIN = Identity("Ada", frozenset(Role))


def expert(name: str) -> Identity:
    return Identity(name, frozenset({Role.EXPERT}))


def rating(name: str, score: float = 80.0) -> RatingEvent:
    return RatingEvent(name, RatingAction.RATE, now_iso(), score=score)


def rate_all(
    queue: Queue, name: str, score: Callable[[QueueItem], float] = lambda _: 80.0, most: int = 1000
) -> list[QueueItem]:
    done = []
    while len(done) < most and isinstance(task := queue.next(), QueueItem):
        queue.save(task, rating(name, score(task)))
        done.append(task)
    return done


@pytest.fixture
def words(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The set `words`: 12 recordings nobody has rated."""
    prepare(make_words, tmp_path, tmp_path_factory.getbasetemp())
    return "words"


def make_words(settings: Settings, root: Path) -> None:
    import numpy as np
    import soundfile

    from pipeline.importing.importer import import_path

    for speaker in (1, 2):
        folder = root / "words" / f"participant_{speaker:03}" / "kelimeler"
        folder.mkdir(parents=True)
        for number, word in enumerate(("araba", "çiçek", "ev", "güneş", "kitap", "su"), start=1):
            tone = 0.4 * np.sin(np.arange(9600) * 0.05 * number)
            soundfile.write(folder / f"{number:02}_{word}.wav", tone, 16000)
    import_path(settings, root / "words", name="words")


def project_of(settings: Settings, set_name: str, **changed: object) -> Project:
    return save_project(settings, Project("study", set_name, **changed), ADMIN)  # type: ignore[arg-type]


def ids_of(settings: Settings) -> list[str]:
    return [recording.id for recording in Index(settings).recordings("words")]


def test_without_a_list_everybody_may_everything(settings: Settings) -> None:
    people = People(settings)
    assert people.is_open
    assert all(people.identify("  Zoë ").may(action) for action in Action)


def test_a_list_says_who_may_what(settings: Settings) -> None:
    people = People(settings)
    with pytest.raises(AccessError, match="active admin"):
        people.save(Person("Eve", (Role.EXPERT,)), ADMIN)
    people.save(Person("Ada", (Role.ADMIN,), "ada@lab.org"), ADMIN)
    people.save(Person("Eve", (Role.EXPERT,)), people.identify("Ada"))
    people.save(Person("Lea", (Role.LEARNER,)), people.identify("Ada"))
    eve = people.identify("eve")
    assert (eve.name, eve.may(Action.RATE), eve.may(Action.SEE_RATINGS)) == ("Eve", True, False)
    with pytest.raises(AccessError, match=r"Only experts can rate recordings\. Lea has the role learner"):
        people.identify("Lea").require(Action.RATE)
    with pytest.raises(AccessError, match="not on this installation's list"):
        people.identify("Mallory")
    with pytest.raises(AccessError, match="Only admins can change the list of people"):
        people.save(Person("Eve", (Role.ADMIN,)), eve)
    assert people.identify_by_email("ADA@lab.org").name == "Ada"
    assert [(c["by"], c["before"] is None, c["after"]["name"]) for c in people.changes()] == [
        ("Ada", True, "Ada"), ("Ada", True, "Eve"), ("Ada", True, "Lea"),
    ]  # fmt: skip
    with pytest.raises(AccessError):
        people.identify_by_email("eve@lab.org")


def test_names_and_addresses_are_told_apart(settings: Settings) -> None:
    people = People(settings)
    people.save(Person("Ada", (Role.ADMIN,), "ada@lab.org"), ADMIN)
    with pytest.raises(AccessError, match="looks like 'Ada'"):
        people.save(Person("ADA", (Role.EXPERT,)), ADMIN)
    with pytest.raises(AccessError, match="Ada has the address"):
        people.save(Person("Eve", (Role.EXPERT,), "Ada@lab.org"), ADMIN)
    for wrong in ({"roles": ()}, {"email": "nobody"}):
        with pytest.raises(AccessError):
            replace(Person("Eve", (Role.EXPERT,)), **wrong)
    people.save(Person("Eve", (Role.EXPERT,), active=False), ADMIN)
    with pytest.raises(AccessError, match="no longer active"):
        people.identify("Eve")
    (settings.data_root / "people.json").write_text("[{", encoding="utf-8")
    with pytest.raises(AccessError, match="damaged"):
        people.identify("Ada")


def test_a_project_is_checked_all_at_once(settings: Settings, words: str) -> None:
    with pytest.raises(ProjectError) as caught:
        Project("a b", words, overlap=0, order="best", deadline="soon", gold_every=3, max_spread=-1)
    for part in ("a name has", "overlap lies", "order is one of", "2026-12-31", "known answers", "max_spread lies"):
        assert part in str(caught.value)
    with pytest.raises(ProjectError, match="overlap 3 needs as many experts"):
        Project("x", words, overlap=3, experts=("a", "b"))
    with pytest.raises(ProjectError, match=r"words/none is not in the set.*Score must be between 0 and 100"):
        project_of(settings, words, gold={"words/none": {"score": 5.0}, ids_of(settings)[0]: {"score": 500.0}})
    with pytest.raises(AccessError, match="set up projects"):
        save_project(settings, Project("x", words), expert("Eve"))
    assert list_projects(settings) == []


def test_changes_of_a_project_are_kept(settings: Settings, words: str, tiny_set: str) -> None:
    project = project_of(settings, words)
    save_project(settings, replace(project, overlap=3), ADMIN)
    assert get_project(settings, "study").overlap == 3
    assert [(c["by"], c["changed"].get("overlap")) for c in changes(settings, "study")] == [
        ("Ada", [None, 1]), ("Ada", [1, 3]),
    ]  # fmt: skip
    rate_all(Queue(settings, project, expert("Eve")), "Eve", most=1)
    with pytest.raises(ProjectError, match="was rated on the set 'words' already"):
        save_project(settings, replace(project, set=tiny_set), ADMIN)


def test_two_experts_never_have_the_same_recording(settings: Settings, words: str) -> None:
    project = project_of(settings, words)
    first, second = (Queue(settings, project, expert(name)) for name in ("Eve", "Bob"))
    a, b = first.next(), second.next()
    assert isinstance(a, QueueItem)
    assert isinstance(b, QueueItem)
    assert a.recording.id != b.recording.id
    again = first.next()
    assert isinstance(again, QueueItem)
    assert again.lease.token == a.lease.token, "a reload must show the same recording"
    saved = first.save(a, rating("Eve"))
    event = saved.ratings[-1]
    assert (event.project, event.purpose, event.took_s) == ("study", Purpose.WORK, pytest.approx(0, abs=30))
    mine = rate_all(first, "Eve")
    waits = first.next()
    assert isinstance(waits, EmptyQueue)
    assert (waits.reason, len(mine)) == ("wait", 10)
    second.leave()
    assert [task.recording.id for task in rate_all(first, "Eve")] == [b.recording.id]
    assert first.next() == EmptyQueue("done")
    assert second.next() == EmptyQueue("done")


def test_as_many_experts_as_asked_for_rate_each(settings: Settings, words: str) -> None:
    project = project_of(settings, words, overlap=2)
    names = ("Eve", "Bob", "Cem")
    while any(rate_all(Queue(settings, project, expert(name)), name, most=3) for name in names):
        pass
    counts = Index(settings).rows("SELECT recording_id, count(*) AS n FROM ratings GROUP BY 1")
    assert [row["n"] for row in counts] == [2] * 12
    found = progress_of(settings, project)
    assert (found.items, found.finished, found.needed, found.done, found.at_work) == (12, 12, 24, 24, 0)


def test_what_others_have_begun_comes_first(settings: Settings, words: str) -> None:
    project = project_of(settings, words, overlap=3)
    for name in ("Eve", "Bob", "Cem"):
        rate_all(Queue(settings, project, expert(name)), name, most=5)
    found = progress_of(settings, project)
    assert (found.finished, found.done) == (5, 15)
    orders = [
        [row["recording_id"] for row in Index(settings).rows(
            "SELECT recording_id FROM events WHERE evaluator = ? ORDER BY at", [name])]
        for name in ("Eve", "Bob", "Cem")
    ]  # fmt: skip
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])
    assert orders[0] != orders[1], "each in an order of their own"


def test_ratings_that_lie_apart_bring_another_expert(settings: Settings, words: str) -> None:
    project = project_of(settings, words, overlap=2, max_spread=15.0, extra=1)
    apart = ids_of(settings)[3]
    for name, low in (("Eve", 40.0), ("Bob", 80.0)):
        rate_all(
            Queue(settings, project, expert(name)), name, lambda t, low=low: low if t.recording.id == apart else 80
        )
    third = rate_all(Queue(settings, project, expert("Cem")), "Cem")
    assert [task.recording.id for task in third] == [apart]
    assert Queue(settings, project, expert("Dan")).next() == EmptyQueue("done"), "one extra expert was allowed"


def test_a_reservation_ends_and_work_is_kept(settings: Settings, words: str) -> None:
    project = project_of(settings, words)
    clock = [1e9]
    slow = Queue(settings, project, expert("Eve"), lambda: clock[0])
    task = slow.next()
    assert isinstance(task, QueueItem)
    clock[0] += LASTS_S - 1
    assert slow.renew(task)
    clock[0] += LASTS_S + 1
    assert not slow.renew(task)
    other = Queue(settings, project, expert("Bob"), lambda: clock[0])
    assert task.recording.id in [t.recording.id for t in rate_all(other, "Bob")]
    saved = slow.save(task, rating("Eve", 60.0))
    assert {event.evaluator for event in saved.ratings} == {"Eve", "Bob"}


def test_a_clock_that_goes_back_keeps_nobody_waiting(settings: Settings, words: str) -> None:
    clock = [2e9]
    leases = Leases(settings, lambda: clock[0])
    lease = leases.claim("study", "Eve", [("words/x", Purpose.WORK)], lambda *_: True)
    assert lease is not None
    clock[0] -= 7200
    assert leases.held("study") == []
    assert leases.claim("study", "Bob", [("words/x", Purpose.WORK)], lambda *_: True) is not None
    recording = Index(settings)
    recording.ensure()
    store, one = LabelStore(settings), recording.recordings("words")[0]
    store.add(one, replace(rating("Eve", 50.0), at="2030-01-01T00:00:00.000+00:00"))
    store.add(one, rating("Eve", 70.0))
    assert store.history(one)[-1].at == "2030-01-01T00:00:00.001+00:00"
    ((_, last),) = recording.recent("words", "Eve", 5)
    assert last.score == 70.0


def test_new_experts_are_compared_with_known_answers_first(settings: Settings, words: str) -> None:
    known = {key: {"score": 75.0} for key in ids_of(settings)[:3]}
    project = project_of(settings, words, gold=known, calibration=2, gold_every=4)
    done = rate_all(Queue(settings, project, expert("Eve")), "Eve")
    purposes = [task.purpose for task in done]
    assert purposes[:2] == [Purpose.CALIBRATION] * 2
    assert purposes.count(Purpose.GOLD) == 1, "two of the three answers were shown in calibration"
    assert purposes.count(Purpose.WORK) == 9
    work = {task.recording.id for task in done if task.purpose is Purpose.WORK}
    assert not work & set(known)
    assert "Eve" not in LabelStore(settings).current(done[0].recording)


def test_a_repeat_is_blind_and_does_not_count_twice(settings: Settings, words: str) -> None:
    project = project_of(settings, words, repeat_every=12)
    done = rate_all(Queue(settings, project, expert("Eve")), "Eve", lambda t: 50.0 if t.purpose else 80.0)
    repeats = [task for task in done if task.purpose is Purpose.REPEAT]
    assert len(repeats) == 1
    again = repeats[0].recording
    assert again.id == done[0].recording.id
    assert LabelStore(settings).current(again)["Eve"].score == 80.0
    assert [e.score for e in LabelStore(settings).history(again)] == [80.0, 50.0]
    (newest, *_) = Index(settings).recent("words", "Eve", 1)
    assert newest[0].id == done[-1].recording.id


def test_nobody_but_the_projects_experts(settings: Settings, words: str) -> None:
    project = project_of(settings, words, experts=("Eve",))
    with pytest.raises(AccessError, match="Bob is not among the experts"):
        Queue(settings, project, expert("Bob"))
    with pytest.raises(AccessError, match="Only experts can rate"):
        Queue(settings, project, Identity("Lea", frozenset({Role.LEARNER})))
    queue = Queue(settings, project, expert("Eve"))
    task = queue.next()
    assert isinstance(task, QueueItem)
    with pytest.raises(AccessError, match="in the name of Bob"):
        queue.save(task, rating("Bob"))
    with pytest.raises(AccessError, match="is a reviewer's"):
        queue.save(task, replace(rating("Eve"), action=RatingAction.DECIDE))


def test_an_expert_sees_only_their_own(settings: Settings, words: str) -> None:
    project = project_of(settings, words, overlap=2)
    for name in ("Eve", "Bob"):
        rate_all(Queue(settings, project, expert(name)), name)
    recording = Index(settings).recordings("words")[0]
    assert {event.evaluator for event in visible_history(settings, expert("Eve"), recording)} == {"Eve"}
    assert {event.evaluator for event in visible_history(settings, ADMIN, recording)} == {"Eve", "Bob"}


def test_the_command_line_asks_who_asks(settings: Settings, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from pipeline.cli.main import main

    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    key = ids_of(settings)[0]

    def call(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["label", *arguments])
        return done.exit_code, done.output

    for name in ("Eve", "Bob"):
        assert call("rate", key, "--evaluator", name, "--score", "70")[0] == 0
    assert "Bob" in call("show", key)[1]
    for name, role in (("Ada", Role.ADMIN), ("Eve", Role.EXPERT)):
        People(settings).save(Person(name, (role,)), ADMIN)
    assert call("show", key)[0] == 1
    assert "Bob" not in call("show", key, "--as", "Eve")[1]
    assert "Bob" in call("show", key, "--as", "Ada")[1]
    code, text = call("rate", key, "--evaluator", "Ada", "--score", "1")
    assert (code, "Only experts can rate recordings. Ada has the role admin" in text) == (1, True)
    assert call("undo", key, "--evaluator", "Bob")[0] == 1


def test_a_recording_that_was_removed_meanwhile(settings: Settings, words: str, tmp_path: Path) -> None:
    from pipeline.importing.importer import import_path

    queue = Queue(settings, project_of(settings, words), expert("Eve"))
    task = queue.next()
    assert isinstance(task, QueueItem)
    (tmp_path / "words" / task.recording.path).unlink()
    import_path(settings, tmp_path / "words", name="words")
    with pytest.raises(LabelError, match="was taken out of the set meanwhile"):
        queue.save(task, rating("Eve"))
    following = queue.next()
    assert isinstance(following, QueueItem)
    assert following.recording.id != task.recording.id


def test_a_project_that_is_over_says_so(settings: Settings, words: str) -> None:
    for changed in ({"closed": True}, {"deadline": "2020-01-01"}):
        queue = Queue(settings, project_of(settings, words, **changed), expert("Eve"))
        assert queue.next() == EmptyQueue("over")


def test_orders_by_what_the_scorers_say(settings: Settings) -> None:
    folder = settings.predictions_root / "words"
    folder.mkdir(parents=True)
    ids = [f"words/{n}" for n in range(100)]
    for scorer, by in (("a", 0.0), ("b", 1.0)):
        lines = [{"recording_id": key, "overall": 50 + by * n, "confidence": n / 100} for n, key in enumerate(ids)]
        (folder / f"{scorer}.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\nbroken", encoding="utf-8")
    plain = Project("p", "words")
    assert order_of(settings, plain, "Eve", ids, "") != order_of(settings, plain, "Bob", ids, "")
    apart = order_of(settings, replace(plain, order="disagreement", random_share=0.0), "Eve", ids, "")
    assert apart == ids[::-1]
    unsure = order_of(settings, replace(plain, order="uncertainty", random_share=0.0), "Eve", ids, "")
    assert unsure == ids
    mixed = order_of(settings, replace(plain, order="disagreement", random_share=0.3), "Eve", ids, "")
    assert sorted(mixed) == sorted(ids)
    assert len(set(mixed[:30]) & set(apart[:40])) >= 15
    assert any(int(key.split("/")[1]) < 50 for key in mixed[:30]), "a share stays random"


@pytest.mark.parametrize(
    "change",
    [
        {"set": None}, {"part": [None]}, {"gold": {"a": 5}}, {"gold": []}, {"experts": [None]}, {"experts": "Ada"},
        {"title": "\ud800"}, {"overlap": "2"}, {"closed": None}, {"name": "other"}, {"deadline": 5},
    ],
    ids=str,
)  # fmt: skip
def test_a_project_whose_values_are_of_another_type_is_named_and_hides_none(
    settings: Settings, change: dict[str, Any]
) -> None:
    for name in ("damaged", "whole"):
        artifacts.write_json(settings.data_root / "projects" / name / "project.json", Project(name, "tiny"))
    file = settings.data_root / "projects" / "damaged" / "project.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **change}))
    assert [project.name for project in list_projects(settings)] == ["whole"]
    (problem,) = damaged_projects(settings)
    assert "is damaged" in problem.message
    with pytest.raises(ProjectError, match="is damaged"):
        get_project(settings, "damaged")
