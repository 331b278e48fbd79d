"""Run directories: the one format that everything that trains or works in the background writes, and pages read.

    <root>/<name>-<hash>/
        config.json      the resolved configuration
        run.json         kind, status, pid, heartbeat, progress, git commit, data hash, seed, host, versions, result
        metrics.jsonl    one object a step or epoch
        log.txt          what the process printed
        checkpoints/

A finished child that nobody waited for still looks alive to the system, so liveness is judged by status and
heartbeat, never by pid alone.
"""

import hashlib
import json
import os
import platform
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.errors import JobError
from pipeline.records import Seconds, to_json
from pipeline.settings import CHECKOUT

HEARTBEAT_EVERY_S: Seconds = 2.0
STALE_AFTER_S: Seconds = 30.0
ACTIVE = ("queued", "running", "stopping")
STOP_FILE = "stop-requested"


class StopRequested(Exception):
    """Raised inside a run when a person asked it to stop; the run ends as `stopped`, keeping what it has."""


@dataclass(frozen=True)
class RunState:
    """The content of `run.json`. Times are ISO 8601 UTC; `status` is one of queued, running, stopping, finished,
    stopped, failed or lost (active by its own word, but without a heartbeat for 30 s)."""

    kind: str
    name: str
    status: str = "queued"
    pid: int | None = None
    created_at: str = ""
    heartbeat_at: str = ""
    ended_at: str | None = None
    progress: float | None = None
    message: str = ""
    error: str | None = None
    git_commit: str | None = None
    data_hash: str | None = None
    seed: int | None = None
    host: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)


def now_iso() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class RunDirectory:
    """Reads one run; `start` turns the holder into its writer."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @classmethod
    def create(cls, root: Path, *, kind: str, name: str, config: Any, seed: int | None = None) -> "RunDirectory":
        """Make a fresh directory `<name>-<8 hex digits of config and time>` with status `queued`."""
        safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name).strip(".-") or kind
        resolved = to_json(config)
        created_at = now_iso()
        salt = json.dumps(resolved, sort_keys=True, ensure_ascii=False) + created_at + os.urandom(4).hex()
        path = root / f"{safe}-{hashlib.sha256(salt.encode()).hexdigest()[:8]}"
        path.mkdir(parents=True)
        run = cls(path)
        artifacts.write_json(path / "config.json", resolved)
        run._write(
            RunState(
                kind=kind,
                name=name,
                seed=seed,
                created_at=created_at,
                heartbeat_at=created_at,
                git_commit=_git_commit(),
                host=socket.gethostname(),
                versions=_versions(),
            )
        )
        return run

    @classmethod
    def open(cls, root: Path, run_id: str) -> "RunDirectory":
        """The run `run_id` directly under `root`. Raises JobError where there is none."""
        path = root / run_id
        if Path(run_id).name != run_id or not (path / "run.json").is_file():
            raise JobError(f"No run {run_id!r} under {root}. `pronlab runs` lists those there are.")
        return cls(path)

    @property
    def config(self) -> dict[str, Any]:
        return dict(_read_json(self.path / "config.json"))

    @property
    def state(self) -> RunState:
        """What the run says of itself, corrected to `lost` where an active run has stopped giving signs of life."""
        raw = _read_json(self.path / "run.json")
        known = {k: v for k, v in raw.items() if k in RunState.__dataclass_fields__}
        state = RunState(**known)
        if state.status in ACTIVE and _age_s(state.heartbeat_at) > STALE_AFTER_S:
            return replace(state, status="lost", error="The process stopped without a word; see log.txt.")
        return state

    def metrics(self) -> list[dict[str, Any]]:
        """Every complete line of `metrics.jsonl`; a half-written last line is left out."""
        path = self.path / "metrics.jsonl"
        if not path.is_file():
            return []
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines if line]

    def log_tail(self, max_bytes: int = 8000) -> str:
        path = self.path / "log.txt"
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - max_bytes))
            return file.read().decode("utf-8", errors="replace")

    def request_stop(self) -> None:
        """Ask the run to end after its current step. Safe to call twice, or after the end."""
        (self.path / STOP_FILE).touch()

    def withdraw_stop(self) -> None:
        """Take back an earlier request, for a run that is to go on."""
        (self.path / STOP_FILE).unlink(missing_ok=True)

    def requeue(self) -> None:
        """Say that a process for it is on its way, so that pages do not show it as over until it reports."""
        self._write(replace(self.state, status="queued", heartbeat_at=now_iso(), ended_at=None, error=None))

    @contextmanager
    def start(self) -> Iterator["RunWriter"]:
        """Run the body as this run: heartbeat while it lasts, and the right status whichever way it ends."""
        writer = RunWriter(self)
        writer.begin()
        try:
            yield writer
        except StopRequested:
            writer.end("stopped")
        except BaseException as error:
            writer.end("failed", error=str(error) or type(error).__name__)
            raise
        else:
            writer.end("finished")

    def _write(self, state: RunState) -> None:
        artifacts.write_json(self.path / "run.json", state)


class RunWriter:
    """The writing side of a run; thread-safe, as the heartbeat comes from a thread of its own."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self._lock = threading.Lock()
        self._state = run.state
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def begin(self) -> None:
        self.update(status="running", pid=os.getpid())
        self._thread.start()

    def end(self, status: str, error: str | None = None) -> None:
        self._over.set()
        self._thread.join()
        self.update(status=status, error=error, ended_at=now_iso())

    def update(self, **changes: Any) -> None:
        """Change fields of `run.json`, for instance `progress=.5, message="fold 3 of 5"` or `result={...}`."""
        with self._lock:
            self._state = replace(self._state, heartbeat_at=now_iso(), **changes)
            self.run._write(self._state)

    def log_metrics(self, **values: Any) -> None:
        """Append one object, with its time, to `metrics.jsonl`."""
        line = json.dumps(to_json({"at": now_iso(), **values}), ensure_ascii=False)
        with (self.run.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def log(self, text: str) -> None:
        """Append one line to `log.txt`."""
        with (self.run.path / "log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{now_iso()} {text}\n")

    @property
    def stop_requested(self) -> bool:
        """Whether a person asked for the end."""
        return (self.run.path / STOP_FILE).exists()

    def check_stop(self) -> None:
        """Raise StopRequested if a person asked for the end; call it between steps."""
        if self.stop_requested:
            raise StopRequested

    def _beat(self) -> None:
        while not self._over.wait(HEARTBEAT_EVERY_S):
            self.update()


def list_runs(root: Path) -> list[RunDirectory]:
    """All runs under `root`, newest first; folders without a readable `run.json` are passed over."""
    if not root.is_dir():
        return []
    created: dict[RunDirectory, str] = {}
    for path in root.iterdir():
        if (path / "run.json").is_file():
            with suppress(JobError, TypeError, ValueError):  # one damaged run hides none of the others
                created[RunDirectory(path)] = RunDirectory(path).state.created_at
    return sorted(created, key=created.__getitem__, reverse=True)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobError(f"{path} cannot be read as JSON: {error}") from error


def _age_s(iso: str) -> Seconds:
    return time.time() - datetime.fromisoformat(iso).timestamp()


def _git_commit() -> str | None:
    command = ["git", "-C", str(CHECKOUT), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("pronlab", "torch", "numpy", "scikit-learn"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
