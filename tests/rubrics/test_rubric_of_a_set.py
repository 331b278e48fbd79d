"""A set names the rubric it is rated with: the desk, label files, exports, agreement and new projects keep to it."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dashboard.services.label import Labelling, OpenRecording, Session
from pipeline import artifacts, jsonl
from pipeline.corpus.set_rubric import rate_with
from pipeline.corpus.sets import get_set, read_recordings, registration
from pipeline.errors import AccessError, LabelError, UnknownNameError
from pipeline.importing.importer import import_path
from pipeline.labels.exchange.files import CONFIGURATION, label_studio_files
from pipeline.labels.exchange.incoming import check, read_ratings
from pipeline.labels.exchange.recordings import labels_of
from pipeline.labels.exchange.tables import table_rows, to_csv
from pipeline.labels.index import Index
from pipeline.labels.ratings_table import rubrics_of
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.projects.project import Project, rubric_of, save_project
from pipeline.projects.queue import Queue
from pipeline.records import RatingAction, RatingEvent, RubricName
from pipeline.rubrics import RUBRICS, Rubric
from pipeline.rubrics.files import dump
from pipeline.rubrics.library import RubricLibrary
from pipeline.settings import Settings
from tests.rubrics.clarity import clarity
from tests.rubrics.sentences import save_sentences

AT = "2026-01-01T10:00:00.000+00:00"
SENTENCE = {"accuracy": 5.0, "fluency": 5.0, "prosodic": 5.0, "total": 5.0}
LEAD = Identity("Lea", frozenset({Role.REVIEWER}))
EVE = Identity("Eve", frozenset({Role.EXPERT}))
ADMIN = Identity("Ada", frozenset(Role))


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Sentences, of which one is a word, and a rating of the first one from before."""
    settings, recordings = save_sentences(tmp_path, [RubricName.SENTENCE] * 3 + [RubricName.WORD])
    LabelStore(settings).add(recordings[0], RatingEvent("Eve", RatingAction.RATE, AT, dimensions=SENTENCE), EVE)
    yield settings


@pytest.fixture
def rubric(settings: Settings) -> Rubric:
    return RubricLibrary(settings).add(dump(clarity()))


def given(value: float) -> dict[str, float]:
    return {"sounds": value, "speed": value, "ease": value}


def rate(settings: Settings, rubric: Rubric, values: dict[str, float], recording_id: str) -> Session:
    """Eve rates a recording on the Label page, without a project."""
    desk = Labelling(settings, "s", EVE)
    session = desk.go_to(Session(), recording_id)
    action = {"nonce": "1", "kind": "rate", "item": recording_id, "heard": 1.0, "rubric": rubric.reference,
              "dimensions": values}  # fmt: skip
    return desk.act(session, action)


def test_the_desk_and_the_label_file_have_the_sets_rubric(settings: Settings, rubric: Rubric) -> None:
    desk = Labelling(settings, "s", EVE)
    before = desk.open_recording(desk.go_to(Session(), "s/1"))
    assert isinstance(before, OpenRecording)
    assert before.rubric == RUBRICS[RubricName.SENTENCE]
    rate_with(settings, "s", "clarity", LEAD)
    desk = Labelling(settings, "s", EVE)
    current = desk.open_recording(desk.go_to(Session(), "s/1"))
    assert isinstance(current, OpenRecording)
    assert current.rubric == rubric
    answer = rate(settings, rubric, given(3), current.recording.id).answer
    assert answer is not None
    assert answer.ok, answer.message
    (event,) = LabelStore(settings).history(current.recording)
    assert (event.rubric, event.score, event.dimensions) == (rubric.reference, 50.0, given(3))
    # A recording of a word among the sentences is rated as words are.
    word = desk.open_recording(desk.go_to(Session(), "s/3"))
    assert isinstance(word, OpenRecording)
    assert word.rubric == RUBRICS[RubricName.WORD]


def test_a_rating_that_was_given_keeps_its_rubric(settings: Settings, rubric: Rubric) -> None:
    before = json.loads((get_set(settings, "s").labels_root / "0_result.json").read_text())
    rate_with(settings, "s", "clarity", LEAD)
    desk = Labelling(settings, "s", EVE)
    earlier = desk.open_recording(desk.go_to(Session(), "s/0"))
    assert isinstance(earlier, OpenRecording)
    assert earlier.rubric == RUBRICS[RubricName.SENTENCE]
    assert earlier.rubric.values_of(earlier.previous) == SENTENCE  # type: ignore[arg-type]
    assert json.loads((get_set(settings, "s").labels_root / "0_result.json").read_text()) == before
    (row,) = (row for row in rows_of(settings) if row["recording_id"] == "s/0")
    assert (row["rubric"], row["accuracy"]) == (RUBRICS[RubricName.SENTENCE].reference, 5.0)


def test_a_form_that_was_open_with_another_rubric_is_not_saved(settings: Settings, rubric: Rubric) -> None:
    rate_with(settings, "s", "clarity", LEAD)
    answer = rate(settings, RUBRICS[RubricName.SENTENCE], SENTENCE, "s/1").answer
    assert answer is not None
    assert not answer.ok
    assert "another rubric now" in answer.message


def rows_of(settings: Settings) -> list[dict[str, object]]:
    return table_rows(labels_of(settings, "s"), "ratings")


