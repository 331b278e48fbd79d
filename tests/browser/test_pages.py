"""Journeys of learners and researchers through Practice, Train, Compare and Data, in a real browser."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.i18n import _, speaking
from pipeline.runs import list_runs
from pipeline.settings import CHECKOUT, Settings
from tests.browser.conftest import shoot, wait_for

Open = Callable[..., Any]
PAGES = ("", "practice", "compare", "wakeword", "results", "train", "monitor", "tables", "data")


def settled(page: Any) -> None:
    """Until the script has run and the page shows its title."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning] h1").first.wait_for(timeout=60_000)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_without_errors_and_fits_its_width(open_page: Open, name: str, width: int) -> None:
    page = open_page(name, width=width, dark=width == 390, set="demo", rater="Ada")
    settled(page)
    page.wait_for_timeout(1500)
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), "the page scrolls sideways"
    assert page.locator("[data-testid=stException]").count() == 0
    shoot(page, f"{name or 'home'}-{width}")


def record(page: Any) -> None:
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(1800)
    page.get_by_role("button", name="Stop recording").click()


def test_a_learner_records_and_sees_a_score_and_earlier_tries(open_page: Open, server: tuple[str, Settings]) -> None:
    page = open_page("practice", learner="Deniz", text="masa")
    settled(page)
    page.get_by_text("1. Hear and read").wait_for()
    page.get_by_role("button", name="Keep recordings and scores").click()
    page.get_by_text("What may be kept").wait_for(state="detached")
    settled(page)
    record(page)
    page.get_by_text("3. Your score").wait_for(timeout=60_000)
    page.get_by_text("Scored by an ML model").wait_for()
    page.locator(".reading .word").wait_for()
    page.get_by_text("4. Beside the reference").wait_for()
    page.get_by_text("Your tries at this").wait_for()
    settled(page)
    page.wait_for_timeout(1500)
    shoot(page, "practice-scored")
    tries = wait_for(lambda: saved_tries(server[1], "Deniz"), 10, "the saved try")
    assert len(tries) == 1
    saved = json.loads(tries[0].read_text(encoding="utf-8"))
    assert (saved["learner"], saved["lesson"]) == ("Deniz", "tr-first-words")
    assert saved["result"]["overall"] > 60
    shown = page.locator("[data-testid=stMetricValue]").first.inner_text()
    assert shown == str(int(saved["result"]["overall"]))
    # A second visit finds the try again, and nothing is saved twice.
    page.reload()
    settled(page)
    page.get_by_text("Hear one again").wait_for()
    assert len(saved_tries(server[1], "Deniz")) == 1


def saved_tries(settings: Settings, learner: str) -> list[Path]:
    return [path for path in (settings.attempts_root / learner).rglob("*.json") if path.name != "consent.json"]


def test_a_click_plays_ones_own_the_reference_or_both(open_page: Open) -> None:
    page = open_page("practice", text="elma")
    settled(page)
    count_plays(page)
    upload(page, CHECKOUT / "data" / "demo" / "participant_03" / "kelimeler" / "08_elma.wav")
    word = page.locator(".reading .word")
    word.click()
    mode = page.get_by_role("radio", name="reference, slowly")
    mode.click()
    assert mode.get_attribute("aria-checked") == "true"
    word.click()
    mode.press("ArrowLeft")
    assert page.get_by_role("radio", name="both in turn").get_attribute("aria-checked") == "true"
    word.click()
    wait_for(lambda: len(page.evaluate("window.played")) == 4, 10, "four plays")
    sources, rates, marked = zip(*page.evaluate("window.played"), strict=True)
    assert set(marked) == {"word"}
    assert rates == (1, 0.6, 1, 1)
    assert sources[0] == sources[2] != sources[1] == sources[3]


def count_plays(page: Any) -> None:
    """In `window.played`, as (address, rate, class of what is marked as playing): a word is over before one has
    looked."""
    page.evaluate(
        """() => {
        window.played = [];
        const roots = (root) => [root, ...[...root.querySelectorAll("*")].flatMap(
            (node) => node.shadowRoot ? roots(node.shadowRoot) : [])];
        const marked = () => roots(document).map((root) => root.querySelector("[data-playing]")).find(Boolean);
        const play = HTMLMediaElement.prototype.play;
        HTMLMediaElement.prototype.play = function () {
            window.played.push([this.src, this.playbackRate, marked()?.className]); return play.call(this);
        }; }"""
    )


def upload(page: Any, file: Path) -> None:
    page.get_by_text("File", exact=True).first.click()
    chooser = page.locator("[data-testid=stFileUploaderDropzoneInput]")
    chooser.wait_for(state="attached")
    settled(page)
    chooser.set_input_files(str(file))
    page.get_by_text("3. Your score").wait_for(timeout=60_000)


def test_an_uploaded_file_is_scored_too_and_rubbish_is_refused(open_page: Open, tmp_path: Path) -> None:
    page = open_page("practice", text="elma")
    settled(page)
    upload(page, CHECKOUT / "data" / "demo" / "references" / "elma.wav")
    rubbish = tmp_path / "rubbish.wav"
    rubbish.write_bytes(b"this is not audio" * 50)
    page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(str(rubbish))
    page.locator("[data-testid=stAlert]").filter(has_text="audio").first.wait_for(timeout=20_000)


