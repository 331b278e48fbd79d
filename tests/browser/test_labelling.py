"""Journeys of experts through the Label page, by keyboard, in a real browser, down to the files on disk."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.importing.importer import import_path
from pipeline.records import RubricName
from pipeline.rubrics import RUBRICS
from pipeline.settings import CHECKOUT, Settings
from tests.browser.conftest import expect, look, shoot, watch

Open = Callable[..., Any]
Find = Callable[[str], list[Path]]


HAND = "Desk Hand"


class Desk:
    """The Label page of one rater, for all tests that begin with whichever recording comes next: to open it anew takes
    longer than most of them. A test that failed leaves it to be opened again."""

    def __init__(self, page: Any, results: Find) -> None:
        self.page = page
        self._results = results
        self._before = set(results(HAND))
        self.done = int(re.findall(r"(\d+) of 176", ready(page).inner_text())[0])

    def rate(self, keys: str) -> None:
        """Rate one more."""
        self.done += 1
        rate(self.page, keys, self.done)

    def files(self) -> list[Path]:
        """What was rated in this test."""
        return sorted(set(self._results(HAND)) - self._before)

    def ratings(self) -> list[list[dict[str, Any]]]:
        return [ratings(file, HAND) for file in self.files()]


class _Opened:
    def __init__(self, page: Any) -> None:
        self.page, self.complaints, self.failed = page, list[str](), -1
        watch(page, self.complaints)


@pytest.fixture(scope="module")
def opened(context: Any) -> Iterator[_Opened]:
    found = _Opened(context.new_page())
    yield found
    found.page.close()


@pytest.fixture
def desk(opened: _Opened, results: Find, request: pytest.FixtureRequest) -> Iterator[Desk]:
    page, failed = opened.page, request.session.testsfailed
    if opened.failed != failed or "/label" not in page.url:
        look(page, 1280)
        page.goto(f"/label?set=demo&rater={HAND}")
    opened.failed = failed
    yield Desk(page, results)
    assert not opened.complaints


def ratings(file: Path, evaluator: str) -> list[dict[str, Any]]:
    content = json.loads(file.read_text(encoding="utf-8"))
    return [event for event in content["ratings"] if event["evaluator"] == evaluator]


def ready(page: Any) -> Any:
    """The rating form, once it shows a recording."""
    page.locator(".rating-form .target").wait_for()
    page.locator(".rating-form canvas").wait_for()
    return page.locator(".rating-form")


def listen(page: Any) -> None:
    """Wait until enough was heard; recordings play at once, by default."""
    page.wait_for_function(
        """() => {
            const host = [...document.querySelectorAll('*')].find((e) => e.shadowRoot?.querySelector('.rating-form'));
            const text = (host?.shadowRoot ?? document).querySelector('[data-part="time"]').textContent;
            const [now, all] = text.split('/').map(parseFloat);
            return all > 0 && now >= 0.6 * all;
        }""",
        polling=100,
    )


def select(page: Any, start: float, end: float) -> None:
    """Drag over the waveform, from one share of its width to another."""
    canvas = page.locator(".rating-form canvas").bounding_box()
    page.mouse.move(canvas["x"] + start * canvas["width"], canvas["y"] + 40)
    page.mouse.down()
    page.mouse.move(canvas["x"] + end * canvas["width"], canvas["y"] + 40, steps=5)
    page.mouse.up()


def rate(page: Any, keys: str, done: int) -> None:
    """Listen, press `keys`, save, and wait for the server's word that it is on disk."""
    listen(page)
    for key in keys:
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.get_by_text(f"{done} of 176").wait_for()
    page.get_by_text("Saved: ").wait_for()


def test_nothing_is_saved_without_listening_or_without_a_score(open_page: Open, results: Find) -> None:
    page = open_page("label", set="demo", rater="Hasty")
    form = ready(page)
    listen(page)
    page.keyboard.press("Enter")
    page.get_by_text("Give a score first").wait_for()
    form.locator("[data-part=auto]").uncheck()
    page.reload()
    ready(page)
    page.keyboard.press("5")
    page.keyboard.press("Enter")
    page.get_by_text("Listen first").wait_for()
    assert results("Hasty") == []


