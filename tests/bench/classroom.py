"""A class at once: learners who each send a recording within a minute, how long each waits for the score, and what the
server needs.

    python -m tests.bench classroom

Two of the learners are pages in a browser with a microphone, the others speak Streamlit's own protocol
(`learner_session`). Each session says a sentence of its own, and what comes back is compared with what that recording
scores alone: nobody may see another's.
"""

import random
import shutil
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

from pipeline.audio.encode import to_wav
from pipeline.audio.load import load_audio
from pipeline.deployment.answering import answer
from pipeline.importing.demo import install_demo
from pipeline.records import RubricName, Target
from pipeline.settings import Settings
from tests.bench import BenchResult
from tests.bench.learner_session import LearnerSession
from tests.bench.practising import WATCH, processor_time_s, servers, speak
from tests.browser.conftest import CHROMIUM, FLAGS, serving

CLASSES = (5, 15, 30)
LESSONS = 10  # of the largest class, one after the other, for what the server's memory does
N_BROWSERS = 2
WITHIN_S = 60.0
LESSON = "free-en"
NOUNS = ("bread", "cheese", "water", "coffee", "paper", "music", "summer", "winter", "garden", "kitchen")
VERBS = ("My brother wants some", "Could you tell me about the", "They never talk about the")


@dataclass(frozen=True)
class Turn:
    """What a learner says, when, and what it scores alone."""

    text: str
    wav: bytes
    score: str
    at_s: float


@dataclass
class Outcome:
    seconds: float
    is_right: bool


def run() -> list[BenchResult]:
    if shutil.which("espeak-ng") is None:
        raise RuntimeError("This benchmark needs espeak-ng.")
    results: list[BenchResult] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_root=Path(folder) / "data", models_root=Path(folder) / "models")
        install_demo(settings)
        turns = said(settings, Path(folder))
        with serving(settings) as address:
            for n in CLASSES:
                results += _class(address, turns[:n], Path(folder))
            results += _lessons(address, turns, Path(folder))
    return results


def _lessons(address: str, turns: list[Turn], folder: Path) -> list[BenchResult]:
    """The largest class again and again, by other visitors each time: ten minutes on end."""
    begun, memory_mb, failed = time.perf_counter(), [], 0.0
    for lesson in range(LESSONS):
        result = {one.name.rpartition(": ")[2]: one.value for one in _class(address, turns, folder)}
        memory_mb.append(result["memory of the server"])
        failed += result["failed, or not their own"]
        print(f"lesson {lesson + 1}: {memory_mb[-1]:.0f} MB, {result['the longest']:.1f} s at most", flush=True)
    of = f"{LESSONS} classes of {len(turns)}, {(time.perf_counter() - begun) / 60:.0f} minutes"
    return [
        BenchResult(f"{of}: failed, or not their own", failed, "", "0"),
        BenchResult(
            f"{of}: memory after the last", memory_mb[-1], "MB", "3,000", "the first", memory_mb[-1] / memory_mb[0]
        ),
    ]


def said(settings: Settings, folder: Path) -> list[Turn]:
    """A sentence for each learner, some 4 s with the silence in which a recording stops by itself."""
    draw, turns = random.Random(7), []
    for n in range(max(CLASSES)):
        text = f"{VERBS[n // len(NOUNS)]} {NOUNS[n % len(NOUNS)]} in the other room."
        file = folder / f"{n}.wav"
        speak(text, file)
        target = Target(text, "en", RubricName.SENTENCE)
        overall = answer(settings, load_audio(file), target).result.overall
        turns.append(Turn(text, file.read_bytes(), str(int(overall or 0.0)), draw.uniform(0.0, WITHIN_S)))
    return turns


def _class(address: str, turns: list[Turn], folder: Path) -> list[BenchResult]:
    """One lesson of so many learners."""
    outcomes: list[Outcome | None] = [None] * len(turns)
    ready, begin = threading.Barrier(len(turns) - N_BROWSERS + 2), threading.Event()
    begun = 0.0

    def learn(number: int) -> None:
        turn = turns[number]
        others = {other.text for other in turns if other.text != turn.text}
        with LearnerSession(address, LESSON, turn.text) as session:
            session.open()
            ready.wait()
            begin.wait()
            time.sleep(max(0.0, begun + turn.at_s - time.perf_counter()))
            scored = session.record(turn.wav)
        shown = scored.texts
        is_right = scored.score == turn.score and turn.text in shown and not any(text in shown for text in others)
        outcomes[number] = Outcome(scored.seconds, is_right)

    def in_browser() -> None:
        for number, outcome in enumerate(_in_browser(address, turns[:N_BROWSERS], folder, ready, begin)):
            outcomes[number] = outcome

    threads = [threading.Thread(target=learn, args=(number,)) for number in range(N_BROWSERS, len(turns))]
    threads.append(threading.Thread(target=in_browser))
    for thread in threads:
        thread.start()
    ready.wait()
    server = servers()[0]
    before_s, begun = processor_time_s(server), time.perf_counter()
    begin.set()
    for thread in threads:
        thread.join()
    done = [outcome for outcome in outcomes if outcome is not None]
    waits = sorted(outcome.seconds for outcome in done)
    of = f"{len(turns)} learners within {WITHIN_S:.0f} s"
    return [
        BenchResult(f"{of}: from sending to the score, median", statistics.median(waits), "s"),
        BenchResult(f"{of}: the longest", waits[-1], "s", "5"),
        BenchResult(f"{of}: failed, or not their own", len(turns) - sum(one.is_right for one in done), "", "0"),
        BenchResult(f"{of}: processor time for each", (processor_time_s(server) - before_s) / len(turns), "s"),
        BenchResult(f"{of}: memory of the server", _memory_mb(server), "MB", "3,000"),
    ]


def _in_browser(
    address: str, turns: list[Turn], folder: Path, ready: threading.Barrier, begin: threading.Event
) -> list[Outcome]:
    """Each in a page of its own with the same microphone; the first turn's sentence is what all of them say."""
    from playwright.sync_api import sync_playwright

    spoken, turn, outcomes = folder / "spoken.wav", turns[0], []
    audio = load_audio(turn.wav)
    spoken.write_bytes(to_wav(audio.samples, audio.sample_rate_hz))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--use-file-for-fake-audio-capture={spoken}%noloop"]
        )
        pages = []
        for _turn in turns:
            page = browser.new_context(permissions=["microphone"]).new_page()
            page.set_default_timeout(240_000)
            page.add_init_script(WATCH)
            page.goto(f"{address}/practice?{urlencode({'lesson': LESSON, 'text': turn.text})}")
            page.get_by_role("button", name="Record", exact=True).wait_for()
            pages.append(page)
        ready.wait()
        begin.wait()
        for page in pages:
            page.get_by_role("button", name="Record", exact=True).click()
        for page in pages:
            outcomes.append(_outcome(page))
        browser.close()
    return outcomes


def _outcome(page: Any) -> Outcome:
    page.wait_for_function("window.scoredAt.length > 0")
    seconds = page.evaluate(
        "() => (window.scoredAt[0] - performance.getEntriesByName('pronlab-recorded')[0].startTime) / 1000"
    )
    return Outcome(seconds, page.locator("[data-testid=stMetricValue]").count() > 0)


def _memory_mb(server: psutil.Process) -> float:
    return sum(one.memory_info().rss for one in (server, *server.children(recursive=True))) / 2**20
