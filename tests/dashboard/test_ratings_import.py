"""Ratings imported on the Data page: how they were read is shown, and what is unknown is asked, before they are."""

import io
import json

from openpyxl import Workbook

from pipeline.corpus.sets import get_set, read_recordings, result_path
from pipeline.importing.importer import import_path
from pipeline.labels.index import Index
from pipeline.settings import Settings
from tests.pages import button, said


def upload(page, name: str, content: bytes):
    page.get("file_uploader")[-1].set_value((name, content, "application/octet-stream")).run()
    assert not page.exception
    return page


def scale(page):
    return next(box for box in page.selectbox if box.label == "Scale of the scores")


def ids(settings: Settings, set_name: str) -> list[str]:
    return [recording.id for recording in read_recordings(settings, set_name)]


def test_a_turkish_spreadsheet_is_read_and_how_is_shown(open_page, settings: Settings, tiny_set: str) -> None:
    key = ids(settings, tiny_set)[0]
    table = f"Kayıt;Değerlendirici;Puan;Tarih\r\n{key};Zeynep Işık;80,5;01.05.2024\r\n".encode("cp1254")
    page = upload(open_page("data", section="Import", set=tiny_set), "r.csv", table)
    (shown,) = [info.value for info in page.info if "Check how the file was read" in info.value]
    for part in (
        "Windows-1254",
        "semicolons",
        "Kayıt = recording",
        "“80,5” is read as 80.5",
        "day first",
        "2024-05-01",
    ):
        assert part in shown.replace("\\", ""), part
    assert "Zeynep Işık" not in Index(settings).evaluators()
    button(page, "Import ratings").click().run()
    assert "1 recording has new ratings" in page.success[-1].value
    (row,) = Index(settings).rows("SELECT * FROM ratings WHERE evaluator = 'Zeynep Işık'")
    assert (row["score"], row["at"]) == (80.5, "2024-05-01T00:00:00.000+00:00")


def test_stars_are_asked_for_their_scale_and_nameless_ratings_for_their_rater(
    open_page, settings: Settings, tiny_set: str
) -> None:
    stars = {"from_name": "score", "to_name": "audio", "type": "rating", "value": {"rating": 4}}
    task = {
        "data": {"recording_id": ids(settings, tiny_set)[0]},
        "annotations": [{"completed_by": None, "result": [stars]}],
    }
    page = upload(open_page("data", section="Import", set=tiny_set), "l.json", json.dumps([task]).encode())
    assert "names no rater" in said(page)
    assert "do not say how many stars" in page.warning[-1].value
    assert "Import ratings" not in [b.label for b in page.button]
    scale(page).set_value("5").run()
    next(field for field in page.text_input if "name none" in field.label).set_value("Zoë").run()
    assert not page.exception
    assert not page.warning
    button(page, "Import ratings").click().run()
    assert Index(settings).rows("SELECT score FROM ratings WHERE evaluator = 'Zoë'") == [{"score": 80.0}]


def test_low_scores_are_questioned_before_they_are_imported(open_page, settings: Settings, tiny_set: str) -> None:
    table = "recording_id,evaluator,score\n" + "".join(f"{key},Zoë,8\n" for key in ids(settings, tiny_set)[:3])
    page = upload(open_page("data", section="Import", set=tiny_set), "r.csv", table.encode())
    assert "All scores lie between 8 and 8" in page.warning[-1].value
    assert "Import ratings" not in [b.label for b in page.button]
    scale(page).set_value("10").run()
    button(page, "Import ratings").click().run()
    assert Index(settings).rows("SELECT DISTINCT score FROM ratings WHERE evaluator = 'Zoë'") == [{"score": 80.0}]


def test_one_of_several_sheets_is_asked_for(open_page, settings: Settings, tiny_set: str) -> None:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, score in (("May", 70), ("June", 90)):
        sheet = book.create_sheet(name)
        sheet.append(["Recording", "Rater", "Score"])
        sheet.append([ids(settings, tiny_set)[0], "Zoë", score])
    file = io.BytesIO()
    book.save(file)
    page = upload(open_page("data", section="Import", set=tiny_set), "r.xlsx", file.getvalue())
    assert "Several sheets" in said(page)
    next(box for box in page.selectbox if box.label == "Sheet").set_value("June").run()
    assert not page.exception
    button(page, "Import ratings").click().run()
    assert Index(settings).rows("SELECT score FROM ratings WHERE evaluator = 'Zoë'") == [{"score": 90.0}]


def test_a_file_that_is_no_table_is_told_in_words(open_page, tiny_set: str) -> None:
    page = upload(open_page("data", section="Import", set=tiny_set), "r.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600))
    assert "old Excel file" in page.error[-1].value


def test_the_scale_of_label_files_is_asked_among_the_problems(open_page, settings: Settings, tiny_set: str) -> None:
    set_ = get_set(settings, tiny_set)
    for recording in read_recordings(settings, tiny_set):
        label = {"word": recording.text, "score": 8.5, "labeled": True, "evaluator": "Zoë", "notes": ""}
        result_path(set_, recording).write_text(json.dumps(label), encoding="utf-8")
    import_path(settings, set_.root, name=tiny_set)
    page = open_page("data", section="Problems")
    assert not page.exception
    assert "24 label files are left out" in said(page)
    scale(page).set_value("10").run()
    button(page, "Apply scale").click().run()
    assert not page.exception
    assert set(Index(settings).consensus_scores(tiny_set)["score"]) == {85.0}
    assert "Scale of the scores" not in [box.label for box in page.selectbox]