def test_the_player_seeks_loops_zooms_measures_and_remembers(open_page: Open) -> None:
    page = open_page("label", set="demo", rater="Player")
    form = ready(page)
    listen(page)
    canvas = form.locator("canvas").bounding_box()
    page.mouse.click(canvas["x"] + 0.5 * canvas["width"], canvas["y"] + 40)
    now, whole = (float(part.split()[0]) for part in form.locator(".time").text_content().split("/"))
    assert now == pytest.approx(0.5 * whole, abs=0.05 * whole) or now > 0.5 * whole
    page.keyboard.press(",")
    page.keyboard.press(",")
    form.locator(".speed").get_by_text("0.8×").wait_for()
    select(page, 0.25, 0.75)
    expect(form.locator(".time")).to_contain_text(" ms")
    playing = form.locator("[data-part=play]").get_by_text("Pause")
    if not playing.count():
        page.keyboard.press("Space")
    playing.wait_for()
    page.wait_for_timeout(1500)  # several times the region's length
    playing.wait_for()
    page.keyboard.press("Space")
    form.locator("[data-part=play]").get_by_text("Play").wait_for()
    shoot(page, "label-loop")

    # The wheel zooms with Ctrl; alone it scrolls the page, if anything.
    bar, time = form.locator(".scrollbar"), form.locator(".time")
    page.mouse.move(canvas["x"] + 0.5 * canvas["width"], canvas["y"] + 40)
    page.mouse.wheel(0, 50)
    expect(bar).to_have_class("scrollbar whole")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    expect(bar).to_have_class("scrollbar")
    page.keyboard.press("e")
    expect(bar).to_have_class("scrollbar whole")

    # Down to a few periods, selected, looped, with their length.
    select(page, 0.4, 0.45)
    page.keyboard.press("n")
    expect(bar).to_have_class("scrollbar")
    select(page, 0.3, 0.6)
    milliseconds = float(time.text_content().split("·")[1].split()[0])
    assert 1 < milliseconds < 60
    page.keyboard.press("Space")
    form.locator("[data-part=play]").get_by_text("Pause").wait_for()
    page.keyboard.press("Space")
    form.locator("[data-part=play]").get_by_text("Play").wait_for()
    page.keyboard.press("Escape")
    expect(time).not_to_contain_text("·")
    for key in "a>>>b":
        page.keyboard.press(key)
    expect(time).to_contain_text("·")

    # Pitch, formants and intensity on request, read out at the cursor and under the pointer.
    for key in "ptid":
        page.keyboard.press(key)
    for name in ("F0", "F1", "dB"):
        expect(form.locator(".readout")).to_contain_text(name)
    page.mouse.move(canvas["x"] + 0.5 * canvas["width"], canvas["y"] + 100)
    expect(form.locator(".readout")).to_contain_text(" Hz")
    shoot(page, "label-tracks")

    # The reference beside it, by one key.
    reference = form.locator("[data-part=reference]")
    page.keyboard.press("r")
    expect(reference).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("c")
    expect(form.locator("canvas")).to_have_count(2)
    page.keyboard.press("c")
    page.keyboard.press("r")
    expect(reference).to_have_attribute("aria-pressed", "false")

    # One tab stop; the arrows move within.
    form.locator("[data-part=play]").focus()
    page.keyboard.press("ArrowLeft")
    expect(form.locator("[data-part=settings]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(form.get_by_role("dialog").get_by_label("Amplitude (d)")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert form.locator(".player :focus").count() == 0

    page.reload()
    form = ready(page)
    expect(form.locator(".readout")).to_contain_text("F0")
    page.keyboard.press("v")
    expect(form.get_by_label("Amplitude (d)")).to_have_value("db")


def test_a_sentence_is_rated_by_dimension_with_marks(
    open_page: Open, results: Find, server: tuple[str, Settings], tmp_path: Path
) -> None:
    words = [{"text": "A", "phones": ["AH0"]}, {"text": "TABLE", "phones": "T EY1 B AH0 L"}]
    row = {"audio": "masa.wav", "text": "A TABLE", "speaker": "s1", "rubric": "sentence", "words": words}
    (tmp_path / "masa.wav").write_bytes((CHECKOUT / "data" / "demo" / "references" / "masa.wav").read_bytes())
    (tmp_path / "manifest.jsonl").write_text(json.dumps(row), encoding="utf-8")
    import_path(server[1], tmp_path / "manifest.jsonl", name="sentences")
    page = open_page("label", set="sentences", rater="Sentence Sam")
    form = ready(page)
    page.set_viewport_size({"width": 1366, "height": 768})
    for dimension in RUBRICS[RubricName.SENTENCE].dimensions:  # before anything is chosen, without a click
        for level in dimension.levels:
            expect(form.get_by_text(level.meaning).first).to_be_in_viewport()
    listen(page)
    page.keyboard.press("Enter")
    page.get_by_text("Rate every dimension first.").wait_for()
    assert not results("Sentence Sam")
    page.keyboard.press("s")
    for part in (
        page.get_by_placeholder("or in your own words"),
        form.locator("textarea"),
        form.locator("[data-part=save]"),
    ):
        expect(part).to_be_in_viewport()
    page.keyboard.press("Escape")
    for key in "8760":
        page.keyboard.press(key)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("w")
    page.keyboard.press("w")
    page.keyboard.press("x")
    form.locator("[data-word='1'][data-phone='1']").click()
    shoot(page, "label-sentence")
    page.keyboard.press("Enter")
    page.get_by_text("The only recording of").wait_for()
    event = ratings(results("Sentence Sam")[0], "Sentence Sam")[-1]
    assert event["dimensions"] == {"accuracy": 8.0, "fluency": 7.0, "prosodic": 6.0, "total": 10.0}
    assert event["score"] == 100
    assert {(mark["word"], mark.get("phone")) for mark in event["marks"]} == {(1, None), (1, 1)}


def test_tiers_are_edited_saved_and_read_back_from_the_textgrid(
    open_page: Open, results: Find, server: tuple[str, Settings], tmp_path: Path
) -> None:
    from praatio import textgrid

    from pipeline.labels.exchange.files import write_textgrids
    from pipeline.labels.exchange.recordings import labels_of

    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = open_page("label", set="demo", rater="Tier Tekin")
    form = ready(page)
    form.locator("[data-part=auto]").uncheck()
    page.keyboard.press("o")
    phones = form.locator(".tier[data-tier=phones] .segment")
    letters = phones.all_inner_texts()
    assert "".join(letters) == form.locator(".target").text_content()
    boundary = phones.nth(0).locator("[data-end=end_s]").bounding_box()
    page.mouse.move(boundary["x"] + 3, boundary["y"] + 9)
    page.mouse.down()
    page.mouse.move(boundary["x"] + 33, boundary["y"] + 9, steps=4)
    page.mouse.up()
    dragged_s = seconds_of(phones.nth(0))[1]
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown", "ArrowRight", "W"):
        page.keyboard.press(key)
    form.get_by_label("heard as …").select_option("z")
    form.get_by_label("heard as …").press("Enter")
    box, pictures = phones.nth(1).bounding_box(), form.locator("canvas.pictures").first.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], pictures["y"] + 20)
    page.keyboard.press("S")
    page.keyboard.type("ə")
    page.keyboard.press("Enter")
    page.keyboard.press("I")
    form.get_by_label("heard as …").press("Escape")
    page.keyboard.press("N")
    shoot(page, "label-tiers")
    found = axe.Axe().run(page, context={"exclude": [["[data-testid=stSidebarNav]"]]})
    assert not [violation["id"] for violation in found.response["violations"]]
    page.keyboard.press("h")
    rate(page, "4", 1)
    page.keyboard.press("u")
    page.get_by_text("Undone: ").wait_for()
    expect(phones).to_have_count(len(letters) + 1)
    page.keyboard.press("h")
    rate(page, "", 1)
    segments = ratings(results("Tier Tekin")[0], "Tier Tekin")[-1]["segments"]
    first, second, added, *_others = (segment for segment in segments if segment["tier"] == "phones")
    assert first["end_s"] == second["start_s"] == pytest.approx(dragged_s + 0.009, abs=0.001)
    assert second["marks"] == {"mispronounced": "z"}
    assert (added["label"], added["word"], added["marks"]) == ("ə", 0, {"added": ""})
    assert second["end_s"] == added["start_s"]
    write_textgrids(tmp_path, labels_of(server[1], "demo"))
    path = next(path for path in tmp_path.rglob("*.TextGrid") if "Tier Tekin" in path.read_text(encoding="utf-8"))
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    of_grid = [tuple(entry)[:2] for entry in grid.getTier("phones: Tier Tekin").entries]
    assert of_grid == [(s["start_s"], s["end_s"]) for s in segments if s["tier"] == "phones"]
    assert [entry.label for entry in grid.getTier("mispronounced: Tier Tekin").entries] == [
        f"{''.join(letters)} (word 1, sound 2): z"
    ]