def test_exports_agreement_and_imports_keep_to_it(settings: Settings, rubric: Rubric) -> None:
    rate_with(settings, "s", "clarity", LEAD)
    configuration = label_studio_files(settings, "s", labels_of(settings, "s"))[CONFIGURATION].decode()
    assert 'name="ease"' in configuration, "nobody has rated with it yet"
    assert 'name="accuracy"' in configuration
    labels, library = Index(settings).labels("s"), RubricLibrary(settings)
    assert [entry.name for entry in rubrics_of(labels, library, get_set(settings, "s"))] == ["sentence"]
    rate(settings, rubric, given(3), "s/1")
    LabelStore(settings).add(
        read_recordings(settings, "s")[2], RatingEvent("Eve", RatingAction.RATE, AT, dimensions=SENTENCE), EVE
    )
    labels = Index(settings).labels("s")
    used = rubrics_of(labels, library, get_set(settings, "s"))
    assert [entry.name for entry in used] == ["clarity", "sentence"], "the set's first, though another is used more"
    exported = to_csv(rows_of(settings))
    incoming = check(settings, "s", read_ratings(exported, rubrics=library.all()).rows)
    assert incoming.problems == ()
    assert {key: [e.rubric for e in events] for key, events in incoming.ratings.items()} == {
        "s/0": [RUBRICS[RubricName.SENTENCE].reference], "s/1": [rubric.reference],
        "s/2": [RUBRICS[RubricName.SENTENCE].reference],
    }  # fmt: skip


def test_projects_begin_with_it_and_keep_what_they_had(settings: Settings, rubric: Rubric) -> None:
    old = save_project(settings, Project("old", "s"), ADMIN)
    rate_with(settings, "s", "clarity", LEAD)
    assert rubric_of(settings, old) == RUBRICS[RubricName.SENTENCE]
    assert save_project(settings, Project("old", "s", title="Old"), ADMIN).rubric == ""
    new = save_project(settings, Project("new", "s"), ADMIN)
    assert new.rubric == "clarity"
    assert Queue(settings, new, EVE).rubric(read_recordings(settings, "s")[1]) == rubric
    usual = save_project(settings, Project("usual", "s", rubric="sentence"), ADMIN)
    assert rubric_of(settings, usual) == RUBRICS[RubricName.SENTENCE]
    rate_with(settings, "s", "", LEAD)
    assert rubric_of(settings, new) == rubric


@pytest.mark.usefixtures("rubric")
def test_only_who_may_set_up_projects_chooses_and_only_what_fits(settings: Settings) -> None:
    with pytest.raises(AccessError, match="Eve has the role expert"):
        rate_with(settings, "s", "clarity", EVE)
    with pytest.raises(LabelError, match="for recordings of a word"):
        rate_with(settings, "s", "word", LEAD)
    with pytest.raises(UnknownNameError, match="no rubric 'other'"):
        rate_with(settings, "s", "other", LEAD)
    assert get_set(settings, "s").rated_with == ""
    assert rate_with(settings, "s", "clarity", LEAD).rated_with == "clarity"
    assert rate_with(settings, "s", "sentence", LEAD).rated_with == ""


@pytest.mark.usefixtures("rubric")
def test_who_changed_it_and_when_is_kept(settings: Settings) -> None:
    for name in ("clarity", "clarity", "sentence"):
        rate_with(settings, "s", name, LEAD)
    changes = list(jsonl.read(registration(settings, "s") / "changes.jsonl"))
    assert [(row["by"], row["changed"]) for row in changes] == [
        ("Lea", {"rated_with": ["", "clarity"]}), ("Lea", {"rated_with": ["clarity", ""]}),
    ]  # fmt: skip
    assert all(datetime.fromisoformat(row["at"]).tzinfo for row in changes)


def test_a_deleted_rubric_is_told_with_what_to_do_and_stops_no_export(settings: Settings, rubric: Rubric) -> None:
    rate_with(settings, "s", "clarity", LEAD)
    project = save_project(settings, Project("p", "s", title="Second round"), ADMIN)
    (settings.data_root / "rubrics" / "clarity.yaml").unlink()
    with pytest.raises(UnknownNameError, match="The set s is rated with the rubric 'clarity', which has been deleted"):
        RubricLibrary(settings).of_set(get_set(settings, "s"))
    with pytest.raises(UnknownNameError, match="Second round is rated with the rubric 'clarity', which is not there"):
        rubric_of(settings, project)
    exported = label_studio_files(settings, "s", labels_of(settings, "s"))
    assert b'name="accuracy"' in exported[CONFIGURATION]
    RubricLibrary(settings).add(dump(clarity()))
    assert RubricLibrary(settings).of_set(get_set(settings, "s")) == rubric


def test_a_registration_from_before_is_rated_with_the_usual_one(settings: Settings) -> None:
    file = registration(settings, "s") / "set.json"
    raw = artifacts.read_json(file)
    del raw["rated_with"]
    artifacts.write_json(file, raw)
    assert RubricLibrary(settings).of_set(get_set(settings, "s")) == RUBRICS[RubricName.SENTENCE]


def test_importing_again_keeps_the_choice(settings: Settings, tmp_path: Path, rubric: Rubric) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    soundfile.write(corpus / "1.wav", np.zeros(16_000), 16_000)
    manifest = corpus / "manifest.jsonl"
    manifest.write_text('{"audio": "1.wav", "text": "a house"}\n')
    import_path(settings, manifest, name="again")
    rate_with(settings, "again", rubric.name, LEAD)
    import_path(settings, manifest, name="again")
    assert get_set(settings, "again").rated_with == "clarity"
    manifest.write_text('{"audio": "1.wav", "text": "house"}\n')  # words now: that rubric is for sentences
    import_path(settings, manifest, name="again")
    assert get_set(settings, "again").rated_with == ""
