"""The writing side of a run: status, heartbeat, metrics, log."""

import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import psutil

from pipeline import jsonl
from pipeline.runs.state import HEARTBEAT_EVERY_S, RunState, StopRequested, now_iso
from pipeline.runs.usage import UsageMeter

if TYPE_CHECKING:
    from pipeline.runs.directory import RunDirectory

USAGE_EVERY_S = 10.0


class RunWriter:
    """Thread-safe, as the heartbeat comes from a thread of its own.

    Of several processes of one run (torchrun's ranks) only the first writes; the others have the same methods, without
    effect, and the same `stop_requested`.
    """

    def __init__(self, run: "RunDirectory") -> None:
        self.run = run
        self.leads = os.environ.get("RANK", "0") == "0"
        self._lock = threading.Lock()
        self._state: RunState = run.state
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def begin(self) -> None:
        self.update(
            status="running", pid=os.getpid(), pid_started_at=psutil.Process().create_time(),
            host=socket.gethostname(), device="", waits_for="", error=None, ended_at=None,
        )  # fmt: skip
        if self.leads:
            self._thread.start()

    def end(self, status: str, error: str | None = None) -> None:
        self._over.set()
        if self.leads:
            self._thread.join()
        self.update(status=status, error=error, ended_at=now_iso())

    def update(self, **changes: Any) -> None:
        """Change fields of `run.json`, for instance `progress=.5, message="fold 3 of 5"` or `result={...}`."""
        if not self.leads:
            return
        with self._lock:
            self._state = replace(self._state, heartbeat_at=now_iso(), **changes)
            self.run.write_state(self._state)

    def log_metrics(self, **values: Any) -> None:
        """Append one object, with its time, to `metrics.jsonl`."""
        self._append("metrics.jsonl", {"at": now_iso(), **values})

    def log(self, text: str) -> None:
        """Append one line to `log.txt`."""
        if self.leads:
            with (self.run.path / "log.txt").open("a", encoding="utf-8") as file:
                file.write(f"{now_iso()} {text}\n")

    @property
    def stop_requested(self) -> bool:
        """Whether a person asked for the end."""
        return self.run.stop_requested

    def check_stop(self) -> None:
        """Raise StopRequested if a person asked for the end; call it between steps."""
        if self.stop_requested:
            raise StopRequested

    def _append(self, file_name: str, row: dict[str, Any]) -> None:
        if self.leads:
            jsonl.append(self.run.path / file_name, row)

    def _beat(self) -> None:
        meter, measured = UsageMeter(), time.monotonic()
        meter.measure(1.0)
        while not self._over.wait(HEARTBEAT_EVERY_S):
            with suppress(OSError):  # a disk that is full for a moment must not make the run look dead
                self.update()
                now = time.monotonic()
                if now - measured >= USAGE_EVERY_S:
                    line = {"at": now_iso(), **asdict(meter.measure(now - measured))}
                    self._append("usage.jsonl", line)
                    measured = now