def seconds_of(segment: Any) -> tuple[float, float]:
    """Start and end of a segment, as its description has them."""
    start, end = re.findall(r"\d+\.\d{3}", segment.get_attribute("aria-label"))
    return float(start), float(end)


def test_ten_recordings_by_keyboard_alone(desk: Desk) -> None:
    shoot(desk.page, "label-fresh")
    for number in range(1, 11):
        desk.rate("3" + "k" * (number % 4) + "J" * (number % 2))
    shoot(desk.page, "label-after-ten")
    files = desk.files()
    assert len(files) == 10
    scores = sorted(events[-1]["score"] for events in desk.ratings())
    assert scores == sorted(75 + number % 4 - 10 * (number % 2) for number in range(1, 11))
    content = json.loads(files[0].read_text(encoding="utf-8"))
    assert content["evaluator"] == HAND
    assert content["labeled"] is True
    assert content["score"] == ratings(files[0], HAND)[-1]["score"]
    assert len(content["ratings"]) == 2, "the synthetic label stays in the history"


def test_a_reload_in_the_middle_loses_nothing(desk: Desk) -> None:
    page = desk.page
    desk.rate("4")
    listen(page)
    target = page.locator(".rating-form .target").text_content()
    page.keyboard.press("2")
    page.keyboard.press("k")
    page.keyboard.press("m")
    page.keyboard.type("jk second half 5")
    page.reload()
    form = ready(page)
    expect(form.locator(".target")).to_have_text(target)
    expect(form.locator("input[type=number]")).to_have_value("66")
    expect(form.locator("textarea")).to_have_value("jk second half 5")
    desk.rate("")
    saved = [events[-1] for events in desk.ratings()]
    assert sorted((event["score"], event.get("notes", "")) for event in saved) == [(66, "jk second half 5"), (85, "")]


