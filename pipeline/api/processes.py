"""A process of its own for work that may hang, bloat or be killed.

Process pools share one channel between their processes: one that is killed while it is idle, or while it holds the
channel's lock, ends pebble's and concurrent.futures' pools for good, with all that waits in them. Here every process
has a pipe to itself: whatever happens to it shows at once as the end of that pipe, and concerns nobody else.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import forkserver
from typing import Any

from pipeline.records import Seconds

# Forked from a process that has imported them and done nothing else: a worker is there in a third of the time.
PRELOADED = (
    "onnxruntime", "pipeline.api.work", "pipeline.scoring.attempt",
    "pipeline.scoring.feature_based", "pipeline.scoring.heuristic", "pipeline.scoring.speech.scorer",
)  # fmt: skip


class GoneError(Exception):
    """The process ended before it answered."""


class LateError(Exception):
    """It took longer than it was given, and was ended."""


def prepare_to_start() -> None:
    """See to it that the process to fork from is up, so that the next one that is needed has not to wait for it."""
    with suppress(OSError):  # the next start says why
        forkserver.set_forkserver_preload(list(PRELOADED))
        forkserver.ensure_running()


class Process:
    """Runs functions one after the other, once `prepare(*given)` is done. For one thread at a time."""

    def __init__(self, prepare: Callable[..., None], given: Sequence[Any]) -> None:
        """Raises OSError or EOFError where no process can be started now."""
        prepare_to_start()
        context = multiprocessing.get_context("forkserver")
        self._ended = False  # known to have, or been made to: its id may be another's by now
        self._connection, theirs = context.Pipe()
        try:
            self._process = context.Process(target=_serve, args=(theirs, prepare, tuple(given)), daemon=True)
            self._process.start()
        except BaseException:
            self._connection.close()
            raise
        finally:
            theirs.close()

    def call(self, function: Callable[..., Any], *args: Any, timeout_s: Seconds) -> Any:
        """What `function(*args)` returns over there; one that raises ends the process. Raises GoneError or LateError,
        and is of no use afterwards."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self.kill()

        clock = threading.Timer(timeout_s, end)
        clock.daemon = True
        clock.start()
        try:
            self._connection.send((function, args))
            return self._connection.recv()
        except (EOFError, OSError) as error:
            self._ended = True
            raise (LateError() if late.is_set() else GoneError()) from error
        finally:
            clock.cancel()

    def is_alive(self) -> bool:
        """Of one that is not at work: then nothing can be read from it but its end."""
        with suppress(OSError):
            self._ended = self._ended or self._connection.poll(0)
            return not self._ended
        return False

    def end(self) -> None:
        self.kill()
        with suppress(OSError):
            self._connection.close()
        self._process.join(1.0)

    def kill(self) -> None:
        # By its id: after the fork server itself was killed, multiprocessing takes every process for ended.
        if not self._ended and self._process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)


def _serve(connection: Any, prepare: Callable[..., None], given: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the service, which ends this one
    prepare(*given)
    with suppress(EOFError, OSError):  # the service is gone
        while True:
            function, args = connection.recv()
            connection.send(function(*args))