@pytest.mark.parametrize("what", ["Practise", "Progress", "Lessons and voices"])
def test_practice_can_be_used_by_keyboard_and_screen_reader(open_page: Open, what: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = open_page("practice", learner="Deniz", text="masa", practise=what.replace(" ", "+"))
    settled(page)
    if what == "Practise":
        upload(page, CHECKOUT / "data" / "demo" / "participant_03" / "kelimeler" / "11_masa.wav")
        page.locator(".reading .word").wait_for()
    page.wait_for_timeout(1500)
    found = axe.Axe().run(page)
    serious = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
    assert not serious, [(v["id"], v["help"], [node["html"][:200] for node in v["nodes"]]) for v in serious]
    # Within our own component, which lives in a shadow root, not even the lesser ones.
    in_shadow = [
        (v["id"], node["html"][:200])
        for v in found.response["violations"]
        for node in v["nodes"]
        if any(isinstance(place, list) for place in node["target"])
    ]
    assert not in_shadow


def test_a_training_is_started_watched_and_deployed(open_page: Open, server: tuple[str, Settings]) -> None:
    page = open_page("train", set="demo")
    settled(page)
    page.get_by_label("Name of the run").fill("from the browser")
    page.get_by_label("Epochs at most").fill("10")
    page.get_by_label("Epochs at most").press("Tab")
    page.get_by_role("button", name="Start training").click()
    runs = wait_for(lambda: list_runs(server[1].runs_root), 20, "a run directory")
    page.get_by_text("Running").or_(page.get_by_text("Waiting to start")).or_(
        page.get_by_text("Finished")
    ).first.wait_for()
    wait_for(lambda: runs[0].state.status == "finished", 90, "the training to finish")
    page.get_by_text("What the model listens to").wait_for(timeout=60_000)
    settled(page)
    page.wait_for_timeout(1500)
    shoot(page, "train-finished")
    page.get_by_role("button", name="Deploy this run").click()
    page.get_by_role("button", name="Yes, deploy it").click()
    wait_for(lambda: (server[1].deployed_root / "word" / "model_info.json").is_file(), 20, "the deployed model")
    page.locator("[data-testid=stMarkdownContainer]").filter(has_text="(deployed here)").first.wait_for()
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("button", name="Yes, go back").click()
    wait_for(lambda: not (server[1].deployed_root / "word").exists(), 20, "the model to leave")


def test_a_set_is_scored_and_compared(open_page: Open) -> None:
    page = open_page("compare", set="demo")
    settled(page)
    page.get_by_role("button", name="Score all recordings").click()
    page.get_by_text("The ten worst").wait_for(timeout=60_000)
    page.get_by_text("176 recordings of 8 participants").wait_for()
    page.get_by_text("Bland-Altman", exact=True).click()
    page.wait_for_timeout(1500)
    shoot(page, "compare-scored")
    box = page.get_by_role("combobox", name="Participants")
    box.click()
    box.type("participant_03")
    page.keyboard.press("Enter")
    page.get_by_text("22 recordings of 1 participant").wait_for()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_learner_reads_a_sentence_and_hears_each_word(open_page: Open, tmp_path: Path, width: int) -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed, and the machine may not install it")
    text = "She sells fresh bread and cheese at the market."
    clip = tmp_path / "clip.wav"
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "130", "-w", str(clip), text], check=True)
    page = open_page("practice", width=width, height=1600, lesson="en-sentences", learner=f"Ada{width}", text=text)
    settled(page)
    page.get_by_text("1. Hear and read").wait_for()
    upload(page, clip)
    words = page.locator(".reading .word")
    words.first.wait_for()
    settled(page)
    assert [word.split("\n")[1] for word in words.all_inner_texts()] == text.rstrip(".").lower().split()
    count_plays(page)
    words.nth(3).click()
    page.locator(".reading .phone").nth(2).click()
    wait_for(lambda: len(page.evaluate("window.played")) == 2, 10, "two plays")
    assert [marked for _, _, marked in page.evaluate("window.played")] == ["word", "phone"]
    assert page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    shoot(page, f"practice-sentence-{width}")
    page.reload()
    settled(page)
    page.get_by_text("Your tries at this").wait_for()


def test_the_language_is_the_browsers_until_somebody_chooses_and_is_remembered(
    browser: Any, server: tuple[str, Settings]
) -> None:
    with speaking("tr"):
        data = _("Data")
    assert data != "Data", "the catalogue lacks it"
    context = browser.new_context(base_url=server[0], locale="en-US")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto("/data")
    settled(page)
    page.get_by_role("heading", name="Data").wait_for()
    assert page.evaluate("document.documentElement.lang") == "en"
    page.locator("[data-testid=stSidebar]").get_by_role("combobox").last.click()
    page.get_by_role("option", name="Türkçe").click()
    page.get_by_role("heading", name=data).wait_for()
    wait_for(lambda: page.evaluate("document.documentElement.lang") == "tr", 90, "the language of the document")
    again = context.new_page()
    again.set_default_timeout(60_000)
    again.goto("/data")
    again.get_by_role("heading", name=data).wait_for()
    assert "pronlab-language=tr" in again.evaluate("document.cookie")
    context.close()
    turkish = browser.new_context(base_url=server[0], locale="tr-TR")
    first = turkish.new_page()
    first.set_default_timeout(60_000)
    first.goto("/data")
    first.get_by_role("heading", name=data).wait_for()
    wait_for(lambda: first.evaluate("document.documentElement.lang") == "tr", 90, "the language of the document")
    assert "pronlab-language" not in first.evaluate("document.cookie")
    turkish.close()
