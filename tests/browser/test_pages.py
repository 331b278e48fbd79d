"""Journeys of learners and researchers through Practice, Train, Compare and Data, in a real browser."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.runs import list_runs
from pipeline.settings import CHECKOUT, Settings
from tests.browser.conftest import shoot, wait_for

Open = Callable[..., Any]
PAGES = ("", "practice", "compare", "wakeword", "results", "train", "monitor", "data")


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
    shoot(page, f"{name or 'label'}-{width}")


def record(page: Any) -> None:
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(1800)
    page.get_by_role("button", name="Stop recording").click()


def test_a_learner_records_and_sees_a_score_and_earlier_tries(open_page: Open, server: tuple[str, Settings]) -> None:
    page = open_page("practice", set="demo", learner="Deniz", word="masa")
    settled(page)
    page.get_by_text("1. Hear “masa”").wait_for()
    record(page)
    page.get_by_text("3. Your score").wait_for(timeout=60_000)
    page.get_by_text("Scored by an ML model").wait_for()
    page.get_by_text("What to mend", exact=True).wait_for()
    page.get_by_text("4. Compare by ear and eye").wait_for()
    page.get_by_text("Your tries at this").wait_for()
    settled(page)
    page.wait_for_timeout(1500)
    shoot(page, "practice-scored")
    tries = wait_for(lambda: list(server[1].attempts_root.rglob("*.json")), 10, "the saved try")
    assert len(tries) == 1
    saved = json.loads(tries[0].read_text(encoding="utf-8"))
    assert saved["learner"] == "Deniz"
    assert saved["result"]["overall"] > 60
    shown = page.locator("[data-testid=stMetricValue]").inner_text()
    assert shown == f"{saved['result']['overall']:.0f}"
    # A second visit finds the try again, and nothing is saved twice.
    page.reload()
    settled(page)
    page.get_by_text("Hear one again").wait_for()
    assert len(list(server[1].attempts_root.rglob("*.json"))) == 1


def test_an_uploaded_file_is_scored_too_and_rubbish_is_refused(open_page: Open, tmp_path: Path) -> None:
    page = open_page("practice", set="demo", word="elma")
    settled(page)
    page.get_by_role("radio", name="File").or_(page.get_by_text("File", exact=True)).first.click()
    chooser = page.locator("[data-testid=stFileUploaderDropzoneInput]")
    chooser.wait_for(state="attached")
    chooser.set_input_files(str(CHECKOUT / "data" / "demo" / "references" / "elma.wav"))
    page.get_by_text("3. Your score").wait_for(timeout=60_000)
    rubbish = tmp_path / "rubbish.wav"
    rubbish.write_bytes(b"this is not audio" * 50)
    chooser.set_input_files(str(rubbish))
    page.locator("[data-testid=stAlert]").filter(has_text="audio").first.wait_for(timeout=20_000)


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
    page = open_page(
        "practice", width=width, height=1600, practise="English sentences", learner=f"Ada{width}", sentence=text
    )
    settled(page)
    page.get_by_text("1. Read aloud").wait_for()
    page.get_by_text("File", exact=True).click()
    page.locator("input[type=file]").set_input_files(clip)
    page.get_by_text("3. What you said").wait_for(timeout=60_000)
    words = page.locator(".reading .word")
    words.first.wait_for()
    assert [word.split("\n")[1] for word in words.all_inner_texts()] == text.rstrip(".").lower().split()
    words.nth(3).click()
    page.locator(".reading .word[data-playing]").wait_for()
    page.locator(".reading .phone").nth(2).click()
    page.locator(".reading .phone[data-playing]").wait_for()
    assert page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    shoot(page, f"practice-sentence-{width}")
    page.reload()
    settled(page)
    page.get_by_text("Your tries at this").wait_for()
