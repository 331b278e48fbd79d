"""The Data page in its states: nothing there, a set, problems, import, export, removal."""

import shutil
import time
from pathlib import Path

import pytest

from pipeline.corpus.sets import get_set, list_sets, read_recordings, result_path
from pipeline.i18n import speaking
from pipeline.labels.index import Index
from pipeline.runs import RunDirectory, list_runs
from pipeline.settings import Settings
from tests.pages import button, said


def wait_for(run: RunDirectory, seconds: float = 60) -> str:
    deadline = time.monotonic() + seconds
    while run.state.status in ("queued", "running") and time.monotonic() < deadline:
        time.sleep(0.1)
    return run.state.status


def test_an_empty_installation_says_what_to_do_next(open_page) -> None:
    page = open_page("data")
    assert not page.exception
    assert "There are no recordings yet" in said(page)


def test_the_sets_and_their_coverage_are_shown(open_page, tiny_set: str) -> None:
    page = open_page("data")
    assert not page.exception
    row = page.dataframe[0].value.iloc[0]
    assert (row["Set"], row["Recordings"], row["Speakers"], row["Labelled"]) == ("tiny", 24, 4, 100)
    assert row["Labels"] == "experts"
    assert "Distribution of scores" in said(page)


def test_the_section_in_the_url_is_opened(open_page, tiny_set: str) -> None:
    page = open_page("data", section="Problems")
    assert not page.exception
    assert "There are no problems" in said(page)


def test_problems_can_be_searched(open_page, settings: Settings, tiny_set: str, tmp_path: Path) -> None:
    from pipeline.importing.importer import import_path

    folder = tmp_path / "tiny" / "participant_001" / "kelimeler"
    (folder / "07_bozuk.wav").write_bytes(b"no audio")
    (folder / "08_boş.wav").write_bytes(b"")
    import_path(settings, tmp_path / "tiny", name="tiny")
    page = open_page("data", section="Problems")
    assert len(page.dataframe[0].value) == 2
    assert set(page.dataframe[0].value["How serious"]) == {"Error"}, "not the word for strict raters"
    next(field for field in page.text_input if field.label == "Search path or message").set_value("boş").run()
    assert [Path(path).name for path in page.dataframe[0].value["Path"]] == ["08_boş.wav"]
    assert "Set" not in page.dataframe[0].value, "there is one"
    (tmp_path / "tiny").rename(tmp_path / "again")
    import_path(settings, tmp_path / "again", name="again")
    assert sorted(open_page("data", section="Problems").dataframe[0].value["Set"]) == ["again"] * 2 + ["tiny"] * 2


def test_the_table_of_problems_has_the_path_in_its_own_column_alone(
    open_page, settings: Settings, tiny_set: str
) -> None:
    set_ = get_set(settings, tiny_set)
    recording = read_recordings(settings, tiny_set)[0]
    result_path(set_, recording).write_text('{"word": "ev",\n"score" 5}', encoding="utf-8")
    Index(settings).rebuild()
    page = open_page("data", section="Problems")
    (row,) = page.dataframe[0].value.to_dict("records")
    assert row["Path"] == recording.id
    told = "The label file cannot be read: line 2, column 9: a colon is missing."
    assert row["Problem and what to do"] == told


def test_problems_are_told_and_searched_in_the_readers_language(
    open_page, settings: Settings, tiny_set: str, tmp_path: Path
) -> None:
    from pipeline.importing.importer import import_path

    folder = tmp_path / "tiny" / "participant_001" / "kelimeler"
    (folder / "07_bozuk.wav").write_bytes(b"no audio")
    (folder / "08_boş.wav").write_bytes(b"")
    import_path(settings, tmp_path / "tiny", name="tiny")
    page = open_page("data", section="Problems")
    page.selectbox(key="language").set_value("tr").run()
    told = list(page.dataframe[0].value["Sorun ve yapılacak iş"])
    assert "08_boş.wav boş (0 bayt). Yeniden kaydedin." in told
    assert len(told) == 2
    assert not [text for text in told if "cannot" in text or "Record it" in text]
    with speaking("tr"):  # the harness asks for the words of choices outside the session
        page.text_input[0].set_value("YENİDEN KAYDEDİN").run()
    assert [Path(path).name for path in page.dataframe[0].value["Yol"]] == ["08_boş.wav"]


def test_every_layout_is_offered(open_page) -> None:
    from pipeline.corpus.readers.catalogue import LAYOUTS

    page = open_page("data", section="Import")
    assert not page.exception
    assert len(page.selectbox[0].options) == 1 + len(list(LAYOUTS))


@pytest.mark.parametrize("path", ["", "relative/folder", "/no/such/folder"])
def test_a_bad_import_path_is_told_in_words_and_starts_nothing(open_page, settings: Settings, path: str) -> None:
    page = open_page("data", section="Import")
    page.text_input[0].set_value(path)
    button(page, "Import recordings").click().run()
    assert not page.exception
    assert len(page.error) == 1
    assert list_runs(settings.jobs_root) == []


def test_an_import_runs_in_the_background_and_is_watched(open_page, settings: Settings, tiny_set: str, tmp_path: Path):
    shutil.copytree(tmp_path / "tiny", tmp_path / "copy")
    page = open_page("data", section="Import")
    page.text_input[0].set_value(str(tmp_path / "copy"))
    page.text_input[1].set_value("again")
    button(page, "Import recordings").click().run()
    assert not page.exception
    (run,) = list_runs(settings.jobs_root)
    assert page.query_params["job"] == run.id
    assert wait_for(run) == "finished", run.log_tail()
    assert [set_.name for set_ in list_sets(settings)] == ["again", "tiny"]
    reloaded = open_page("data", section="Import", job=run.id)
    assert "import-copy" in said(reloaded)


