"""The writing side of a run: status, heartbeat, metrics, log."""

import os
import shutil
import socket
import threading
import time
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from pipeline import jsonl
from pipeline.errors import JobError
from pipeline.i18n import N_
from pipeline.parallel import is_first_process
from pipeline.processes import started_at, this_machine
from pipeline.runs.process import claim
from pipeline.runs.state import HEARTBEAT_EVERY_S, RunGone, RunState, StopRequested
from pipeline.runs.trackers import Trackers
from pipeline.runs.usage import UsageMeter
from pipeline.text import printable
from pipeline.times import now_iso

if TYPE_CHECKING:
    from pipeline.runs.directory import RunDirectory

USAGE_EVERY_S = 10.0
DELETION_LASTS_S = 1.0


class RunWriter:
    """Thread-safe, as the heartbeat comes from a thread of its own.

    Of several processes of one run (torchrun's ranks) only the first writes; the others have the same methods, without
    effect, and the same `stop_requested`.
    """

    def __init__(self, run: "RunDirectory") -> None:
        self.run = run
        self.leads = is_first_process()
        # Held open, so that no later folder of the same name can be taken for this run's.
        self._folder = os.open(run.path, os.O_RDONLY)
        if self.leads and not claim(self._folder):
            self.close()
            raise JobError(
                N_("Another process is working on {run}. Wait until it has ended, or stop it with `pronlab runs stop "
                   "{run}`."),
                run=run.id,
            )  # fmt: skip
        self._seen_whole_at = time.time()
        self._lock = threading.Lock()
        self._state: RunState = run.state
        self._trackers: Trackers | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def begin(self) -> None:
        self.update(
            status="running", pid=os.getpid(), pid_started_at=started_at(), machine=this_machine(),
            host=socket.gethostname(), device="", waits_for="", error=None, ended_at=None,
        )  # fmt: skip
        if self.leads:
            self._thread.start()

    def end(self, status: str, error: str | None = None) -> None:
        self._finish()
        self.update(status=status, error=error, ended_at=now_iso())

    def update(self, **changes: Any) -> None:
        """Change fields of `run.json`, for instance `progress=.5, message="fold 3 of 5"` or `result={...}`."""
        if not self.leads:
            return
        with self._lock:
            self.check_there()
            self._state = replace(self._state, heartbeat_at=now_iso(), **changes)
            self.run.write_state(self._state)
        if self.run.told is not None and changes.get("message"):
            self.run.told(changes["message"])

    def log_metrics(self, **values: Any) -> None:
        """Append one object, with its time, to `metrics.jsonl`, and send its numbers to the trackers."""
        self._append("metrics.jsonl", {"at": now_iso(), **values})
        if self.leads:
            if self._trackers is None:
                self._trackers = Trackers(self.run.path, self._config(), self.log)
            self._trackers.log(values)

    def log(self, text: str) -> None:
        """Append one line to `log.txt`."""
        if self.leads:
            with (self.run.path / "log.txt").open("a", encoding="utf-8") as file:
                file.write(f"{now_iso()} {printable(text)}\n")

    @property
    def stop_requested(self) -> bool:
        """Whether a person asked for the end."""
        return self.run.stop_requested

    @property
    def gone(self) -> bool:
        """Whether the run's folder was deleted, or is being deleted, whatever was written under its name since."""
        return not (self._is_own_folder() and (self.run.path / "config.json").exists())

    def check_stop(self) -> None:
        """Raise StopRequested if a person asked for the end, RunGone if the folder was deleted; call it between
        steps."""
        self.check_there()
        if self.stop_requested:
            raise StopRequested

    def check_there(self) -> None:
        """Raises RunGone if the folder was deleted."""
        if self.gone:
            raise RunGone(
                N_("The run {run} is gone: its folder {path} was deleted."), run=self.run.id, path=str(self.run.path)
            )
        self._seen_whole_at = time.time()

    def give_up(self) -> None:
        """End without a word, and take away what was written under the folder's name while it was deleted."""
        self._finish()
        if not self.leads:
            return
        with suppress(OSError):
            if not self._is_own_folder():
                if not (self.run.path / "run.json").exists():
                    shutil.rmtree(self.run.path)  # a library made it again
                return
            time.sleep(DELETION_LASTS_S)
            # Left by a deletion that this run wrote into; older files were not meant to be deleted, and stay.
            oldest = min((path.stat().st_mtime for path in self.run.path.rglob("*") if path.is_file()), default=None)
            if oldest is None or oldest > self._seen_whole_at - DELETION_LASTS_S:
                shutil.rmtree(self.run.path)

    def close(self) -> None:
        os.close(self._folder)

    def _is_own_folder(self) -> bool:
        try:
            return os.path.samestat(self.run.path.stat(), os.fstat(self._folder))
        except OSError:
            return False

    def _config(self) -> dict[str, Any]:
        try:
            return self.run.config
        except JobError:
            return {}

    def _finish(self) -> None:
        if self._trackers is not None:
            self._trackers.close()
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _append(self, file_name: str, row: dict[str, Any]) -> None:
        if self.leads:
            self.check_there()
            jsonl.append(self.run.path / file_name, row)

    def _beat(self) -> None:
        meter, measured = UsageMeter(), time.monotonic()
        meter.measure(1.0)
        while not self._over.wait(HEARTBEAT_EVERY_S):
            # A disk that is full for a moment must not make the run look dead; a deleted folder ends it elsewhere.
            with suppress(OSError, RunGone):
                self.update(pid_started_at=started_at())  # the clock may have been set
                now = time.monotonic()
                if now - measured >= USAGE_EVERY_S:
                    line = {"at": now_iso(), **asdict(meter.measure(now - measured))}
                    self._append("usage.jsonl", line)
                    measured = now
