"""One run's folder: making it, reading it, and what may be done to it from outside."""

import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.errors import JobError, said_by
from pipeline.i18n import N_, Message
from pipeline.reasons import no_space
from pipeline.records import to_json
from pipeline.runs.failures import ENDED, in_words, of_a_lost_run, of_the_system
from pipeline.runs.metrics import read_lines
from pipeline.runs.process import has_gone
from pipeline.runs.state import (
    ACTIVE,
    LOCAL,
    STALE_AFTER_S,
    START_WITHIN_S,
    RunGone,
    RunState,
    StopRequested,
    age_s,
    content_of,
    state_of,
)
from pipeline.runs.writer import RunWriter
from pipeline.settings import CHECKOUT
from pipeline.times import now_iso, utc_time
from pipeline.write_errors import not_written

STATE_FILE = "run.json"
CONFIG_FILE = "config.json"
LONGEST_NAME_BYTES = 150  # in the name of a folder, which file systems let have 255
CLOCKS_DIFFER_S = 86_400.0  # of machines that share a disk; a sign of life from later was not written by one
MAX_USAGE_BYTES = 200  # of one line
STOP_FILE = "stop-requested"


@dataclass(frozen=True)
class RunDirectory:
    """Reads one run; `start` gives its writer. `told` gets the messages that the writer is given, for who waits for the
    run to end."""

    path: Path
    told: Callable[[str], None] | None = field(default=None, compare=False, repr=False)

    @property
    def id(self) -> str:
        return self.path.name

    @classmethod
    def create(
        cls, root: Path, *, kind: str, name: str, config: Any, seed: int | None = None, executor: str = LOCAL
    ) -> "RunDirectory":
        """Make a fresh directory `<name>-<8 hex digits of config and time>` with status `queued`, whole or not at
        all; of a long name it has the beginning."""
        signs = "".join(c if c.isalnum() or c in "-_." else "-" for c in name).encode()
        safe = signs[:LONGEST_NAME_BYTES].decode(errors="ignore").strip(".-") or kind
        resolved = to_json(config)
        created_at = now_iso()
        salt = json.dumps(resolved, sort_keys=True, ensure_ascii=False) + created_at + os.urandom(4).hex()
        path = root / f"{safe}-{hashlib.sha256(salt.encode()).hexdigest()[:8]}"
        root.mkdir(parents=True, exist_ok=True)
        state = RunState(
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
        unfinished = Path(tempfile.mkdtemp(prefix=artifacts.TEMPORARY_PREFIX, dir=root))
        try:
            artifacts.write_json(unfinished / CONFIG_FILE, resolved)
            artifacts.write_json(unfinished / STATE_FILE, state)
            unfinished.chmod(artifacts.allowed(0o755))
            unfinished.rename(path)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        return cls(path)

    @classmethod
    def open(cls, root: Path, run_id: str) -> "RunDirectory":
        """The run `run_id` directly under `root`. Raises JobError where there is none."""
        path = root / run_id
        if Path(run_id).name != run_id or not (path / STATE_FILE).is_file():
            raise JobError(
                N_("No run {run_id!r} under {root}. `pronlab runs list` lists those there are."),
                run_id=run_id,
                root=str(root),
            )
        return cls(path)

    @property
    def config(self) -> dict[str, Any]:
        """Raises RunGone where the folder is gone, JobError where its file is damaged."""
        content = self._read(CONFIG_FILE)
        if not isinstance(content, dict):
            raise JobError(
                N_("{path} is damaged: expected an object with the settings."), path=str(self.path / CONFIG_FILE)
            )
        return content

    @property
    def state(self) -> RunState:
        """What the run says of itself, corrected to `lost` where the process of an active run has gone or has stopped
        giving signs of life, and to `stopping` where it was asked to. Raises RunGone where the folder is gone, JobError
        where its file is damaged."""
        state = self._reported()
        if state.status not in ACTIVE or state.waits_elsewhere:
            return state
        if has_gone(state):
            last = self._reported()  # it may have said how it ended between the two looks
            if last.status not in ACTIVE or (last.pid, last.pid_started_at) != (state.pid, state.pid_started_at):
                return last
            return replace(last, status="lost", error=of_a_lost_run(self.log_tail(500)))
        silence_s = age_s(state.heartbeat_at)
        is_starting = state.is_starting and not self._ended_since(state.heartbeat_at)
        allowed_s = START_WITHIN_S if is_starting else STALE_AFTER_S
        if not -CLOCKS_DIFFER_S < silence_s <= allowed_s:
            return replace(state, status="lost", error=of_a_lost_run(self.log_tail(500)))
        return replace(state, status="stopping") if self.stop_requested else state

    def _reported(self) -> RunState:
        return state_of(self._read(STATE_FILE), self.path / STATE_FILE)

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
        self.check_there()
        if not self.stop_requested:
            (self.path / STOP_FILE).touch()

    def withdraw_stop(self) -> None:
        """Take back an earlier request, for a run that is resumed."""
        (self.path / STOP_FILE).unlink(missing_ok=True)

    def requeue(self, executor: str = LOCAL) -> None:
        """Say that a process for it is on its way, so that pages do not show it as over until it reports."""
        self.write_state(
            replace(
                self.state, status="queued", heartbeat_at=now_iso(), ended_at=None, error=None, pid=None, machine="",
                device="", executor=executor, waits_for="",
            )
        )  # fmt: skip

    def close(self, status: str, error: str | None = None) -> None:
        """Say for a process that cannot how it ended."""
        self.write_state(replace(self.state, status=status, error=error, ended_at=now_iso()))

    def _ended_since(self, iso: str) -> bool:
        """Whether a process that was started then has ended: its parent writes that as the last line of the log."""
        with suppress(FileNotFoundError):
            is_newer = (self.path / "log.txt").stat().st_mtime >= utc_time(iso).timestamp()
            return is_newer and self.log_tail(500).rstrip().rpartition("\n")[2].startswith(ENDED)
        return False

    def check_there(self) -> None:
        """Raises RunGone where the folder is gone."""
        if not self.path.is_dir():
            raise RunGone(N_("The run {id} is gone: its folder {path} was deleted."), id=self.id, path=str(self.path))

    def _read(self, name: str) -> Any:
        path = self.path / name
        try:
            return artifacts.read_json(path)
        except (OSError, ValueError, RecursionError) as error:
            self.check_there()
            raise JobError(
                N_("{path} cannot be read as JSON: {reason}."), path=str(path), reason=said_by(error)
            ) from error

    @property
    def size_mb(self) -> float:
        """On disk, with checkpoints and models."""
        sizes = 0
        for path in self.path.rglob("*"):
            with suppress(OSError):
                sizes += path.lstat().st_size
        return sizes / 1e6

    def delete(self) -> None:
        """Remove it with all it holds, readable or not. Raises JobError while it is active, or where it cannot be."""
        try:
            status = self.state.status
        except RunGone:
            return
        except JobError:  # nobody can tell what it is
            status = ""
        if status in ACTIVE:
            raise JobError(N_("{run} is {status}. Stop it first."), run=self.id, status=Message(status))
        # Out of every list at once, whatever of the rest cannot be removed.
        leaving = self.path.with_name(f"{artifacts.TEMPORARY_PREFIX}deleted-{os.urandom(4).hex()}-{self.id}"[:200])
        try:
            self.path.rename(leaving)
        except OSError as error:
            raise JobError(not_written(N_("{path} cannot be removed ({reason})."), self.path, error)) from error
        shutil.rmtree(leaving, ignore_errors=True)

    @contextmanager
    def start(self) -> Iterator[RunWriter]:
        """Run the body as this run: heartbeat while it lasts, and the right status whichever way it ends. A full disk
        or memory is raised as JobError, in words; so is, as RunGone, that its folder was deleted meanwhile: nothing of
        it is made again then. Raises JobError where another process works on it."""
        writer = RunWriter(self)
        try:
            writer.begin()
            try:
                yield writer
            except StopRequested:
                writer.end("stopped")
            else:
                writer.end("finished")
        except BaseException as error:
            if writer.gone:
                writer.give_up()
                raise RunGone(
                    N_("The folder of the run {run} was deleted while it ran: the run is over, nothing is kept of it."),
                    run=self.id,
                ) from error
            if isinstance(error, KeyboardInterrupt):
                writer.end("stopped")  # by a person, at the keyboard
                raise
            words = in_words(error)
            writer.end("failed", error=words or _told(error))
            if words is not None:
                raise JobError(words) from error
            raise
        finally:
            writer.close()

    def write_state(self, state: RunState) -> None:
        """Whole or not at all; for want of room in place, where the file has its room already. Raises RunGone rather
        than make the folder again."""
        self.check_there()
        path = self.path / STATE_FILE
        try:
            artifacts.write_json(path, content_of(state))
        except OSError as error:
            if no_space(error) is None or not path.is_file():
                raise
            with path.open("r+", encoding="utf-8") as file:
                json.dump(content_of(state), file, ensure_ascii=False)
                file.truncate()


def _told(error: BaseException) -> str:
    """Why a run failed, for whoever reads it later: with the file, where the system refused one."""
    if isinstance(error, OSError) and error.filename:
        return of_the_system(error)
    return said_by(error) or type(error).__name__


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
