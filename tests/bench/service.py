"""The HTTP service under load: requests a second and the slowest of twenty for 3 s clips by 1, 8 and 32 clients at
once, how soon it scores again after its processes were killed, and its memory over 10,000 requests."""

import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil

from pipeline.api.client import Client, ServiceError
from pipeline.audio.encode import to_wav
from pipeline.audio.load import TARGET_RATE_HZ, load_audio
from pipeline.importing.demo import install_demo
from pipeline.settings import CHECKOUT, Settings
from tests.bench import BenchResult

CLIENTS = (1, 8, 32)
SECONDS = 20.0  # of each load
CLIP_S = 3.0
MANY = 10_000
SETTLED_AFTER = 1000  # requests, until every worker has loaded everything
TEXT = "She sells fresh bread and cheese at the market."


def run() -> list[BenchResult]:
    """Sentences by the speech scorer, words by the one in use; every answer is read, none may fail."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_root=Path(folder) / "data", models_root=Path(folder) / "models")
        install_demo(settings)
        begun = time.perf_counter()
        process, url, started_s = _serve(settings)
        try:
            return [
                BenchResult("from start to the first answer of /health", started_s, "s", bar="5 s"),
                BenchResult("from start to scorers loaded in all processes", _ready_s(url, begun), "s"),
                *_loads(url),
                BenchResult("from killed processes to all of them replaced", _recovery_s(process, url), "s", bar="5 s"),
                *_memory(process, url),
            ]
        finally:
            process.terminate()
            process.wait(timeout=20)


def _ready_s(url: str, begun: float) -> float:
    """Since `begun` until every process that scores is up with its scorers loaded."""
    while Client(url).health()["status"] != "ok":
        time.sleep(0.02)
    return time.perf_counter() - begun


def _recovery_s(process: subprocess.Popen[bytes], url: str) -> float:
    """Killed while idle: what is forked from the process that has imported everything."""
    begun = time.perf_counter()
    for parent in psutil.Process(process.pid).children():
        for worker in parent.children():
            worker.kill()
    while Client(url).health()["status"] == "ok":
        time.sleep(0.02)
    return _ready_s(url, begun)


def _loads(url: str) -> list[BenchResult]:
    clip = sentence()
    Client(url).analyze(clip, text=TEXT)
    found = []
    alone = 0.0
    for n in CLIENTS:
        took, failed, wall_s = _load(n, lambda client: client.analyze(clip, text=TEXT), url)
        rate = len(took) / wall_s
        alone = alone or rate
        found += [
            BenchResult(f"sentences of 3 s, {n} clients", rate, "/s", "", "one client", rate / alone),
            BenchResult(f"slowest of twenty, {n} clients", 1000 * float(np.percentile(took, 95)), "ms"),
            BenchResult(f"failed, {n} clients, of {len(took) + failed}", failed, "", bar="0"),
        ]
    return found


def _load(n: int, ask: Callable[[Client], object], url: str) -> tuple[list[float], int, float]:
    """Seconds of each answer, how many failed, and how long it took in all."""
    took: list[float] = []
    failures: list[str] = []
    end = time.perf_counter() + SECONDS
    lock = threading.Lock()

    def work() -> None:
        client = Client(url)
        while time.perf_counter() < end:
            begun = time.perf_counter()
            try:
                ask(client)
            except ServiceError as error:
                with lock:
                    failures.append(str(error))
            else:
                with lock:
                    took.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took, len(failures), time.perf_counter() - begun


def _memory(process: subprocess.Popen[bytes], url: str) -> list[BenchResult]:
    """Of the service with its workers, after the first thousand requests and after all."""
    clip = (CHECKOUT / "data" / "demo" / "participant_04" / "kelimeler" / "01_araba.wav").read_bytes()
    local = threading.local()
    failed = 0
    before_mb = 0.0
    begun = time.perf_counter()

    def one(_: int) -> bool:
        if not hasattr(local, "client"):
            local.client = Client(url)
        try:
            return local.client.analyze(clip, word="araba")["overall"] is not None
        except ServiceError:
            return False

    with ThreadPoolExecutor(8) as pool:
        for number, good in enumerate(pool.map(one, range(MANY)), start=1):
            failed += not good
            if number == SETTLED_AFTER:
                before_mb = _resident_mb(process)
    after_mb = _resident_mb(process)
    return [
        BenchResult(f"words, 8 clients, {MANY:,} requests", MANY / (time.perf_counter() - begun), "/s"),
        BenchResult(f"failed of {MANY:,}", failed, "", bar="0"),
        BenchResult(
            f"memory after {MANY:,} requests", after_mb, "MB", "", f"after {SETTLED_AFTER:,}", before_mb / after_mb
        ),
    ]


def _resident_mb(process: subprocess.Popen[bytes]) -> float:
    found = psutil.Process(process.pid)
    return sum(one.memory_info().rss for one in (found, *found.children(recursive=True))) / 2**20


def sentence() -> bytes:
    """Demo words one after the other, 3 s of them: what is said does not matter to how long it takes."""
    words = sorted((CHECKOUT / "data" / "demo" / "references").glob("*.wav"))
    sound = np.concatenate([load_audio(path).samples for path in words])[: round(CLIP_S * TARGET_RATE_HZ)]
    return to_wav(sound, TARGET_RATE_HZ)


def _serve(settings: Settings) -> tuple[subprocess.Popen[bytes], str, float]:
    import os

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    roots = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}
    command = [sys.executable, "-m", "pipeline.cli", "serve", "--port", str(port)]
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | roots, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    while time.perf_counter() - begun < 60:
        try:
            Client(url, timeout_s=2).health()
        except (OSError, ServiceError):
            time.sleep(0.05)
        else:
            return process, url, time.perf_counter() - begun
    process.kill()
    raise RuntimeError("the service did not answer within a minute")
