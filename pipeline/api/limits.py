"""What one installation lets in: sizes, times, how many at once."""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipeline.api import problems
from pipeline.api.problems import Problem
from pipeline.records import Seconds

LOG = logging.getLogger("pronlab.api")
ID_HEADER = b"x-request-id"
LONGEST_ID = 64


@dataclass(frozen=True)
class Limits:
    """Bounds of one service.

    A request has at most `max_bytes`, each clip in it `max_s` of audio; a batch has at most `batch` clips with
    `batch_max_s` of audio together, answered within `batch_timeout_s`. `workers` processes score, each with
    `memory_mb`; `queue` requests may wait for them, each at most `wait_s`, and is then at work for at most `timeout_s`.
    A client sends its headers within `header_s` and its body within `body_s`, and takes what it is sent within
    `send_s`; at most `connections` are open at once.
    """

    max_bytes: int = 10_000_000
    max_s: Seconds = 60.0
    batch: int = 50
    batch_max_s: Seconds = 300.0
    batch_timeout_s: Seconds = 120.0
    workers: int = 2
    queue: int = 64
    wait_s: Seconds = 20.0
    timeout_s: Seconds = 20.0
    memory_mb: int = 3000
    header_s: Seconds = 10.0
    body_s: Seconds = 30.0
    send_s: Seconds = 30.0
    connections: int = 512

    @property
    def answer_s(self) -> Seconds:
        """Within which a clip is answered, counted from when all of it has arrived."""
        return self.wait_s + self.timeout_s


class Places:
    """At most `workers + queue` requests at once; one more is told when to come back."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.workers + limits.queue
        self.taken = 0
        self.refused = 0

    def check(self) -> None:
        """Raises Problem (429, with Retry-After) where all are taken."""
        if self.taken >= self._most:
            self.refused += 1
            raise Problem(429, f"{self.taken} requests are running or waiting. Try again in a second.", Retry_After="1")

    @contextmanager
    def one(self) -> Iterator[None]:
        """Raises Problem as `check` does."""
        self.check()
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


class Bounded:
    """ASGI: a request id for each request, its body bounded in size and time before anything reads it, one line of log
    when it is answered (no audio, no text, no names). `paths` are those that are named in the log and the metrics."""

    def __init__(
        self, app: Any, limits: Limits, seen: Callable[[str, int, float], None], paths: Collection[str]
    ) -> None:
        self._app, self._limits, self._seen, self._paths = app, limits, seen, paths

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(ID_HEADER, b"").decode("latin-1")
        known = given.isascii() and given.isalnum() and len(given) <= LONGEST_ID
        request_id = given if known else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 500
        begun = refused = False
        trouble: list[Problem] = []

        async def sending(message: Any) -> None:
            nonlocal status, begun
            begun = True
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (ID_HEADER, request_id.encode())]}
            await send(message)

        async def answering(message: Any) -> None:
            """The application's answer; or ours, where the application was kept from reading the body."""
            nonlocal refused
            if trouble and not begun:
                refused = True
                await problems.send(sending, trouble[0], request_id)
            elif not refused:
                await sending(message)

        try:
            refusal = self._too_large(headers)
            if refusal is not None:
                await problems.send(sending, refusal, request_id)
                return
            await self._app(scope, self._within(receive, trouble), answering)
        except Exception as defect:
            if isinstance(defect, Problem) and trouble and not begun:  # nothing between here and the body answered it
                await problems.send(sending, trouble[0], request_id)
                return
            LOG.exception(json.dumps({"request": request_id, "defect": type(defect).__name__}))
            if begun:
                raise  # the server closes what has begun
            detail = "This is a defect of the service; its log says more under the request id."
            await problems.send(sending, Problem(500, detail), request_id)
        finally:
            elapsed_ms = 1000.0 * (time.perf_counter() - started)
            path = scope["path"] if scope["path"] in self._paths else "other"
            self._seen(path, status, elapsed_ms / 1000.0)
            line = {"request": request_id, "method": scope["method"], "path": path, "status": status,
                    "milliseconds": round(elapsed_ms, 1)}  # fmt: skip
            LOG.info(json.dumps(line))

    def _too_large(self, headers: dict[bytes, bytes]) -> Problem | None:
        declared = headers.get(b"content-length", b"0").decode("latin-1")
        if not (declared.isascii() and declared.isdigit()):
            return Problem(400, f"Content-Length is a number of bytes, got {declared[:20]!r}.")
        if len(declared) > 18 or int(declared) > self._limits.max_bytes:
            return Problem(413, _large(float(declared), self._limits))
        return None

    def _within(self, receive: Any, trouble: list[Problem]) -> Any:
        """`receive` with a count and a clock: a client that lies about the length, or drips, is refused; the refusal is
        left in `trouble`."""
        count, end = 0, time.monotonic() + self._limits.body_s

        async def bounded() -> Any:
            nonlocal count, end
            if end == float("inf"):  # the body is here: from now on this only waits for the client to go away
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(0.001, end - time.monotonic()))
            except TimeoutError:
                trouble.append(_slow(self._limits))
                raise trouble[0] from None
            count += len(message.get("body", b""))
            if count > self._limits.max_bytes:
                trouble.append(Problem(413, _large(count, self._limits)))
                raise trouble[0]
            if not message.get("more_body", False):
                end = float("inf")
            return message

        return bounded


def _slow(limits: Limits) -> Problem:
    return Problem(408, f"The body did not arrive within {limits.body_s:g} s.", Connection="close")


def _large(n: float, limits: Limits) -> str:
    return f"At most {limits.max_bytes / 1e6:g} MB are accepted, got {n / 1e6:.1f} MB."