def test_an_unknown_job_in_the_url_is_told_in_words(open_page, tiny_set: str) -> None:
    page = open_page("data", section="Import", job="../../etc")
    assert not page.exception
    assert "No run" in page.error[0].value


def test_the_index_is_rebuilt_on_request(open_page, settings: Settings, tiny_set: str) -> None:
    settings.index_path.unlink()
    page = open_page("data", section="Maintain")
    button(page, "Rebuild the index").click().run()
    assert not page.exception
    assert "1 set, 24 recordings, 48 ratings" in page.success[0].value


def test_removing_a_set_needs_a_second_answer_and_leaves_its_files(
    open_page, settings: Settings, tiny_set: str, tmp_path: Path
) -> None:
    page = open_page("data", section="Maintain")
    assert "Audio and labels stay where they are" in said(page)
    files = sorted((tmp_path / "tiny").rglob("*"))
    button(page, "Yes, remove it").click().run()
    assert not page.exception
    assert list_sets(settings) == []
    assert sorted((tmp_path / "tiny").rglob("*")) == files


def test_a_set_whose_ratings_were_all_undone_has_none_to_download(open_page, settings: Settings, tiny_set: str) -> None:
    from pipeline.labels.store import LabelStore
    from pipeline.records import RatingAction, RatingEvent

    set_, recordings = get_set(settings, tiny_set), read_recordings(settings, tiny_set)
    for recording in recordings:
        result_path(set_, recording).unlink(missing_ok=True)
    Index(settings).rebuild()
    store, recording = LabelStore(settings), recordings[0]
    store.add(recording, RatingEvent("ann", RatingAction.RATE, "2026-05-01T10:00:00.000+00:00", score=80.0))
    assert "There are no ratings" not in said(open_page("data", section="Export"))
    store.undo(recording, "ann")
    assert "There are no ratings" in said(open_page("data", section="Export"))


def test_exported_labels_are_those_of_the_set(open_page, settings: Settings, tiny_set: str) -> None:
    from dashboard.services import data
    from pipeline.corpus.sets import get_set, read_recordings, result_path
    from pipeline.csvfile import COMMA, DIALECTS
    from pipeline.labels.index import Index

    page = open_page("data", section="Export")
    assert not page.exception
    assert not page.warning
    assert [choice.value for choice in page.selectbox if choice.label == "CSV separator"] == ["comma"]
    lines = data.exported_labels("tiny", "csv", COMMA).decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + 48
    turkish = data.exported_labels("tiny", "csv", DIALECTS["semicolon"]).decode("utf-8-sig")
    assert turkish.startswith("recording_id;set;")
    assert len(data.exported_labels("tiny", "jsonl", COMMA).splitlines()) == 24
    for format_ in ("consensus", "xlsx", "label-studio", "textgrid"):
        assert data.exported_labels(tiny_set, format_, COMMA)
    result_path(get_set(settings, tiny_set), read_recordings(settings, tiny_set)[0]).write_text("[]")
    Index(settings).rebuild()
    told = open_page("data", section="Export").warning[0].value
    assert "1 label file cannot be read and is left out of every export" in told
    assert len(data.exported_labels("tiny", "csv", COMMA).decode("utf-8-sig").splitlines()) == 1 + 46


def test_ratings_from_elsewhere_are_checked_and_imported(open_page, settings: Settings, tiny_set: str) -> None:
    from dashboard.services import shared

    key = shared.index().recordings(tiny_set)[0].id
    table = f"recording_id,evaluator,score\n{key},Zoë,77\nnowhere,Zoë,77\n".encode()
    page = open_page("data", section="Import", set=tiny_set)
    page.get("file_uploader")[-1].set_value(("r.csv", table, "text/csv")).run()
    assert not page.exception
    assert "1 rating cannot be used" in page.warning[-1].value
    button(page, "Import ratings").click().run()
    assert "1 recording has new ratings" in page.success[-1].value
    assert "Zoë" in set(shared.index().labels(tiny_set)["evaluator"])


@pytest.mark.parametrize("damage", ["cut", "a list", "a folder", "gone", "null name"])
def test_a_set_that_is_damaged_is_named_and_breaks_no_page(
    open_page, settings: Settings, tiny_set: str, damage: str
) -> None:
    assert open_page("data").dataframe[0].value["Set"].tolist() == ["tiny"]
    file = settings.sets_root / tiny_set / "set.json"
    content = file.read_text(encoding="utf-8")
    if damage == "gone":
        shutil.rmtree(file.parent)
    elif damage == "a folder":
        file.unlink()
        file.mkdir()
    else:
        changed = {"cut": content[:-30], "a list": "[]", "null name": content.replace('"tiny"', "null", 1)}
        file.write_text(changed[damage], encoding="utf-8")
    page = open_page("data")
    assert not page.exception
    assert "cannot be read" in page.dataframe[0].value["Folder"].iloc[0]
    assert ("is damaged" in said(page)) is (damage != "gone")
    for section in ("Problems", "Import", "Export", "Maintain"):
        assert not open_page("data", section=section).exception
