"""The Practise page for who comes back: name and PIN, place, path and drills, classes."""

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.people.access import Identity
from pipeline.people.people import EVERY_ROLE
from pipeline.practice.attempts import read_attempts
from pipeline.practice.classes import Share, classes_of, join
from pipeline.practice.consent import Keep, give_consent
from pipeline.practice.contrasts import contrast_of
from pipeline.practice.memory import Memory, remember, remembered
from pipeline.practice.pair_scoring import PairHeard
from pipeline.practice.pin import set_pin
from pipeline.practice.review import reviews
from pipeline.settings import Settings
from tests.dashboard.test_pages_practice import SAID, headings, record
from tests.pages import button, said

Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.practice.pin.COST", 2)


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What this browser keeps."""
    cookies: dict[str, str] = {}
    monkeypatch.setattr("dashboard.components.browser.kept", lambda name: cookies.get(name, ""))

    def keep(values: dict[str, tuple[str, int]]) -> None:
        cookies.update({name: value for name, (value, _lasts_s) in values.items()})

    monkeypatch.setattr("dashboard.components.browser.keep", keep)
    return cookies


def test_a_learner_goes_on_where_they_stopped(open_page: Open, settings: Settings, browser: dict[str, str]) -> None:
    give_consent(settings, "Deniz", Keep.SCORES)
    page = open_page("practice", learner="DENİZ", lesson="en-th", text="sink")
    page.button(key="practice-next").click().run()
    stopped = remembered(settings, "Deniz")
    assert stopped.lesson == "en-th"
    assert browser["pronlab-learner"] == "Deniz", "spelled as it was first"
    again = open_page("practice")
    assert stopped.text in headings(again)
    assert again.text_input(key="learner").value == "Deniz"
    linked = open_page("practice", lesson="tr-vowels", text="göl")
    assert "göl" in headings(linked), "a link goes before"


def test_a_name_with_a_pin_opens_nothing_until_it_is_given(
    open_page: Open, settings: Settings, browser: dict[str, str]
) -> None:
    give_consent(settings, "Deniz", Keep.SCORES)
    remember(settings, "Deniz", Memory("tr-vowels", "göl", 5))
    set_pin(settings, "Deniz", "2468")
    for part in ("practise", "progress", "path", "classes"):
        page = open_page("practice", learner="deniz", practise=part)
        assert "Deniz has a PIN" in said(page).replace("*", "")
        assert "Your data" not in headings(page)
        assert "göl" not in said(page)
    page = open_page("practice", learner="deniz")
    page.text_input(key="pin-given").set_value("1111")
    button(page, "Open").click().run()
    assert "This PIN is wrong" in said(page)
    page.text_input(key="pin-given").set_value("2468")
    button(page, "Open").click().run()
    assert "göl" in headings(page)
    assert "göl" in headings(open_page("practice")), "this browser keeps a key"
    page = open_page("practice", practise="progress")
    button(page, "Remove PIN").click().run()
    browser.clear()
    assert "göl" in headings(open_page("practice", learner="Deniz"))


def test_the_path_leads_to_the_placement_and_counts_the_day(open_page: Open, demo: Settings) -> None:
    give_consent(demo, "Deniz", Keep.SCORES)
    page = open_page("practice", learner="Deniz", text="masa")
    record(page)
    page = open_page("practice", learner="Deniz", practise="path")
    assert "Today: 1 attempt" in said(page)
    page.radio(key="path-goal").set_value(10).run()
    assert remembered(demo, "Deniz").daily_goal == 10
    assert "1 of 10 read" in str([bar.proto.text for bar in page.get("progress")])
    page.button(key="path-placement").click().run()
    assert headings(page)[1] == "çiçek"
    assert page.query_params["lesson"] in ("tr-placement", ["tr-placement"])


def test_a_drill_is_heard_said_and_planned(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard.services import path
    from pipeline.corpus.reference_voice import ReferenceVoice

    heard: list[tuple[str, str]] = []

    def hear(_data: bytes, _drill: Any, pair: tuple[str, str]) -> PairHeard:
        heard.append(pair)
        return PairHeard(pair[0])

    monkeypatch.setattr(path, "voices", lambda drill, pair: (ReferenceVoice(SAID, True),) * 2)
    monkeypatch.setattr(path, "hear_pair", hear)
    give_consent(settings, "Deniz", Keep.SCORES)
    drill = contrast_of("en-dh-z")
    assert drill is not None
    page = open_page("practice", learner="Deniz", practise="path", drill=drill.id)
    for number in range(len(drill.pairs)):
        assert f"Pair {number + 1} of 2" in said(page)
        next(one for one in page.button if str(one.key).startswith(f"hear-{number}-")).click().run()
        page.segmented_control(key="recorder-way").set_value("file").run()
        page.file_uploader[0].upload("a.wav", SAID.read_bytes(), "audio/wav").run()
        assert not page.exception
        page.button(key=f"drill-next-{number}").click().run()
    assert heard
    assert page.metric[0].value.endswith("of 4")
    assert "This drill comes back on" in said(page)
    assert [review.drill for review in reviews(settings, "Deniz")] == [drill.id]
    page.button(key="drill-back").click().run()
    assert "Minimal pairs" in headings(page)


def test_free_speech_of_the_microphone_has_one_player(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorder's own."""
    monkeypatch.setattr("dashboard.sections.practice.free_speaking.recorder", lambda *_, **__: SAID.read_bytes())
    page = open_page("practice", lesson="speak-tr")
    assert "this is less sure" in said(page)
    assert not page.get("audio")