def test_undo_brings_the_recording_back_with_its_value(desk: Desk) -> None:
    page, form = desk.page, ready(desk.page)
    first = form.locator(".target").text_content()
    desk.rate("1k")
    page.keyboard.press("u")
    page.get_by_text("Undone: ").wait_for()
    desk.done -= 1
    expect(form.locator(".target")).to_have_text(first)
    expect(form.locator("input[type=number]")).to_have_value("31")
    (events,) = desk.ratings()
    assert [event["action"] for event in events] == ["rate", "undo"]
    desk.rate("5")
    (events,) = desk.ratings()
    assert events[-1]["score"] == 95


def test_flag_and_skip_with_a_reason(desk: Desk) -> None:
    page = desk.page
    page.keyboard.press("f")
    page.get_by_text("What is wrong with the recording?").wait_for()
    shoot(page, "label-flag")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    page.get_by_text(f"{desk.done + 1} of 176").wait_for()
    page.keyboard.press("s")
    page.get_by_placeholder("or in your own words").fill("my own child")
    page.get_by_placeholder("or in your own words").press("Enter")
    page.get_by_text(f"{desk.done + 2} of 176").wait_for()
    said = {(event["action"], event["reason"]) for events in desk.ratings() for event in events}
    assert said == {("flag", "Too noisy"), ("skip", "my own child")}


