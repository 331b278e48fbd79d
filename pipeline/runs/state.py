"""What a run says of itself, and the signs of life by which it is believed."""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import JobError, said_by
from pipeline.i18n import N_, Message, from_parts
from pipeline.records import Seconds, to_json
from pipeline.times import utc_time

FORMAT = 1  # of run.json
HEARTBEAT_EVERY_S: Seconds = 2.0
STALE_AFTER_S: Seconds = 30.0
START_WITHIN_S: Seconds = 300.0  # a busy machine takes minutes to load PyTorch
ACTIVE = (N_("queued"), N_("running"), N_("stopping"))
STATUSES = (*ACTIVE, N_("finished"), N_("stopped"), N_("failed"), N_("lost"))
LOCAL = "local"
TRANSLATABLE, MESSAGES = ("message", "error"), "messages"


class StopRequested(Exception):
    """Raised inside a run when a person asked it to stop; the run ends as `stopped`, keeping what it has."""


class RunGone(JobError):
    """The folder of a run was deleted, perhaps while the run went on."""


@dataclass(frozen=True)
class RunState:
    """The content of `run.json`. Times are ISO 8601 UTC; `status` is one of queued, running, stopping, finished,
    stopped, failed or lost (active by its own word, but its process has gone, or it is without a heartbeat for 30 s;
    before its process has reported for the first time, for five minutes).

    `pid` and `pid_started_at` (seconds since 1970) name the process together: pids are used again. `machine` is where
    that pid means something. `executor` started it; `device` is what it trains on, once it is its turn, `waits_for`
    what it waits for before. `threads` is how many it began to train with, where that decides the last digits of its
    weights. `message` and `error` are a `Message` where they can be said in other languages.
    """

    kind: str
    name: str
    status: str = "queued"
    pid: int | None = None
    pid_started_at: float | None = None
    machine: str = ""
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
    threads: int | None = None
    host: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def waits_elsewhere(self) -> bool:
        """Whether it stands in the queue of a cluster, where nothing of it runs that could give signs of life."""
        return self.status == "queued" and self.executor != LOCAL and self.pid is None

    @property
    def is_starting(self) -> bool:
        """Whether a process was started for it that has not reported yet."""
        return self.status == "queued" and self.pid is None

    @property
    def elapsed_s(self) -> Seconds:
        """How long it has lasted, or lasted until its end."""
        end = datetime.now(UTC)
        if self.status == "lost":
            end = utc_time(self.heartbeat_at)
        elif self.ended_at:
            end = utc_time(self.ended_at)
        return max(0.0, (end - utc_time(self.created_at)).total_seconds())


def state_of(raw: Any, path: Path) -> RunState:
    """The content of `run.json`, whoever wrote it. Raises JobError naming what in it is not a run's; settings that this
    version does not know are left out."""
    if not isinstance(raw, dict):
        raise JobError(
            N_("{path} is not a run's: expected an object, got {content}."),
            path=str(path), content=Message(_type_name(raw)),
        )  # fmt: skip
    if isinstance(raw.get("format"), int) and raw["format"] > FORMAT:
        raise JobError(
            N_("{path} was written by a later version of Pronlab (format {theirs}, this one reads {ours}): update "
               "Pronlab to see it."),
            path=str(path), theirs=raw["format"], ours=FORMAT,
        )  # fmt: skip
    known = {name: value for name, value in raw.items() if name in RunState.__dataclass_fields__}
    for name, (fits, expected) in _EXPECTED.items():
        if name not in known and name in ("kind", "name", "status", "created_at", "heartbeat_at"):
            raise JobError(N_("{path} is not a run's: {name} is missing."), path=str(path), name=name)
        if name in known and not fits(known[name]):
            raise JobError(
                N_("{path} is damaged: {name} is {expected}, got {value}."),
                path=str(path), name=name, expected=Message(expected, names=", ".join(STATUSES)),
                value=f"{known[name]!r:.80}",
            )  # fmt: skip
    for name in ("created_at", "heartbeat_at", "ended_at"):
        try:
            if known.get(name) is not None:
                utc_time(known[name])
        except ValueError as error:
            raise JobError(
                N_("{path} is damaged: {name}: {reason}."), path=str(path), name=name, reason=said_by(error)
            ) from error
    known |= {name: text for name, text in _messages(raw).items() if text == known.get(name)}
    return RunState(**known)


def content_of(state: RunState) -> dict[str, Any]:
    """What `state_of` reads: the state, and what its messages are made of."""
    texts = {name: getattr(state, name) for name in TRANSLATABLE}
    parts = {name: text.as_parts() for name, text in texts.items() if isinstance(text, Message)}
    return {**to_json(state), **({MESSAGES: to_json(parts)} if parts else {})}


def _messages(raw: dict[str, Any]) -> dict[str, Message]:
    """Those of `run.json` that can be translated; what is damaged stays as the text beside it."""
    parts = raw.get(MESSAGES)
    messages: dict[str, Message] = {}
    if isinstance(parts, dict):
        for name in TRANSLATABLE:
            with suppress(ValueError):
                messages[name] = from_parts(parts.get(name))
    return messages


def age_s(iso: str) -> Seconds:
    return (datetime.now(UTC) - utc_time(iso)).total_seconds()


def _type_name(value: Any) -> str:
    names = {type(None): N_("null"), list: N_("a list"), str: N_("text"), bool: N_("true or false")}
    return names.get(type(value), N_("a number"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _or_null(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


_EXPECTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(
        ("kind", "name", "machine", "executor", "device", "waits_for", "message", "host"), (_is_text, N_("text"))
    ),
    "status": (lambda value: _is_text(value) and value in STATUSES, N_("one of {names}")),
    "pid": (_or_null(lambda value: _is_whole(value) and 0 < value < 2**31), N_("the number of a process or null")),
    "pid_started_at": (_or_null(_is_number), N_("a number or null")),
    "created_at": (_is_text, N_("a time")),
    "heartbeat_at": (_is_text, N_("a time")),
    "ended_at": (_or_null(_is_text), N_("a time or null")),
    "progress": (_or_null(_is_number), N_("a number or null")),
    **dict.fromkeys(("error", "git_commit", "data_hash"), (_or_null(_is_text), N_("text or null"))),
    "seed": (_or_null(_is_whole), N_("a whole number or null")),
    "threads": (_or_null(lambda value: _is_whole(value) and 0 < value < 10_000), N_("a whole number or null")),
    **dict.fromkeys(("versions", "result"), (_is_object, N_("an object"))),
    "format": (_is_whole, N_("a whole number")),
}
