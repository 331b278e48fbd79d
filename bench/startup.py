"""Time from starting the server process to the first page drawn in a browser, and the server's memory then."""

import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from bench import BenchResult
from pipeline.cli.dashboard import absolute_roots, ensure_demo, server_command
from pipeline.settings import CHECKOUT, Settings

CHROMIUM = "/usr/bin/chromium"
DRAWN = "[data-testid=stApp][data-test-script-state=notRunning] h1"
REPEATS = 3
TIMEOUT_S = 60.0


def run() -> list[BenchResult]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        settings = Settings(data_root=root / "data", models_root=root / "models")
        ensure_demo(settings)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            measured = [_first_page(settings, browser) for _ in range(REPEATS)]
        finally:
            browser.close()
    return []


def _first_page(settings: Settings, browser) -> tuple[float, float]:
    """Seconds until the first page is drawn whole, and megabytes of resident memory of the server and its children."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    page = browser.new_page()
    started = time.perf_counter()
    server = subprocess.Popen(
        server_command("127.0.0.1", port),
        cwd=CHECKOUT,
        env=os.environ | absolute_roots(settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(url):
            if time.perf_counter() - started > TIMEOUT_S or server.poll() is not None:
                raise RuntimeError(f"the server did not answer on {url}")
            time.sleep(0.02)
        page.goto(url)
        page.wait_for_selector(DRAWN, timeout=1000 * TIMEOUT_S)
        seconds = time.perf_counter() - started
        tree = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        return seconds, sum(process.memory_info().rss for process in tree) / 1e6
    finally:
        page.close()
        server.terminate()
        server.wait(timeout=10)


def _answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
        return bool(answer.status == 200)
    return False
