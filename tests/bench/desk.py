"""From Enter on the Label page to the next recording sounding, in the browser, beside a page that merely swaps an audio
element: for the demo, and for a set of 100,000 recordings of one file.

    python -m tests.bench desk
"""

import base64
import json
import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from pipeline.corpus.sets import RecordingSet, save_set
from pipeline.importing.demo import install_demo
from pipeline.labels.index import Index
from pipeline.people.access import Identity, Role
from pipeline.projects.project import Project, save_project
from pipeline.records import AudioReport, Recording, RubricName
from pipeline.settings import Settings
from pipeline.times import now_iso
from tests.bench import BenchResult
from tests.browser.conftest import CHROMIUM, FLAGS, SPOKEN, serving

N_LARGE = 100_000
N_SAVES = 25
# Every audio element tells when it sounds; keys are seen before the page's own listeners.
LISTEN = """
window.sounded = [];
const Plain = window.Audio;
window.Audio = function (...given) {
  const audio = new Plain(...given);
  audio.addEventListener("playing", () => window.sounded.push(performance.now()));
  return audio;
};
window.addEventListener("keydown", (event) => { if (event.key === "Enter") window.entered = performance.now(); }, true);
"""
SWAP = """
<script>
const sounds = %s.map((wav) => Object.assign(new Audio("data:audio/wav;base64," + wav), { preload: "auto" }));
let place = 0;
window.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  sounds[place].pause();
  place = (place + 1) %% sounds.length;
  sounds[place].currentTime = 0;
  sounds[place].play();
});
</script>
"""


def run() -> list[BenchResult]:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = Settings(data_root=Path(folder) / "data", models_root=Path(folder) / "models")
        install_demo(settings)
        _large(settings, Path(folder) / "large")
        admin = Identity("Bench", frozenset(Role))
        for name in ("demo", "large"):
            save_project(settings, Project(f"of-{name}", name), admin)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        swapped = _swapped(browser)
        results = [_result("a page that swaps an audio element", swapped, None)]
        with serving(settings) as address:
            for name, query in (
                ("the demo", "set=demo"), ("a project of the demo", "project=of-demo"),
                ("100,000 recordings", "set=large"), ("a project of 100,000", "project=of-large"),
            ):  # fmt: skip
                times = _saves(browser, f"{address}/label?{query}&rater=Bench")
                results.append(_result(name, times, statistics.median(times) / statistics.median(swapped)))
        browser.close()
    return results


def _result(name: str, times: list[float], ratio: float | None) -> BenchResult:
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return BenchResult(
        f"Enter to sound: {name} (95 %: {p95:.0f} ms)", statistics.median(times), "ms",
        "" if ratio is None else "under 150 ms", "" if ratio is None else "swapping an element", ratio,
    )  # fmt: skip


def _large(settings: Settings, root: Path) -> None:
    """A set whose recordings are all one sound, by hard links."""
    report = AudioReport(1.0, 16000, 1, 0.5, 0.0, 0.1, None)
    recordings = []
    for n in range(N_LARGE):
        folder = root / f"{n // 1000:03}"
        if n % 1000 == 0:  # a file system bears so many links of a file
            folder.mkdir(parents=True)
            shutil.copyfile(SPOKEN, folder / f"{n:06}.wav")
        else:
            os.link(folder / f"{n // 1000 * 1000:06}.wav", folder / f"{n:06}.wav")
        recordings.append(
            Recording(
                f"large/{n // 1000:03}/{n:06}", "large", f"{n // 1000:03}/{n:06}.wav", f"s{n % 500:03}",
                f"word {n % 100}", RubricName.WORD, report=report,
            )
        )  # fmt: skip
    set_ = RecordingSet("large", "Large", "folder", root, root, RubricName.WORD, imported_at=now_iso())
    save_set(settings, set_, recordings)
    Index(settings).rebuild()


def _saves(browser: Any, address: str) -> list[float]:
    """Milliseconds from Enter to the next sound, once for each of N_SAVES ratings."""
    from playwright.sync_api import TimeoutError

    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.add_init_script(LISTEN)
    page.goto(address)
    times: list[float] = []
    page.wait_for_function("window.sounded.length > 0", timeout=120_000)
    warming = 3  # saves that warm the server up
    while len(times) < N_SAVES:
        page.wait_for_timeout(1500)  # as long as an expert needs at the least
        before = page.evaluate("window.sounded.length")
        page.keyboard.press("3")
        page.keyboard.press("Enter")
        try:
            page.wait_for_function(f"window.sounded.length > {before}", timeout=10_000)
        except TimeoutError:  # on a busy machine too little of it was heard: once more
            page.keyboard.press("h")
            continue
        if warming:
            warming -= 1
        else:
            times.append(page.evaluate(f"window.sounded[{before}] - window.entered"))
    page.context.close()
    return times


def _swapped(browser: Any) -> list[float]:
    page = browser.new_page()
    page.add_init_script(LISTEN)
    wav = base64.b64encode(SPOKEN.read_bytes()).decode()
    page.goto("about:blank")
    page.set_content(f"<script>{LISTEN}</script>" + SWAP % json.dumps([wav] * 4))
    times = []
    for _n in range(N_SAVES):
        page.wait_for_timeout(700)
        before = page.evaluate("window.sounded.length")
        page.keyboard.press("Enter")
        page.wait_for_function(f"window.sounded.length > {before}")
        times.append(page.evaluate(f"window.sounded[{before}] - window.entered"))
    page.close()
    return times
