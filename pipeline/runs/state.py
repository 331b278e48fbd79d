"""What a run says of itself, and the signs of life by which it is believed."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline.records import Seconds

HEARTBEAT_EVERY_S: Seconds = 2.0
STALE_AFTER_S: Seconds = 30.0
ACTIVE = ("queued", "running", "stopping")
LOCAL = "local"


class StopRequested(Exception):
    """Raised inside a run when a person asked it to stop; the run ends as `stopped`, keeping what it has."""


@dataclass(frozen=True)
class RunState:
    """The content of `run.json`. Times are ISO 8601 UTC; `status` is one of queued, running, stopping, finished,
    stopped, failed or lost (active by its own word, but without a heartbeat for 30 s).

    `pid` and `pid_started_at` (seconds since 1970) name the process together: pids are used again. `executor` started
    it; `device` is what it trains on, once it is its turn, `waits_for` what it waits for before.
    """

    kind: str
    name: str
    status: str = "queued"
    pid: int | None = None
    pid_started_at: float | None = None
    executor: str = LOCAL
    device: str = ""
    waits_for: str = ""
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

    @property
    def waits_elsewhere(self) -> bool:
        """Whether it stands in the queue of a cluster, where nothing of it runs that could give signs of life."""
        return self.status == "queued" and self.executor != LOCAL and self.pid is None


def now_iso() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def age_s(iso: str) -> Seconds:
    return time.time() - datetime.fromisoformat(iso).timestamp()
