"""From the end of a recording to the score on the Practise page, in the browser, beside scoring alone.

    python -m tests.bench practising

The recordings are eSpeak NG's, some 4 s long, said into the browser's fake microphone; the first one follows as soon as
a person could have read the sentence.
"""

import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

from pipeline.audio.encode import to_wav
from pipeline.audio.load import Audio, load_audio
from pipeline.deployment.answering import answer
from pipeline.importing.demo import install_demo
from pipeline.records import RubricName, Target
from pipeline.settings import Settings
from tests.bench import BenchResult
from tests.browser.conftest import CHROMIUM, FLAGS, serving

TEXT = "She sells fresh bread and cheese at the market, and her brother usually drinks tea."
N_ATTEMPTS = 20
READING_S = 4.0  # as long as it takes to say the sentence, after the page has drawn it
# When the score was first on the page, after the recorder had its last sound.
WATCH = """
window.scoredAt = [];
new MutationObserver(() => {
  const shown = Boolean(document.querySelector("[data-testid=stMetricValue]"));
  if (shown && !window.shown) requestAnimationFrame(() => window.scoredAt.push(performance.now()));
  window.shown = shown;
}).observe(document, { childList: true, subtree: true });
"""


def run() -> list[BenchResult]:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = Settings(data_root=Path(folder) / "data", models_root=Path(folder) / "models")
        install_demo(settings)
        clip = Path(folder) / "clip.wav"
        speak(TEXT, clip)
        audio = load_audio(clip)
        spoken = Path(folder) / "spoken.wav"
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--use-file-for-fake-audio-capture={spoken}%noloop"]
        )
        with serving(settings) as address:
            times_s, processor_s = _attempts(browser, address, audio, spoken)
        browser.close()
    alone_s, alone_processor_s = _alone(settings, audio)
    middle = statistics.median(times_s)
    of = f"{audio.duration_s:.1f} s of speech"
    beside = "scoring alone"
    return [
        BenchResult(f"{of}: end of the recording to the score", middle, "s", "1.0", beside, middle / alone_s),
        BenchResult(f"{of}: slowest of {len(times_s)}, with the first", max(times_s), "s", "1.5"),
        BenchResult(f"{of}: the first", times_s[0], "s"),
        BenchResult("the server's processor time for one attempt", processor_s, "s", "", beside,
                    processor_s / alone_processor_s),
        BenchResult("scoring alone", alone_s, "s"),
    ]  # fmt: skip


def _attempts(browser: Any, address: str, audio: Audio, spoken: Path) -> tuple[list[float], float]:
    """Seconds of each attempt, and of the server's processors for one after the first."""
    page = browser.new_context(viewport={"width": 1366, "height": 768}, permissions=["microphone"]).new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(WATCH)
    page.goto(f"{address}/practice?{urlencode({'lesson': 'free-en', 'text': TEXT})}")
    page.get_by_role("button", name="Record", exact=True).wait_for()
    page.wait_for_timeout(1000 * READING_S)
    say(audio, spoken, 0)
    page.get_by_role("button", name="Record", exact=True).click()
    server = servers()[0]
    times_s, processor_s = [], []
    for n in range(N_ATTEMPTS):
        page.wait_for_function(f"performance.getEntriesByName('pronlab-recorded').length > {n}")
        before_s = processor_time_s(server)
        page.wait_for_function(f"window.scoredAt.length > {n}")
        times_s.append(page.evaluate(SINCE, n) / 1000)
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").first.wait_for()
        processor_s.append(processor_time_s(server) - before_s)
        page.wait_for_timeout(500)
        say(audio, spoken, n + 1)
        page.get_by_role("button", name="Again", exact=True).click()
    page.context.close()
    return times_s, statistics.median(processor_s[1:])


SINCE = "n => window.scoredAt[n] - performance.getEntriesByName('pronlab-recorded')[n].startTime"


def say(audio: Audio, spoken: Path, n: int) -> None:
    """Into the fake microphone, each time a little softer: the page scores the same recording once only."""
    spoken.write_bytes(to_wav(audio.samples * 0.99**n, audio.sample_rate_hz))


def _alone(settings: Settings, audio: Audio) -> tuple[float, float]:
    """Seconds, and of the processors, for scoring in a process that has loaded everything."""
    target = Target(TEXT, "en", RubricName.SENTENCE)
    answer(settings, audio, target)
    me, times_s, processor_s = psutil.Process(), [], []
    for _n in range(N_ATTEMPTS):
        begun, before_s = time.perf_counter(), processor_time_s(me)
        answer(settings, audio, target)
        times_s.append(time.perf_counter() - begun)
        processor_s.append(processor_time_s(me) - before_s)
    return statistics.median(times_s), statistics.median(processor_s)


def servers() -> list[psutil.Process]:
    """The dashboards that this process has started."""
    return [child for child in psutil.Process().children() if "streamlit" in child.cmdline()]


def processor_time_s(process: psutil.Process) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))


def speak(text: str, file: Path) -> None:
    if shutil.which("espeak-ng") is None:
        raise RuntimeError("This benchmark needs espeak-ng.")
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "190", "-w", str(file), text], check=True)
