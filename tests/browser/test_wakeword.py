"""From clips to a measured detector in a real browser, on made-up clips and with the preset that takes seconds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.runs import list_runs
from pipeline.settings import Settings
from tests.browser.conftest import choose, shoot, wait_for
from tests.browser.test_pages import settled
from tests.wakeword_sounds import collect_chirps

Open = Callable[..., Any]


def test_five_steps(open_page: Open, server: tuple[str, Settings], tmp_path: Path) -> None:
    settings = server[1]
    collect_chirps(settings, tmp_path, 24, 16)
    page = open_page("wakeword")
    settled(page)
    page.get_by_role("button", name="Check clips").click()
    page.get_by_text("All 40 clips can be used.").wait_for()
    page.get_by_role("button", name="Vary").click()
    page.get_by_text("Variation 3").wait_for()
    settled(page)
    shoot(page, "wakeword-data")

    page.get_by_text("2 Configuration", exact=True).click()
    choose(page, page.get_by_role("combobox", name="Preset"), "tiny")
    page.get_by_role("button", name="Start training").click()
    page.get_by_text("The training has started").first.wait_for()  # below the button, and as a toast
    page.get_by_text("3 Training", exact=True).click()
    page.get_by_text("Validation misses").wait_for()
    settled(page)
    shoot(page, "wakeword-training")
    (run,) = [run for run in list_runs(settings.runs_root) if run.state.kind == "wakeword"]
    assert run.state.status == "finished"

    page.get_by_text("4 Evaluation", exact=True).click()
    hours = page.get_by_role("spinbutton", name="Hours")
    hours.wait_for()
    hours.fill("0.1")
    hours.press("Enter")
    settled(page)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("Missed at ≤ 0.5 per hour").wait_for()
    page.reload()
    page.get_by_text("Missed at ≤ 0.5 per hour").wait_for()
    settled(page)
    shoot(page, "wakeword-evaluation")
    assert page.locator("[data-testid=stException]").count() == 0

    page.get_by_text("5 Export", exact=True).click()
    page.get_by_role("button", name="Export to ONNX").click()
    report = run.path / "exports" / "export.json"
    wait_for(report.is_file, "the exports")
    page.get_by_role("button", name="INT8").wait_for()
    shoot(page, "wakeword-export")
