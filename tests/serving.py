"""The service for tests: in a thread of this process, or as `pronlab serve` in a process of its own."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
import psutil
import uvicorn

from pipeline.api.app import make_app
from pipeline.api.limits import Limits
from pipeline.api.protocol import patient
from pipeline.settings import CHECKOUT, Settings

CLIP = sorted((CHECKOUT / "data" / "demo").glob("participant_03/kelimeler/*_araba.wav"))[0]
LIMITS = Limits(max_bytes=400_000, max_s=6.0, batch=3, workers=1, queue=2, timeout_s=30.0, body_s=1.0)
PATIENCE_S = 120.0  # for what happens within seconds on a machine that does nothing else


class Service:
    """A server on a free port, in a thread."""

    def __init__(self, settings: Settings, limits: Limits = LIMITS, **options: Any) -> None:
        self.settings = settings
        config = uvicorn.Config(
            make_app(settings, limits, **options),
            port=0,
            log_level="error",
            http=patient(limits),
            proxy_headers=False,
            timeout_keep_alive=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60.0)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    def analyze(self, content: bytes | None = None, **fields: str) -> Any:
        clip = CLIP.read_bytes() if content is None else content
        return self.client.post("/analyze", files={"file": ("clip.wav", clip, "audio/wav")}, data=fields)


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

    def replaced(self) -> int:
        """How many workers ended and were replaced since the start."""
        lines = self.client().get("/metrics").text.splitlines()
        return int(float(next(line for line in lines if line.startswith("pronlab_workers_replaced_total")).split()[1]))

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

    def scored(self) -> int:
        return [status for status, _ in list(self.answers)].count(200)

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
