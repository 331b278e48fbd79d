"""One run's folder: making it, reading it, and what may be done to it from outside."""

import errno
import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.errors import JobError
from pipeline.records import to_json
from pipeline.runs.failures import in_words, of_a_lost_run
from pipeline.runs.metrics import read_lines
from pipeline.runs.state import ACTIVE, LOCAL, STALE_AFTER_S, RunState, StopRequested, age_s, now_iso
from pipeline.runs.writer import RunWriter
from pipeline.settings import CHECKOUT

STATE_FILE = "run.json"
MAX_USAGE_BYTES = 200  # of one line
STOP_FILE = "stop-requested"


@dataclass(frozen=True)
class RunDirectory:
    """Reads one run; `start` gives its writer."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @classmethod
    def create(
        cls, root: Path, *, kind: str, name: str, config: Any, seed: int | None = None, executor: str = LOCAL
    ) -> "RunDirectory":
        """Make a fresh directory `<name>-<8 hex digits of config and time>` with status `queued`."""
        safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name).strip(".-") or kind
        resolved = to_json(config)
        created_at = now_iso()
        salt = json.dumps(resolved, sort_keys=True, ensure_ascii=False) + created_at + os.urandom(4).hex()
        path = root / f"{safe}-{hashlib.sha256(salt.encode()).hexdigest()[:8]}"
        path.mkdir(parents=True)
        run = cls(path)
        artifacts.write_json(path / "config.json", resolved)
        run.write_state(
            RunState(
                kind=kind,
                name=name,
                seed=seed,
                executor=executor,
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
        if Path(run_id).name != run_id or not (path / STATE_FILE).is_file():
            raise JobError(f"No run {run_id!r} under {root}. `pronlab runs` lists those there are.")
        return cls(path)

    @property
    def config(self) -> dict[str, Any]:
        return dict(_read_json(self.path / "config.json"))

    @property
    def state(self) -> RunState:
        """What the run says of itself, corrected to `lost` where an active run has stopped giving signs of life, and
        to `stopping` where it was asked to."""
        raw = _read_json(self.path / STATE_FILE)
        known = {k: v for k, v in raw.items() if k in RunState.__dataclass_fields__}
        state = RunState(**known)
        if state.status not in ACTIVE or state.waits_elsewhere:
            return state
        if age_s(state.heartbeat_at) > STALE_AFTER_S:
            return replace(state, status="lost", error=of_a_lost_run(self.log_tail(500)))
        return replace(state, status="stopping") if self.stop_requested else state

    def metrics(self) -> list[dict[str, Any]]:
        """Every complete line of `metrics.jsonl`; a half-written last line is left out."""
        return read_lines(self.path / "metrics.jsonl")[0]

    def usage(self, last: int = 360) -> list[dict[str, Any]]:
        """The last measurements of processor, memory and GPU (an hour's by default)."""
        path = self.path / "usage.jsonl"
        start = max(0, path.stat().st_size - last * MAX_USAGE_BYTES) if path.is_file() else 0
        return read_lines(path, start)[0][-last:]

    def log_tail(self, max_bytes: int = 8000) -> str:
        path = self.path / "log.txt"
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - max_bytes))
            return file.read().decode("utf-8", errors="replace")

    @property
    def stop_requested(self) -> bool:
        return (self.path / STOP_FILE).exists()

    @property
    def stop_requested_s_ago(self) -> float | None:
        """None where nobody asked."""
        with suppress(FileNotFoundError):
            return max(0.0, time.time() - (self.path / STOP_FILE).stat().st_mtime)
        return None

    def request_stop(self) -> None:
        """Ask the run to end after its current step. Safe to call twice, or after the end."""
        if not self.stop_requested:
            (self.path / STOP_FILE).touch()

    def withdraw_stop(self) -> None:
        """Take back an earlier request, for a run that is to go on."""
        (self.path / STOP_FILE).unlink(missing_ok=True)

    def requeue(self, executor: str = LOCAL) -> None:
        """Say that a process for it is on its way, so that pages do not show it as over until it reports."""
        self.write_state(
            replace(
                self.state, status="queued", heartbeat_at=now_iso(), ended_at=None, error=None, pid=None, device="",
                executor=executor, waits_for="",
            )
        )  # fmt: skip

    def close(self, status: str, error: str | None = None) -> None:
        """Say for a process that cannot how it ended."""
        self.write_state(replace(self.state, status=status, error=error, ended_at=now_iso()))

    @property
    def size_mb(self) -> float:
        """On disk, with checkpoints and models."""
        sizes = 0
        for path in self.path.rglob("*"):
            with suppress(OSError):
                sizes += path.lstat().st_size
        return sizes / 1e6

    def delete(self) -> None:
        """Remove it with all it holds. Raises JobError while it is active."""
        if self.state.status in ACTIVE:
            raise JobError(f"{self.id} is {self.state.status}. Stop it first.")
        # Out of every list at once, whatever of the rest cannot be removed.
        (self.path / STATE_FILE).unlink()
        shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def start(self) -> Iterator[RunWriter]:
        """Run the body as this run: heartbeat while it lasts, and the right status whichever way it ends. A full disk
        or memory is raised as JobError, in words."""
        writer = RunWriter(self)
        writer.begin()
        try:
            yield writer
        except StopRequested:
            writer.end("stopped")
        except BaseException as error:
            words = in_words(error)
            writer.end("failed", error=words or str(error) or type(error).__name__)
            if words is not None:
                raise JobError(words) from error
            raise
        else:
            writer.end("finished")

    def write_state(self, state: RunState) -> None:
        """Whole or not at all; on a full disk in place, where the file has its room already."""
        path = self.path / STATE_FILE
        try:
            artifacts.write_json(path, state)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not path.is_file():
                raise
            with path.open("r+", encoding="utf-8") as file:
                json.dump(to_json(state), file, ensure_ascii=False)
                file.truncate()


def list_runs(root: Path) -> list[RunDirectory]:
    """All runs under `root`, newest first; folders without a readable `run.json` are passed over."""
    if not root.is_dir():
        return []
    created: dict[RunDirectory, str] = {}
    for path in root.iterdir():
        if (path / STATE_FILE).is_file():
            with suppress(JobError, TypeError, ValueError):  # one damaged run hides none of the others
                created[RunDirectory(path)] = RunDirectory(path).state.created_at
    return sorted(created, key=created.__getitem__, reverse=True)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobError(f"{path} cannot be read as JSON: {error}") from error


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
