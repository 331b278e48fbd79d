"""A Wyoming server of one bundle, of one word or several: what Home Assistant and its satellites ask for wake words."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from wyoming.audio import AudioChunk, AudioChunkConverter, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import Attribution, Describe, Info, WakeModel, WakeProgram
from wyoming.server import AsyncEventHandler, AsyncTcpServer
from wyoming.wake import Detect, Detection, NotDetected

from pipeline import __version__
from pipeline.errors import ServiceError, said_by
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.runtime.runner import Detector, silence_after

AUTHOR = Attribution(name="Pronlab", url="")


def info_of(words: Sequence[str], language: str) -> Info:
    """What the server answers to `describe`."""
    models = [
        WakeModel(
            name=word, attribution=AUTHOR, installed=True, description=word, version=__version__, languages=[language],
            phrase=word,
        )
        for word in words
    ]  # fmt: skip
    program = WakeProgram(
        name="pronlab", attribution=AUTHOR, installed=True, description="Wake words trained with Pronlab",
        version=__version__, models=models,
    )  # fmt: skip
    return Info(wake=[program])


class Handler(AsyncEventHandler):
    """One connection, with a detector of its own that begins anew with each stream."""

    def __init__(self, make: Callable[[], Detector], language: str, *streams: Any) -> None:
        super().__init__(*streams)
        self._detector, self._language = make(), language
        self._wanted = {word.name for word in self._detector.words}
        self._begin()

    def _begin(self) -> None:
        self._detector.reset()
        self._converter = AudioChunkConverter(rate=RATE_HZ, width=2, channels=1)
        self._has_detected = False
        self._timestamp: int | None = None  # of the last sound

    async def handle_event(self, event: Event) -> bool:
        """Answer one event; False ends the connection, of a client that wants another word."""
        words = [word.name for word in self._detector.words]
        if Describe.is_type(event.type):
            await self.write_event(info_of(words, self._language).event())
        elif Detect.is_type(event.type):
            names = Detect.from_event(event).names
            if names and not set(words) & set(names):
                return False
            self._wanted = set(names or words)
        elif AudioStart.is_type(event.type):
            self._begin()
        elif AudioChunk.is_type(event.type):
            await self._hear(AudioChunk.from_event(event))
        elif AudioStop.is_type(event.type):
            if not self._has_detected:
                await self._answer(silence_after())
            if not self._has_detected:
                await self.write_event(NotDetected().event())
        return True

    async def _hear(self, given: AudioChunk) -> None:
        chunk = self._converter.convert(given)
        samples = np.frombuffer(chunk.audio[: len(chunk.audio) // 2 * 2], dtype="<i2").astype(np.float32) / 32_768.0
        self._timestamp = given.timestamp
        await self._answer(samples)

    async def _answer(self, samples: NDArray[np.float32]) -> None:
        for _at_s, _score, word in self._detector.feed(samples):
            if word in self._wanted:
                self._has_detected = True
                await self.write_event(Detection(name=word, timestamp=self._timestamp).event())


async def serve(
    make: Callable[[], Detector], host: str, port: int, language: str, ready: Callable[[int], None]
) -> None:
    """Until it is cancelled; `ready` is told the port (0 takes a free one). Raises ServiceError where the address
    cannot be had."""
    server = AsyncTcpServer(host, port)
    try:
        await server.start(partial(Handler, make, language))
    except OSError as error:
        raise ServiceError(
            f"The server cannot listen on {host}:{port} ({said_by(error)}). Choose another --port or --host."
        ) from error
    inner: Any = server._server
    ready(int(inner.sockets[0].getsockname()[1]))
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()
