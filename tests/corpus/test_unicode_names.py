"""The same letters, composed or decomposed (as macOS and its archives write them), are the same name everywhere."""

import unicodedata
from pathlib import Path

import pytest

from pipeline import jsonl
from pipeline.corpus.references import mark, marked, references_to, unmark
from pipeline.corpus.sets import RESULT_SUFFIX, audio_path, get_set, read_recordings, result_path, spelled
from pipeline.errors import CorpusError
from pipeline.importing.importer import import_path
from pipeline.labels.exchange.incoming import apply, check, read_ratings
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.projects.project import Project, get_project, save_project
from pipeline.records import RatingAction, RatingEvent
from pipeline.settings import CHECKOUT, Settings

SPOKEN = CHECKOUT / "data" / "demo" / "references" / "masa.wav"
FORMS = ("NFC", "NFD")
ADMIN = Identity("Ada", frozenset(Role))
WORD = "çiğköfte"
AT = "2026-01-01T00:00:00.000+00:00"


def written(form: str, name: str) -> str:
    return unicodedata.normalize(form, name)


def rating(score: float) -> RatingEvent:
    return RatingEvent("Ayşe", RatingAction.RATE, AT, score)


def other(form: str) -> str:
    return "NFD" if form == "NFC" else "NFC"


@pytest.mark.parametrize("form", FORMS)
def test_a_manifest_over_files_that_are_spelled_otherwise(settings: Settings, tmp_path: Path, form: str) -> None:
    """As in an archive from macOS beside a manifest from elsewhere, and the other way round; folders too."""
    folder = tmp_path / "c" / written(other(form), "Öğrenci")
    folder.mkdir(parents=True)
    (folder / written(other(form), f"{WORD}.wav")).write_bytes(SPOKEN.read_bytes())
    row = {"audio": written(form, f"Öğrenci/{WORD}.wav"), "text": WORD, "speaker": "s"}
    jsonl.write(tmp_path / "c" / "manifest.jsonl", [row])
    report = import_path(settings, tmp_path / "c" / "manifest.jsonl", name="s")
    assert report.problems == ()
    (recording,) = read_recordings(settings, "s")
    assert recording.id == written("NFC", f"s/Öğrenci/{WORD}")
    assert audio_path(get_set(settings, "s"), recording).is_file()
    assert recording.report is not None
    assert recording.report.duration_s > 0


@pytest.mark.parametrize("form", FORMS)
def test_participants_folders_and_labels_beside_the_audio(settings: Settings, tmp_path: Path, form: str) -> None:
    words = tmp_path / "c" / written(form, "participant_Şule") / "kelimeler"
    words.mkdir(parents=True)
    (words / written(form, f"01_{WORD}.wav")).write_bytes(SPOKEN.read_bytes())
    import_path(settings, tmp_path / "c", name="s")
    (recording,) = read_recordings(settings, "s")
    assert (recording.speaker, recording.text) == (written("NFC", "participant_Şule"), written("NFC", WORD))
    LabelStore(settings).add(recording, rating(40.0))
    (label,) = words.glob(f"*{RESULT_SUFFIX}")
    label.rename(label.with_name(written(other(form), label.name)))
    assert result_path(get_set(settings, "s"), recording).is_file()
    index = Index(settings)
    assert index.rebuild().n_ratings == 1
    LabelStore(settings).add(recording, RatingEvent("Bob", RatingAction.RATE, AT, 60.0))
    assert len(list(words.glob(f"*{RESULT_SUFFIX}"))) == 1, "the second rating goes where the first lies"
    assert index.recording(written(other(form), recording.id)).id == recording.id


def test_files_that_were_copied_by_another_system_are_not_new(settings: Settings, tmp_path: Path) -> None:
    words = tmp_path / "c" / "participant_1" / "kelimeler"
    words.mkdir(parents=True)
    file = words / written("NFD", f"01_{WORD}.wav")
    file.write_bytes(SPOKEN.read_bytes())
    assert import_path(settings, tmp_path / "c", name="s").n_added == 1
    LabelStore(settings).add(read_recordings(settings, "s")[0], rating(40.0))
    file.rename(words / written("NFC", file.name))
    report = import_path(settings, tmp_path / "c", name="s")
    assert (report.n_recordings, report.n_added, report.n_labels) == (1, 0, 1)


@pytest.fixture
def known(settings: Settings, tmp_path: Path) -> str:
    words = tmp_path / "c" / "participant_1" / "kelimeler"
    words.mkdir(parents=True)
    (words / f"01_{written('NFC', WORD)}.wav").write_bytes(SPOKEN.read_bytes())
    import_path(settings, tmp_path / "c", name="s")
    return read_recordings(settings, "s")[0].id


@pytest.mark.parametrize("form", FORMS)
def test_ids_and_paths_in_a_table_of_ratings(settings: Settings, known: str, form: str) -> None:
    path = read_recordings(settings, "s")[0].path
    table = f"recording_id,evaluator,score\n{written(form, known)},Ayşe,40\n{written(form, path)},Bob,50\n"
    incoming = check(settings, "s", read_ratings(table.encode()).rows)
    assert (incoming.problems, incoming.n) == ((), 2)
    assert apply(settings, "s", incoming) == 1


@pytest.mark.parametrize("form", FORMS)
def test_references_and_known_answers(settings: Settings, known: str, form: str) -> None:
    recording = mark(settings, written(form, known), ADMIN)
    assert references_to(settings, written(form, WORD), recording.language)
    unmark(settings, written(form, known), ADMIN)
    assert marked(settings) == []
    save_project(settings, Project("p", "s", gold={written(form, known): {"score": 50.0}}, calibration=1), ADMIN)
    assert list(get_project(settings, "p").gold) == [known]


def test_a_name_that_leads_out_stays_out(tmp_path: Path) -> None:
    from pipeline.corpus.sets import confined

    (tmp_path / "root").mkdir()
    (tmp_path / "öteki").mkdir()
    (tmp_path / "root" / written("NFD", "ö")).symlink_to(tmp_path / "öteki")
    assert spelled(tmp_path / "root", "yok/ö.wav") == "yok/ö.wav"
    with pytest.raises(CorpusError, match="points outside"):
        confined(tmp_path / "root", written("NFC", "ö"))
