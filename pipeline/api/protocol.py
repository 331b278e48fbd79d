"""HTTP over h11 with clocks where uvicorn has none: for headers that do not come, and answers that are not taken."""

import asyncio
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.api.limits import Limits
from pipeline.api.problems import MEDIA_TYPE, encoded


def patient(limits: Limits) -> type[H11Protocol]:
    """A protocol for `uvicorn.Config(http=...)` with these limits."""
    return type("Patient", (Patient,), {"limits": limits})


class Patient(H11Protocol):
    """Closes a connection whose next request has not arrived as far as its headers within `header_s`, whose client
    takes nothing of an answer for `send_s`, or that is one too many. (The body has its time in `limits.Bounded`.)"""

    limits: ClassVar[Limits] = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.abort()
        else:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_clocks(head=True)
        elif self._head is None and not self.transport.is_closing():
            self._await_head()  # begun, and not moved on by what drips in

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clocks(head=True, taking=True)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taking = self.loop.call_later(self.limits.send_s, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_clocks(taking=True)
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        if self.transport.get_write_buffer_size():  # the end of an answer that nobody takes
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # an answer is under way
            self.transport.abort()
            return
        content = encoded(400, msg)
        headers = [
            ("content-type", MEDIA_TYPE), ("content-length", str(len(content))), ("connection", "close"),
        ]  # fmt: skip
        response = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
        for event in (response, h11.Data(data=content), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _await_head(self) -> None:
        self._head = self.loop.call_later(self.limits.header_s, self.transport.abort)

    def _stop_clocks(self, *, head: bool = False, taking: bool = False) -> None:
        if head and self._head is not None:
            self._head.cancel()
            self._head = None
        if taking and self._taking is not None:
            self._taking.cancel()
            self._taking = None
