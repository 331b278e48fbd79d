"""Time from starting the server process to the first page drawn in a browser, and the server's memory then."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from pipeline.cli.dashboard import absolute_roots, server_command
from pipeline.importing.demo import install_demo
from pipeline.settings import CHECKOUT, Settings
from tests.bench import BenchResult

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRAWN = "[data-testid=stApp][data-test-script-state=notRunning] h1"
REPEATS = 3
TIMEOUT_S = 60.0
HELLO = 'import streamlit as st\nst.set_page_config(page_title="hello")\nst.title("hello")\n'


def run() -> list[BenchResult]:
    """The start page beside the smallest Streamlit page there can be."""
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        raise RuntimeError("this benchmark needs Debian's chromium: apt install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        settings = Settings(data_root=root / "data", models_root=root / "models")
        install_demo(settings)
        hello = root / "hello.py"
        hello.write_text(HELLO, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        environment = os.environ | absolute_roots(settings)
        ours = [_first_page(browser, server_command("127.0.0.1", port), port, environment) for port in _ports()]
        bare = [_first_page(browser, _bare_command(hello, port), port, environment) for port in _ports()]
        browser.close()
    seconds, megabytes = min(s for s, _ in ours), max(m for _, m in ours)
    least_s, least_mb = min(s for s, _ in bare), max(m for _, m in bare)
    return [
        BenchResult("first page drawn after the server's start", seconds, "s", "< 3.5", "an empty Streamlit page",
                    least_s / seconds),
        BenchResult("memory of the server then", megabytes, "MB", "< 250", "an empty Streamlit page",
                    least_mb / megabytes),
    ]  # fmt: skip


def _ports() -> list[int]:
    found = []
    for _ in range(REPEATS):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            found.append(probe.getsockname()[1])
    return found


def _bare_command(page: Path, port: int) -> list[str]:
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    return [sys.executable, "-m", "streamlit", "run", str(page), *options]


def _first_page(browser: Any, command: list[str], port: int, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until the page is drawn whole, and megabytes of resident memory of the server and its children."""
    url = f"http://127.0.0.1:{port}"
    page = browser.new_page()
    started = time.perf_counter()
    server = subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not _answers(port):
            if time.perf_counter() - started > TIMEOUT_S or server.poll() is not None:
                raise RuntimeError(f"the server did not answer on {url}")
            time.sleep(0.02)
        page.goto(url)
        page.wait_for_selector(DRAWN, timeout=1000 * TIMEOUT_S)
        seconds = time.perf_counter() - started
        process = psutil.Process(server.pid)
        family = [process, *process.children(recursive=True)]
        return seconds, sum(member.memory_info().rss for member in family) / 1e6
    finally:
        page.close()
        server.terminate()
        server.wait(timeout=20)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
