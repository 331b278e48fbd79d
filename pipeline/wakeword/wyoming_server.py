"""A Wyoming server of one bundle, of one word or several: what Home Assistant and its satellites ask for wake words."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from wyoming.audio import AudioChunk, AudioChunkConverter, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Attribution, Describe, Info, WakeModel, WakeProgram
from wyoming.server import AsyncEventHandler, AsyncTcpServer
from wyoming.wake import Detect, Detection, NotDetected

from pipeline import __version__
from pipeline.errors import ServiceError, said_by
from pipeline.i18n import N_
from pipeline.records import Seconds
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.runtime.runner import Detector, silence_after

AUTHOR = Attribution(name="Pronlab", url="")
# What a client may send. Whoever announces more, or sound of a few samples per second, would fill the memory.
MOST_BYTES = 1 << 20  # of one event; satellites send some kilobytes
RATES_HZ = range(8_000, 192_001)
WIDTHS, CHANNELS = range(1, 5), range(1, 3)  # bytes of a sample, and samples at once
MOST_CLIENTS = 64  # at once
IDLE_S: Seconds = 300.0  # a client that sends or takes nothing for so long has gone, or would hold its place forever
PIECE_S: Seconds = 1.0  # that is heard before other clients have their turn
LOG = logging.getLogger("pronlab.wyoming")


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


class BoundedReader:
    """What the handler reads from, no part of it larger than `MOST_BYTES`: ValueError, at which wyoming ends the
    connection. Each part is there within `IDLE_S`, or TimeoutError is raised."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader, self.feed_eof = reader, reader.feed_eof

    async def readline(self) -> bytes:
        return await asyncio.wait_for(self._reader.readline(), IDLE_S)

    async def readexactly(self, n: int) -> bytes:
        if type(n) is not int:  # from JSON: a fraction, infinite, true
            raise TypeError(f"{n!r} bytes")
        if n > MOST_BYTES:
            LOG.warning(
                "A client announced %s bytes in one event, and at most %d are read; it is disconnected.", n, MOST_BYTES
            )
            raise ValueError(n)
        return await asyncio.wait_for(self._reader.readexactly(n), IDLE_S)


class Handler(AsyncEventHandler):
    """One connection, with a detector of its own that begins anew with each stream."""

    def __init__(
        self,
        make: Callable[[], Detector],
        language: str,
        connected: set["Handler"],
        reader: asyncio.StreamReader,
        writer: Any,
    ) -> None:
        bounded: Any = BoundedReader(reader)
        super().__init__(bounded, writer)
        self._detector, self._language, self._connected = make(), language, connected
        self._wanted = {word.name for word in self._detector.words}
        self._begin()

    def _begin(self) -> None:
        self._detector.reset()
        self._converter = AudioChunkConverter(rate=RATE_HZ, width=2, channels=1)
        self._has_detected = False
        self._timestamp: int | None = None  # of the last sound

    async def run(self) -> None:
        """Until the client goes, or sends what is no event."""
        if len(self._connected) >= MOST_CLIENTS:
            LOG.warning("%d clients are connected, which is the most; another one is turned away.", MOST_CLIENTS)
            self.writer.close()
            return
        self._connected.add(self)
        try:
            await super().run()
        except (ConnectionError, EOFError):  # it went in the middle of an event, or of an answer
            pass
        except TimeoutError:
            LOG.info("A client sent or took nothing for %g s; it is disconnected.", IDLE_S)
            self.writer.transport.abort()  # what it never took would keep the connection
        except (AttributeError, KeyError, TypeError, RecursionError) as error:  # wyoming reads JSON of any shape
            LOG.warning("A client sent what is no event (%s: %s); it is disconnected.", type(error).__name__, error)
        finally:
            self._connected.discard(self)

    async def write_event(self, event: Event) -> None:
        """Raises TimeoutError for a client that takes nothing."""
        await asyncio.wait_for(super().write_event(event), IDLE_S)

    async def handle_event(self, event: Event) -> bool:
        """Answer one event; False ends the connection, of a client that wants another word or sends what is no
        sound."""
        words = [word.name for word in self._detector.words]
        if Describe.is_type(event.type):
            await self.write_event(info_of(words, self._language).event())
        elif Detect.is_type(event.type):
            names = Detect.from_event(event).names
            if names and not set(words) & set(names):
                text = f"Another word was asked for. Words that are served here: {', '.join(words)}."
                LOG.warning("A client asked for another word than %s; it is disconnected.", ", ".join(words))
                await self.write_event(Error(text, "unknown-wake-word").event())
                return False
            self._wanted = set(names or words)
        elif AudioStart.is_type(event.type):
            self._begin()
        elif AudioChunk.is_type(event.type):
            return await self._hear(AudioChunk.from_event(event))
        elif AudioStop.is_type(event.type):
            if not self._has_detected:
                await self._answer(silence_after())
            if not self._has_detected:
                await self.write_event(NotDetected().event())
        return True

    async def _hear(self, given: AudioChunk) -> bool:
        are_whole = all(type(number) is int for number in (given.rate, given.width, given.channels))  # JSON of any type
        if not are_whole or given.rate not in RATES_HZ or given.width not in WIDTHS or given.channels not in CHANNELS:
            text = (
                f"Sound of {given.width} bytes at {given.rate} Hz in {given.channels} channels is not heard here. Send "
                f"16-bit samples at {RATE_HZ} Hz, mono."
            )
            await self.write_event(Error(text, "unsupported-audio").event())
            return False
        frame = given.width * given.channels
        given.audio = given.audio[: len(given.audio) // frame * frame]
        sound = np.frombuffer(self._converter.convert(given).audio, dtype="<i2").astype(np.float32) / 32_768.0
        self._timestamp = given.timestamp if type(given.timestamp) is int else None
        n = round(PIECE_S * RATE_HZ)
        for start in range(0, len(sound), n):
            await self._answer(sound[start : start + n])
            await asyncio.sleep(0)
        return True

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
        await server.start(partial(Handler, make, language, set()))
    except OSError as error:
        raise ServiceError(
            N_("The server cannot listen on {host}:{port} ({reason}). Choose another --port or --host."),
            host=host,
            port=str(port),
            reason=said_by(error),
        ) from error
    inner: Any = server._server
    ready(int(inner.sockets[0].getsockname()[1]))
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()