def test_a_class_is_made_joined_and_seen(open_page: Open, demo: Settings, browser: dict[str, str]) -> None:
    page = open_page("practice", learner="Rita", practise="classes")
    assert "Set a PIN first" in said(page), "her learners know her name"
    page.text_input(key="pin-new").set_value("2468")
    button(page, "Set PIN").click().run()
    page.text_input(key="class-name").set_value("7B")
    button(page, "Add class").click().run()
    (led,) = classes_of(demo, Identity("Rita", EVERY_ROLE))
    assert "Nobody has joined yet" in said(page)
    assert f"class={led.id}" in page.code[0].value
    give_consent(demo, "Deniz", Keep.SCORES)
    learner = open_page("practice", learner="Deniz", text="masa", **{"class": led.id})
    assert "What may your teacher Rita see" in said(learner)
    learner.button(key="join-scores").click().run()
    record(learner)
    assert len(read_attempts(demo, "Deniz").attempts) == 1
    table = open_page("practice", learner="Rita", practise="classes").dataframe[0].value
    assert table["Learner"].tolist() == ["Deniz"]
    assert table["Attempts"].tolist() == [1]
    key = browser.pop("pronlab-learner-key")
    assert not open_page("practice", learner="Rita", practise="classes").dataframe
    browser["pronlab-learner-key"] = key
    join(demo, "Deniz", led.id, Share.RECORDINGS)
    page = open_page("practice", learner="Deniz", practise="progress")
    assert "Rita sees your scores and recordings" in said(page)
    button(page, "Leave class").click().run()
    assert "Rita sees" not in said(page)


def test_a_lesson_is_made_of_a_table(open_page: Open, settings: Settings) -> None:
    from pipeline.practice.lessons import get_lesson

    page = open_page("practice", practise="library")
    page.text_input(key="lesson-title").set_value("Şehirde")
    page.selectbox(key="lesson-language").set_value("tr")
    page.file_uploader[0].upload("liste.csv", "Kelime;Not\notobüs;ö\ntramvay;\n".encode("cp1254"), "text/csv")
    button(page, "Add lesson").click().run()
    assert not page.exception
    lesson = get_lesson(settings, "sehirde")
    assert [(item.text, item.note) for item in lesson.items] == [("otobüs", "ö"), ("tramvay", "")]
    assert "?lesson=sehirde" in page.code[0].value


def test_a_lesson_replaces_none_of_another_title(open_page: Open, settings: Settings) -> None:
    from pipeline.practice.lessons import list_lessons

    page = open_page("practice", practise="library")
    for title in ("Уроки", "Слова", "Слова", "tr placement"):
        page.text_input(key="lesson-title").set_value(title)
        page.text_area(key="lesson-texts").set_value("masa")
        page.selectbox(key="lesson-language").set_value("tr")
        button(page, "Add lesson").click().run()
        assert not page.exception
    added = {lesson.id: lesson.title for lesson in list_lessons(settings)[0] if lesson.own}
    assert added == {"lesson": "Уроки", "lesson-2": "Слова", "tr-placement-2": "tr placement"}


def test_whatever_is_kept_can_be_deleted(open_page: Open, settings: Settings) -> None:
    give_consent(settings, "Deniz", Keep.SCORES)
    page = open_page("practice", learner="Deniz", practise="progress")
    button(page, "Yes, delete everything").click().run()
    assert not page.exception
    assert not (settings.attempts_root / "Deniz").exists()


def test_free_speaking_shows_what_was_heard_and_keeps_nothing(open_page: Open, settings: Settings) -> None:
    give_consent(settings, "Deniz", Keep.RECORDINGS)
    page = open_page("practice", lesson="speak-tr", learner="Deniz")
    assert "Dün ne yaptınız?" in headings(page)
    record(page)
    assert "this is less sure" in said(page)
    assert len(page.get("audio")) == 1
    assert [metric.label for metric in page.metric][:2] == ["Syllables per second", "Syllables between pauses"]
    assert not read_attempts(settings, "Deniz").attempts
    page.button(key="free-again").click().run()
    assert not page.metric
