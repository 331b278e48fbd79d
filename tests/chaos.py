"""`pronlab serve` in a process of its own, and ways to hurt it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx2
import psutil

from pipeline.settings import CHECKOUT, Settings

CLIP = sorted((CHECKOUT / "data" / "demo").glob("participant_03/kelimeler/*_araba.wav"))[0]
PATIENCE_S = 120.0  # for what happens within seconds on a machine that does nothing else


@dataclass
class Served:
    url: str
    process: subprocess.Popen[str]

    def client(self, timeout_s: float = PATIENCE_S, **given: object) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, timeout=timeout_s, **given)

    def workers(self) -> list[psutil.Process]:
        """The processes that score: forked from the one that has imported everything."""
        with suppress(psutil.NoSuchProcess):
            return [
                worker
                for parent in psutil.Process(self.process.pid).children()
                for worker in parent.children()
                if worker.status() != psutil.STATUS_ZOMBIE
            ]
        return []

    def ready(self) -> int:
        """How many workers are loaded."""
        answer = self.client().get("/ready")
        return answer.json()["workers_loaded"] if answer.status_code == 200 else 0

    def wait_ready(self, n: int = 2) -> float:
        """Seconds until `n` workers are loaded."""
        begun = time.monotonic()
        wait_for(lambda: self.ready() >= n)
        return time.monotonic() - begun


def wait_for(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"not within {timeout_s:g} s"
        time.sleep(0.05)


@contextmanager
def serving(settings: Settings, *options: str) -> Iterator[Served]:
    """The command with these options on a free port."""
    roots = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}
    command = [sys.executable, "-m", "pipeline.cli", "serve", "--port", "0", "--json", *options]
    log = (settings.data_root.parent / "serve.log").open("w")
    process = subprocess.Popen(command, env=os.environ | roots, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            with suppress(ValueError):
                yield Served(json.loads("".join(lines))["url"], process)
                return
        raise AssertionError(f"it did not start: {log.name}")
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        log.close()


@dataclass
class Load:
    """Clients that ask one after the other until `stop`; `answers` are the status and the seconds of each."""

    served: Served
    clients: int
    answers: list[tuple[int, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._ask) for _ in range(self.clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()

    def _ask(self) -> None:
        clip = CLIP.read_bytes()
        with self.served.client() as client:
            while not self.stop.is_set():
                begun = time.monotonic()
                try:
                    answer = client.post("/analyze", files={"file": ("a.wav", clip)}, data={"word": "araba"})
                except httpx2.HTTPError as error:
                    self.wrong.append(repr(error))
                    continue
                self.answers.append((answer.status_code, time.monotonic() - begun))
                if answer.status_code not in (200, 429, 503):
                    self.wrong.append(answer.text)
                elif answer.status_code != 200:
                    told = answer.headers.get("retry-after"), answer.headers["content-type"]
                    if told[0] is None or told[1] != "application/problem+json":
                        self.wrong.append(f"{answer.status_code} {told}: {answer.text}")
                    self.stop.wait(float(told[0] or 1))
