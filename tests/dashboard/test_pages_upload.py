"""Files from a browser on the Data page: nothing there, sent, refused, imported, on a second visit, for others."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpus.sets import list_sets, read_recordings
from pipeline.importing.uploads import importing
from pipeline.importing.uploads.staging import begin, staged_uploads
from pipeline.people.access import Identity, Role
from pipeline.people.people import People, Person
from pipeline.runs import RunDirectory
from pipeline.settings import CHECKOUT, Settings
from tests.pages import button, said

WORDS = CHECKOUT / "data" / "demo" / "participant_01" / "kelimeler"
FILES = (("araba_ali.wav", "01_araba.wav"), ("kitap_ali.wav", "03_kitap.wav"), ("elma_ece.wav", "08_elma.wav"))


def sending(page: Any, *files: tuple[str, bytes]) -> Any:
    page.file_uploader[0].set_value([(name, content, "application/octet-stream") for name, content in files]).run()
    assert not page.exception
    return page


def words() -> list[tuple[str, bytes]]:
    return [(name, (WORDS / file).read_bytes()) for name, file in FILES]


@pytest.fixture
def page(open_page) -> Any:
    return open_page("data", section="Import")


def test_limits_are_told_before_files_are_chosen(page: Any) -> None:
    text = said(page)
    assert "at most 120 s and 100 MB each" in text and "a zip of at most 256 MB" in text
    assert "deleted after 14 days" in text
    assert "Not imported yet" not in text


def test_what_was_sent_is_looked_over_before_it_is_imported(page: Any, settings: Settings) -> None:
    sending(page, *words())
    text = said(page)
    assert "**3 recordings** (3 wav)" in text
    assert button(page, "Import 3 recordings").disabled  # without a name
    names = next(box for box in page.selectbox if box.label == "Names of the files")
    assert names.value == "word_speaker"
    names.set_value("none").run()
    assert "3 recordings have no text and are left out" in said(page)
    assert list_sets(settings) == []


def test_streamlit_keeps_nothing_of_it_in_memory(page: Any) -> None:
    sending(page, *words())
    assert page.file_uploader[0].value == []


def test_refused_files_are_listed_with_the_reason(page: Any) -> None:
    sending(page, *words(), ("broken.wav", b"no sound"), ("a.pdf", b"%PDF"), ("b*c*.pdf", b"%PDF"))
    text = said(page)
    assert "- **broken.wav** broken.wav cannot be read" in text
    assert "- **a.pdf, b\\*c\\*.pdf** Files of this kind are not used" in text
    assert "3 files refused" in text
    assert page.expander[0].label == "Not usable: 3"


def test_a_second_drop_adds_and_the_same_files_are_not_taken_twice(page: Any) -> None:
    first, *others = words()
    sending(page, first)
    sending(page, first, *others)
    assert "**3 recordings**" in said(page)
    assert [toast.value for toast in page.toast] == ["1 file was here already.", "2 files received."]


def test_a_second_visit_offers_to_continue_or_to_discard(open_page, page: Any, settings: Settings) -> None:
    sending(page, *words())
    later = open_page("data", section="Import")
    assert "Not imported yet" in said(later) and "**3 recordings**" not in said(later)
    button(later, "Continue").click().run()
    assert "**3 recordings**" in said(later)
    button(later, "Yes, discard them").click().run()
    assert not later.exception and staged_uploads(settings, None) == []
    assert "upload" not in later.query_params


def test_the_reviewed_files_become_a_set(page: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(_settings: Settings, *, argv: list[str], root: Path, kind: str, name: str, config: object, by: object):
        from pipeline.importing.importer import import_path
        from pipeline.records import to_json

        run = RunDirectory.create(root, kind=kind, name=name, config=config, seed=None, executor="local")
        with run.start() as writer:
            report = import_path(settings, Path(argv[2]), name=argv[4], fmt=argv[1])
            writer.update(result=to_json(report))
        return run

    monkeypatch.setattr(importing, "launch", at_once)
    sending(page, *words())
    next(box for box in page.selectbox if box.label == "Language").set_value("tr").run()
    next(field for field in page.text_input if field.key and field.key.startswith("upload-name")).set_value("7b").run()
    button(page, "Import 3 recordings").click().run()
    assert not page.exception
    assert "**7b**: 3 recordings, 2 speakers, 0 problems" in said(page)
    assert [(one.text, one.speaker, one.language) for one in read_recordings(settings, "7b")] == [
        ("araba", "ali", "tr"), ("elma", "ece", "tr"), ("kitap", "ali", "tr"),
    ]  # fmt: skip
    assert staged_uploads(settings, None) == []


def test_an_import_that_was_stopped_can_be_resumed(open_page, settings: Settings) -> None:
    staging = begin(settings, None)
    run = RunDirectory.create(settings.jobs_root, kind="import", name="x", config={}, seed=None, executor="local")
    run.close("stopped")
    staging.change(set="7b", source="manifest/x.jsonl", run=run.id)
    page = open_page("data", section="Import", upload=staging.upload.id)
    assert "The import of 7b was not finished. 0 recordings are in the set." in said(page)
    assert button(page, "Resume")


def test_files_that_were_received_and_not_checked_are_checked_on_the_next_visit(open_page, settings: Settings) -> None:
    staging = begin(settings, None)
    staging.receive(words())
    page = open_page("data", section="Import", upload=staging.upload.id)
    assert "**3 recordings**" in said(page)


@pytest.mark.parametrize("upload", ["../../etc", "0" * 16])
def test_an_unknown_upload_in_the_address_is_left_out(open_page, upload: str) -> None:
    page = open_page("data", section="Import", upload=upload)
    assert not page.exception and "upload" not in page.query_params


@pytest.mark.parametrize(("name", "sees"), [("Rita", True), ("Ada", False), ("Eve", False), (None, False)])
def test_an_upload_is_shown_to_whoever_sent_it(open_page, settings: Settings, name: str | None, sees: bool) -> None:
    roles = {"Ada": Role.ADMIN, "Rita": Role.REVIEWER, "Eve": Role.EXPERT}
    for who, role in roles.items():
        People(settings).save(Person(who, (role,)), Identity("Ada", frozenset(Role)))
    staging = begin(settings, People(settings).identify("Rita"))
    staging.receive(words())
    person = {} if name is None else {"rater": name}
    page = open_page("data", section="Import", upload=staging.upload.id, **person)
    assert not page.exception
    assert ("**3 recordings**" in said(page)) is sees
    assert json.loads((staging.folder / "upload.json").read_text())["by"] == "Rita"
