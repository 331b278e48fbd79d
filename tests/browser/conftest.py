"""A real server and a real headless Chromium for the journeys; skipped, with the reason, where either is missing."""

import base64
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.importing.demo import install_demo
from pipeline.settings import CHECKOUT, Settings

# Debian's browser without windows needs a quarter less of a processor than the whole one; either will do.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
LIMIT_S = 240  # for whatever is waited for: far more than it takes on a machine with much else to do
FLAGS = [
    "--no-sandbox", "--mute-audio", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-gpu", "--process-per-site",
]  # fmt: skip
# Run beside the others, with a server and a browser of their own: about half of the work.
DESK = ("test_labelling.py", "test_projects.py", "test_wakeword.py")
SPOKEN = CHECKOUT / "data" / "demo" / "references" / "masa.wav"
# A microphone that says a word once somebody listens: one that speaks as it is opened is heard too late by a page that
# has much to do.
MICROPHONE = """wav => {
  const begins = new WeakMap(), recorded = new WeakSet();
  const begin = (stream) => { begins.get(stream)?.(); begins.delete(stream); };
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext();
    const { buffer } = Uint8Array.from(atob(wav), (sign) => sign.charCodeAt(0));
    const source = new AudioBufferSourceNode(context, { buffer: await context.decodeAudioData(buffer) });
    const { stream } = source.connect(context.createMediaStreamDestination());
    source.onended = () => { window.wordWasSaid = true; };
    begins.set(stream, () => source.start());
    return stream;
  };
  const { start } = MediaRecorder.prototype;
  MediaRecorder.prototype.start = function (...given) {
    recorded.add(this.stream);
    this.addEventListener("start", () => begin(this.stream));
    start.apply(this, given);
  };
  MediaStreamAudioSourceNode.prototype.connect = function (...given) {
    const to = AudioNode.prototype.connect.apply(this, given);
    if (!recorded.has(this.mediaStream)) begin(this.mediaStream);
    return to;
  };
}"""


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group(f"browser: {'desk' if item.path.name in DESK else 'pages'}"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Settings]]:
    """The dashboard on a free port with a fresh copy of the demo; yields its address and settings."""
    root = tmp_path_factory.mktemp("installation")
    settings = Settings(data_root=root / "data", models_root=root / "models")
    install_demo(settings)
    with serving(settings) as address:
        yield address, settings


def choose(page: Any, box: Any, option: str) -> None:
    """Chooses from a select box. Streamlit closes an open list whenever the page is drawn anew or scrolls beneath it,
    so a list that has gone is opened again, as a person would."""
    from playwright.sync_api import TimeoutError as Gone

    wanted = page.get_by_role("option", name=option)
    limit = time.monotonic() + LIMIT_S
    while True:
        box.click()
        try:
            wanted.click(timeout=5_000)
            return
        except Gone:
            if time.monotonic() > limit:
                raise
            page.keyboard.press("Escape")


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The dashboard of an installation on a free port; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "PRONLAB_DATA_ROOT": str(settings.data_root),
        "PRONLAB_MODELS_ROOT": str(settings.models_root),
    }
    log = (settings.data_root.parent / "server.log").open("wb")
    command = [sys.executable, "-m", "pipeline.cli", "dashboard", "--port", str(port), "--no-demo"]
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(address), "the server to answer")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=LIMIT_S)
        log.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("neither Debian's chromium-headless-shell nor its chromium is installed")
    with playwright.sync_playwright() as p:
        found = p.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--use-file-for-fake-audio-capture={SPOKEN}%noloop"]
        )
        yield found
        found.close()


@pytest.fixture(scope="session")
def context(browser: Any, server: tuple[str, Settings]) -> Any:
    """What the pages of all tests have in common: the dashboard's scripts, fetched and compiled once. A page that stays
    open keeps the process that has compiled them."""
    shared = browser.new_context(base_url=server[0], permissions=["microphone"])
    shared.new_page().goto("/_stcore/health")
    return shared


@pytest.fixture
def open_page(browser: Any, context: Any, server: tuple[str, Settings]) -> Iterator[Callable[..., Any]]:
    """`open_page("", rater=..., set=...)` opens a page and watches what it does; the second of a test and those after
    it are in browsers of their own.

    After the test, no page may have logged an error or asked any other host for anything, and the browser has forgotten
    what pages kept in it.
    """
    pages: list[Any] = []
    complaints: list[str] = []

    def open_(
        path: str, *, width: int = 1280, height: int = 900, dark: bool = False, locale: str = "en-US", **query: str
    ) -> Any:
        alone = pages or locale != "en-US"
        options = {"base_url": server[0], "permissions": ["microphone"], "locale": locale}
        place = browser.new_context(**options) if alone else context
        page = place.new_page()
        pages.append(page)
        look(page, width, height, dark=dark)
        watch(page, complaints)
        text = "&".join(f"{key}={value}" for key, value in query.items())
        page.goto(f"/{path}?{text}")
        return page

    yield open_
    for page in pages:
        if page.context is context:
            page.evaluate("localStorage.clear()")
            page.close()
            context.clear_cookies()
        else:
            page.context.close()
    assert not complaints


def say_when_heard(page: Any) -> None:
    """From now on the page's microphone says the word each time that it is listened to."""
    page.evaluate(MICROPHONE, base64.b64encode(SPOKEN.read_bytes()).decode())


def watch(page: Any, complaints: list[str]) -> None:
    """Note the errors of a page, and what it asks other hosts for; whatever is waited for on it has LIMIT_S."""
    page.set_default_timeout(1000 * LIMIT_S)
    page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
    page.on("request", lambda request: complaints.extend(foreign(request.url)))


def look(page: Any, width: int, height: int = 900, *, dark: bool = False) -> None:
    """Make the window that large, in a light or dark system."""
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if dark else "light")


def expect(locator: Any) -> Any:
    """Playwright's assertions, which wait for what they assert."""
    from playwright.sync_api import expect as waiting

    waiting.set_options(timeout=1000 * LIMIT_S)
    return waiting(locator)


def foreign(url: str) -> list[str]:
    inside = re.match(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|blob:|data:|about:", url)
    return [] if inside else [f"asked another host: {url}"]


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1) as reply:
            return reply.status == 200
    except OSError:
        return False


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """The first true answer of `condition`; fails when it stays false for LIMIT_S."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    return pytest.fail(f"waited {LIMIT_S} s for {what}")


def shoot(page: Any, name: str) -> None:
    """Keep a picture for whoever wants to see what a journey saw, in the folder that PRONLAB_TEST_SCREENSHOTS names."""
    folder = os.environ.get("PRONLAB_TEST_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


@pytest.fixture
def results(server: tuple[str, Settings]) -> Callable[[str], list[Path]]:
    """Result files on disk that hold a rating by the given evaluator."""
    root = server[1].sets_root

    def find(evaluator: str) -> list[Path]:
        files = sorted(root.glob("**/*_result.json"))
        return [file for file in files if f'"{evaluator}"' in file.read_text(encoding="utf-8")]

    return find