def test_earlier_recordings_can_be_revised_with_the_arrows(desk: Desk) -> None:
    page, form = desk.page, ready(desk.page)
    first = form.locator(".target").text_content()
    desk.rate("2")
    page.keyboard.press("ArrowLeft")
    page.get_by_text("you rated this before").wait_for()
    expect(form.locator(".target")).to_have_text(first)
    expect(form.locator("input[type=number]")).to_have_value("65")
    rate(page, "k", desk.done)
    (events,) = desk.ratings()
    assert [event["score"] for event in events] == [65, 66]


def test_two_experts_on_the_same_recording_keep_both_ratings(desk: Desk, server: Any) -> None:
    from pipeline.labels.index import Index
    from pipeline.labels.store import LabelStore
    from pipeline.records import RatingAction, RatingEvent

    settings: Settings = server[1]
    item = Index(settings).next_recording("demo", HAND)
    assert item is not None
    other = RatingEvent("Second", RatingAction.RATE, "2026-11-21T10:00:00.000+00:00", score=12.0)
    LabelStore(settings).add(item, other)
    desk.rate("5")
    (file,) = desk.files()
    content = json.loads(file.read_text(encoding="utf-8"))
    assert {e["evaluator"]: e["score"] for e in content["ratings"]} == {
        "demo-synthetic": content["ratings"][0]["score"],
        "Second": 12.0,
        HAND: 95.0,
    }
    assert content["score"] == pytest.approx((12 + 95) / 2)


def test_a_failed_save_says_so_and_keeps_the_draft(desk: Desk, server: Any) -> None:
    from pipeline.corpus.sets import get_set, result_path
    from pipeline.labels.index import Index

    page, form = desk.page, ready(desk.page)
    settings: Settings = server[1]
    item = Index(settings).next_recording("demo", HAND)
    assert item is not None
    path = result_path(get_set(settings, "demo"), item)
    aside = path.with_suffix(".kept")
    path.rename(aside)
    path.mkdir()
    try:
        listen(page)
        page.keyboard.press("4")
        page.keyboard.press("Enter")
        form.locator(".message[data-mood=bad]").wait_for()
        shoot(page, "label-save-failed")
        expect(form.locator("input[type=number]")).to_have_value("85")
    finally:
        path.rmdir()
        aside.rename(path)
    page.keyboard.press("Enter")
    page.get_by_text(f"{desk.done + 1} of 176").wait_for()
    page.get_by_text("Saved: ").wait_for()
    assert ratings(path, HAND)[-1]["score"] == 85


def test_fits_a_phone(desk: Desk) -> None:
    page = desk.page
    for dark in (False, True):
        look(page, 390, 844, dark=dark)
        ready(page)
        page.wait_for_function("document.documentElement.scrollWidth <= 390")
        for box in (control.bounding_box() for control in page.locator(".player .toolbar button:visible").all()):
            assert min(box["width"], box["height"]) >= 40, "as large as a thumb"
        shoot(page, f"label-phone-{'dark' if dark else 'light'}")
    look(page, 1280)


def test_enter_on_a_link_or_button_does_what_that_says(desk: Desk) -> None:
    page, form = desk.page, ready(desk.page)
    listen(page)
    page.keyboard.press("3")
    form.locator("[data-part='skip']").focus()
    page.keyboard.press("Enter")
    page.get_by_text("I am not sure").wait_for()
    assert not desk.files()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Data").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Data").wait_for()
    assert not desk.files()
