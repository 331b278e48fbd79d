"""A rubric of an installation's own from the form to agreement, consensus, exports and back."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.services.label import Labelling, OpenRecording, Session
from pipeline.corpus.sets import get_set, read_recordings
from pipeline.errors import LabelError, ProjectError
from pipeline.labels.exchange.files import label_studio_files, write_textgrids
from pipeline.labels.exchange.incoming import check, read_ratings
from pipeline.labels.exchange.recordings import labels_of
from pipeline.labels.exchange.tables import table_rows, to_csv
from pipeline.labels.exchange.textgrid import read_textgrids
from pipeline.labels.index import Index
from pipeline.labels.ratings_table import of_frame, rubrics_of
from pipeline.labels.result_file import event_from_json, event_to_json
from pipeline.labels.scale import Scale
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.projects.calibration import calibration_results
from pipeline.projects.known_answers import add_known_answers
from pipeline.projects.project import Project, get_project, save_project
from pipeline.projects.queue import Queue, QueueItem
from pipeline.projects.review import ProjectReview
from pipeline.records import Purpose, RatingAction, RatingEvent, Recording, RubricName
from pipeline.rubrics import RUBRICS, Rubric
from pipeline.rubrics.files import dump
from pipeline.rubrics.library import RubricLibrary
from pipeline.settings import Settings
from tests.rubrics.clarity import clarity
from tests.rubrics.sentences import save_sentences

AT = "2026-01-01T10:00:00.000+00:00"
SENTENCE = {"accuracy": 5.0, "fluency": 5.0, "prosodic": 5.0, "total": 5.0}


def person(name: str, *roles: Role) -> Identity:
    return Identity(name, frozenset(roles or (Role.EXPERT,)))


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    yield save_sentences(tmp_path, [RubricName.SENTENCE] * 6)[0]


@pytest.fixture
def rubric(settings: Settings) -> Rubric:
    return RubricLibrary(settings).add(dump(clarity()))


@pytest.fixture
def project(settings: Settings, rubric: Rubric) -> Project:
    admin = person("Root", Role.ADMIN, Role.EXPERT)
    return save_project(settings, Project("p", "s", rubric="clarity", overlap=2), admin)


def given(sounds: float, speed: float, ease: float) -> dict[str, float]:
    return {"sounds": sounds, "speed": speed, "ease": ease}


def rated(settings: Settings, project: Project, name: str, *values: float) -> list[Recording]:
    """The recordings in the order of `values`, each rated by this expert with one value for all dimensions."""
    for recording, value in zip(read_recordings(settings, "s"), values, strict=False):
        event = RatingEvent(name, RatingAction.RATE, AT, dimensions=given(value, value, value), project=project.name)
        reference = RubricLibrary(settings).get("clarity").reference
        LabelStore(settings).add(recording, replace(event, rubric=reference), person(name))
    return read_recordings(settings, "s")


def test_the_form_has_the_projects_rubric_and_the_rating_its_version(
    settings: Settings, project: Project, rubric: Rubric
) -> None:
    eve = person("Eve")
    desk = Labelling(settings, "s", eve, project)
    current = desk.open_recording(Session())
    assert isinstance(current, OpenRecording)
    assert current.rubric.reference == rubric.reference
    action = {"nonce": "1", "kind": "rate", "item": current.recording.id, "heard": 1.0, "rubric": rubric.reference,
              "dimensions": given(5, 4, 3)}  # fmt: skip
    session = desk.act(Session(item=current.item), action)
    assert session.answer is not None
    assert session.answer.ok, session.answer.message
    (event,) = LabelStore(settings).history(current.recording)
    assert (event.rubric, event.score, event.dimensions) == (rubric.reference, 75.0, given(5, 4, 3))
    assert event_from_json(event_to_json(event)) == event
    again = desk.open_recording(replace(session, place=1))
    assert isinstance(again, OpenRecording)
    assert again.rubric.values_of(event) == given(5, 4, 3)


def test_an_earlier_rating_is_changed_with_its_own_version(
    settings: Settings, project: Project, rubric: Rubric
) -> None:
    (recording, *_others) = rated(settings, project, "Eve", 3)
    newer = RubricLibrary(settings).add(dump(clarity(title="Newer")))
    desk = Labelling(settings, "s", person("Eve"), project)
    current = desk.open_recording(Session(place=1))
    assert isinstance(current, OpenRecording)
    assert (current.recording.id, current.rubric.reference) == (recording.id, rubric.reference)
    fresh = desk.open_recording(Session())
    assert isinstance(fresh, OpenRecording)
    assert fresh.rubric.reference == newer.reference


def test_a_form_of_another_rubric_is_not_saved(settings: Settings, project: Project) -> None:
    queue = Queue(settings, project, person("Eve"))
    item = queue.next()
    assert isinstance(item, QueueItem)
    with pytest.raises(LabelError, match="another rubric now"):
        event = RatingEvent("Eve", RatingAction.RATE, AT, dimensions=SENTENCE)
        queue.save(item, replace(event, rubric=RUBRICS[RubricName.SENTENCE].reference))
    with pytest.raises(LabelError, match="sounds, speed, ease"):
        queue.save(item, RatingEvent("Eve", RatingAction.RATE, AT, dimensions=SENTENCE))


def test_a_project_needs_a_rubric_of_its_unit_and_keeps_it_once_rated(
    settings: Settings, project: Project, rubric: Rubric
) -> None:
    admin = person("Root", Role.ADMIN)
    with pytest.raises(LabelError, match="for recordings of a word"):
        save_project(settings, replace(project, name="q", rubric="word"), admin)
    save_project(settings, replace(project, gold={"s/0": given(1, 2, 3)}), admin)
    with pytest.raises(ProjectError, match=r"known answers or assignments cannot be used: .*sounds, speed, ease\.$"):
        save_project(settings, replace(project, gold={"s/0": SENTENCE}), admin)
    rated(settings, project, "Eve", 3)
    with pytest.raises(ProjectError, match="rated with another rubric already"):
        save_project(settings, replace(get_project(settings, "p"), gold={}, rubric=""), admin)


def test_agreement_and_consensus_are_of_its_dimensions(settings: Settings, project: Project, rubric: Rubric) -> None:
    rated(settings, project, "Eve", 1, 2, 3, 4, 5)
    rated(settings, project, "Bob", 1, 2, 3, 4, 4)
    store = LabelStore(settings)
    store.add(read_recordings(settings, "s")[5], RatingEvent("Eve", RatingAction.RATE, AT, dimensions=SENTENCE))
    review = ProjectReview(settings, project, person("Rita", Role.REVIEWER))
    table = review.ratings()
    assert list(table.dimensions) == ["sounds", "speed", "ease"]
    assert table.bands["sounds"] == (1, 2, 4)
    assert table.agreement("sounds").n == 5
    assert len(table.ids) == 5, "a rating with the sentence rubric is none of these"
    assert review.consensus("median")["sounds"].tolist() == [1, 2, 3, 4, 4.5]
    review.decide("s/4", given(2, 2, 2))
    assert review.consensus("median")["sounds"].tolist() == [1, 2, 3, 4, 2]
    labels = Index(settings).labels("s")
    library = RubricLibrary(settings)
    used = rubrics_of(labels, library, get_set(settings, "s"))
    assert [entry.name for entry in used] == ["clarity", "sentence"]
    assert list(of_frame(labels, used[1], library).dimensions) == list(SENTENCE)


def test_versions_on_other_scales_are_brought_together(settings: Settings, project: Project, rubric: Rubric) -> None:
    rated(settings, project, "Eve", 1, 3, 5)
    levels = [{"low": 0, "label": "Any", "meaning": "any"}]
    wide = [{**entry, "low": 0, "high": 10, "levels": levels} for entry in rubric.content()["dimensions"]]
    RubricLibrary(settings).add(dump(clarity(dimensions=wide)))
    rated(settings, project, "Bob", 0, 5, 10)
    table = ProjectReview(settings, project, person("Rita", Role.REVIEWER)).ratings()
    assert table.raters == ("Bob", "Eve")
    assert table.dimensions["sounds"].tolist() == [[0, 0], [5, 5], [10, 10]]


def test_known_answers_move_to_the_scales_of_a_newer_version(
    settings: Settings, project: Project, rubric: Rubric
) -> None:
    admin, bob = person("Root", Role.ADMIN, Role.REVIEWER), person("Bob")
    first, second, _third, fourth = rated(settings, project, "Eve", 5, 1)[:4]
    ProjectReview(settings, project, admin).decide(first.id, given(1, 3, 5))
    levels = [{"low": 0, "label": "Any", "meaning": "any"}]
    wide = [{**entry, "low": 0, "high": 10, "levels": levels} for entry in rubric.content()["dimensions"]]
    RubricLibrary(settings).add(dump(clarity(dimensions=wide)))
    project = add_known_answers(settings, project, [first.id, second.id], admin)
    assert project.gold == {first.id: given(0, 5, 10), second.id: given(0, 0, 0)}
    project = save_project(
        settings, replace(project, gold={**project.gold, fourth.id: given(9, 9, 9)}, calibration=1), admin
    )
    RubricLibrary(settings).add(dump(rubric))  # narrower: no answer above 5, or below 1, lies on it
    event = RatingEvent("Bob", RatingAction.RATE, AT, dimensions=given(5, 5, 5), project="p",
                        purpose=Purpose.CALIBRATION, rubric=rubric.reference)  # fmt: skip
    LabelStore(settings).add(fourth, event, bob)
    assert calibration_results(settings, project, bob) == []
    assert [quality.name for quality in ProjectReview(settings, project, admin).quality()] == ["Bob", "Eve"]
    with pytest.raises(ProjectError, match="must be between 1 and 5"):
        save_project(settings, project, admin)


def test_ratings_leave_and_come_back_with_their_rubric(
    settings: Settings, project: Project, rubric: Rubric, tmp_path: Path
) -> None:
    rated(settings, project, "Eve", 1, 3)
    LabelStore(settings).add(
        read_recordings(settings, "s")[2], RatingEvent("Eve", RatingAction.RATE, AT, dimensions=SENTENCE)
    )
    for recording in read_recordings(settings, "s"):
        (get_set(settings, "s").root / recording.path).touch()
    labels = labels_of(settings, "s")
    rubrics = RubricLibrary(settings).all()
    tasks, configuration = label_studio_files(settings, "s", labels).values()
    assert all(f'name="{name}"' in configuration.decode() for name in ("sounds", "total", "rubric"))
    write_textgrids(tmp_path / "grids", labels)
    for rows in (
        read_ratings(to_csv(table_rows(labels, "ratings")), rubrics=rubrics).rows,
        read_ratings(tasks, rubrics=rubrics).rows,
        read_textgrids(tmp_path / "grids"),
    ):
        incoming = check(settings, "s", rows)
        assert incoming.problems == ()
        assert incoming.scale_question is None
        back = {key: events[0] for key, events in incoming.ratings.items()}
        assert [back[f"s/{n}"].dimensions for n in range(3)] == [given(1, 1, 1), given(3, 3, 3), SENTENCE]
        assert [back[f"s/{n}"].rubric.partition("@")[0] for n in range(3)] == ["clarity", "clarity", "sentence"]


def test_a_table_from_elsewhere_is_read_with_a_rubric_and_a_scale(settings: Settings, rubric: Rubric) -> None:
    table = "recording_id,evaluator,sounds,Speed,ease\ns/0,Eve,0,50,100\n"
    rows = read_ratings(table.encode(), rubrics=[rubric]).rows
    incoming = check(settings, "s", rows, scale=Scale(0, 100), rubric="clarity")
    assert incoming.problems == ()
    assert incoming.ratings["s/0"][0].dimensions == given(1, 3, 5)
    (problem,) = check(settings, "s", rows, rubric="clarity").problems
    assert "0 is off the scale of 1 to 5" in problem


def test_dimensions_of_another_rubric_do_not_train_the_sentence_scorer(settings: Settings, project: Project) -> None:
    from pipeline.labels.corpus_source import of_set

    alike = [{**entry, "key": key} for entry, key in zip(clarity().content()["dimensions"] * 2, SENTENCE, strict=False)]
    rubric = RubricLibrary(settings).add(dump(clarity(name="alike", dimensions=alike, keys={})))
    event = RatingEvent("Eve", RatingAction.RATE, AT, dimensions=dict.fromkeys(SENTENCE, 5.0), rubric=rubric.reference)
    LabelStore(settings).add(read_recordings(settings, "s")[0], event)
    item = of_set(settings, "s").items[0]
    assert (item.experts, item.score) == ({}, 100.0)


def test_a_reassigned_recording_goes_to_the_chosen_expert_alone(settings: Settings, project: Project) -> None:
    queues = {name: Queue(settings, project, person(name)) for name in ("Eve", "Bob", "Ann")}
    first = queues["Eve"].next()
    assert isinstance(first, QueueItem)
    key = first.recording.id
    queues["Eve"].save(first, RatingEvent("Eve", RatingAction.FLAG, AT, reason="Too noisy"))
    review = ProjectReview(settings, project, person("Rita", Role.REVIEWER))
    assert [entry.recording.id for entry in review.set_aside()] == [key]
    review.reassign(key, ["Bob"])
    assert review.set_aside() == []
    assert [event.experts for event in review.history(key)] == [(), ("Bob",)]

    def rate_all(name: str) -> list[str]:
        done: list[str] = []
        while isinstance(item := queues[name].next(), QueueItem):
            queues[name].save(item, RatingEvent(name, RatingAction.RATE, AT, dimensions=given(3, 3, 3)))
            done.append(item.recording.id)
        return done

    assert key not in rate_all("Ann")
    assert queues["Bob"].progress().left == 6
    assert queues["Eve"].progress().left == 5
    assert key in rate_all("Bob")
    assert key not in rate_all("Eve")
    before = Index(settings).rows("SELECT * FROM recordings ORDER BY id")
    Index(settings).rebuild()
    assert Index(settings).rows("SELECT * FROM recordings ORDER BY id") == before
    review.undo(key)
    assert [entry.recording.id for entry in review.set_aside()] == [key]


def test_nobody_outside_a_project_is_given_its_recordings(settings: Settings, project: Project) -> None:
    closed = save_project(settings, replace(project, experts=("Eve", "Bob")), person("Root", Role.ADMIN))
    review = ProjectReview(settings, closed, person("Rita", Role.REVIEWER))
    assert review.experts() == ["Bob", "Eve"]
    with pytest.raises(ProjectError, match="Ann is not among the experts"):
        review.reassign("s/0", ["Ann"])
    with pytest.raises(LabelError, match="Choose whom"):
        review.reassign("s/0", [])


@pytest.mark.parametrize("changed", [{}, {"gold_every": 2}, {"repeat_every": 12}, {"calibration": 2, "gold_every": 3}])
def test_what_is_fetched_ahead_is_what_comes(settings: Settings, project: Project, changed: dict[str, int]) -> None:
    """For somebody who rates alone, whatever the items are; and nothing is reserved by it."""
    gold = {f"s/{n}": given(3, 3, 3) for n in range(3)} if changed else {}
    project = replace(project, gold=gold, **changed)
    queue = Queue(settings, project, person("Eve"))
    item = queue.next()
    n = 0
    while isinstance(item, QueueItem):
        expected = queue.peek(item)
        assert queue.next() == item
        queue.save(item, RatingEvent("Eve", RatingAction.RATE, AT, dimensions=given(3, 3, 3)))
        item = queue.next()
        assert (None if expected is None else expected.id) == (
            item.recording.id if isinstance(item, QueueItem) else None
        )
        n += 1
    assert n >= 3


def test_what_another_expert_has_open_is_not_fetched_ahead(settings: Settings, project: Project) -> None:
    eve, bob = Queue(settings, project, person("Eve")), Queue(settings, project, person("Bob"))
    mine = eve.next()
    assert isinstance(mine, QueueItem)
    ahead = eve.peek(mine)
    assert ahead is not None
    while isinstance(item := bob.next(), QueueItem) and item.recording.id != ahead.id:
        bob.save(item, RatingEvent("Bob", RatingAction.SKIP, AT, reason="no"))
    other = eve.peek(mine)
    assert other is None or other.id != ahead.id


def test_a_rating_without_a_version_is_the_shipped_ones(settings: Settings) -> None:
    recording = read_recordings(settings, "s")[0]
    LabelStore(settings).add(recording, RatingEvent("Eve", RatingAction.RATE, AT, dimensions=SENTENCE))
    path = next((get_set(settings, "s").labels_root).glob("*_result.json"))
    raw = json.loads(path.read_text())
    assert raw["ratings"][0].pop("rubric") == RUBRICS[RubricName.SENTENCE].reference
    path.write_text(json.dumps(raw))
    (event,) = LabelStore(settings).history(recording)
    assert RubricLibrary(settings).of_event(event, RubricName.SENTENCE) == RUBRICS[RubricName.SENTENCE]
