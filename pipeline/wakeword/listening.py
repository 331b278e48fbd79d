"""Listen for a word with a bundle: to the microphone, to standard input or to a file, and act on each detection."""

import json
import queue
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from pipeline.audio.load import load_audio
from pipeline.errors import AudioError, ServiceError, said_by
from pipeline.i18n import N_
from pipeline.optional import require
from pipeline.records import Seconds, to_json
from pipeline.wakeword.cascade import Verify
from pipeline.wakeword.data.decoded_clips import MAX_DURATION_S
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.owner.enrolment import OwnerMatch
from pipeline.wakeword.runtime.runner import JUDGED_S, Detector, blocks_of, silence_after

Samples = NDArray[Any]
BLOCK_S: Seconds = 0.1
RECENT_S: Seconds = 8.0  # that is kept
SURE = 1e-4  # of a score: as it is rounded
POST_TIMEOUT_S: Seconds = 5.0
MOST_RUNNING = 8  # programs of earlier detections
STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Heard:
    """One detection: the word, seconds from the start of the sound, its score (0 to 1), and whose voice it is, where
    that was asked for."""

    word: str
    at_s: Seconds
    score: float
    owner: OwnerMatch | None = None

    def as_json(self) -> dict[str, Any]:
        """Without the owner where nobody asked for one."""
        values: dict[str, Any] = to_json(self)
        return {name: value for name, value in values.items() if value is not None}


@dataclass
class Reaction:
    """What happens on each detection. `command` is a program and its arguments, in which {word}, {at_s} and {score} are
    replaced; no shell reads them. `url` gets the detection as JSON. Raises ServiceError for an address that is none."""

    command: tuple[str, ...] = ()
    url: str = ""
    _running: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.url and not _is_address(self.url):
            raise ServiceError(
                N_(
                    "{url!r} is no address to post to. Expected http://HOST/PATH or https://HOST/PATH, of ASCII "
                    "characters without blanks."
                ),
                url=self.url,
            )

    def __call__(self, heard: Heard) -> list[str]:
        """Act; what went wrong, in words. Listening goes on in any case."""
        return [*self._run(heard), *self._post(heard)]

    def finish(self) -> list[str]:
        """Wait for the programs that still run; which of them failed, in words."""
        for process in self._running:
            process.wait()
        return self._ended()

    def _ended(self) -> list[str]:
        """Forget the programs that have ended; which of them failed."""
        codes = [process.poll() for process in self._running]
        self._running = [process for process, code in zip(self._running, codes, strict=True) if code is None]
        return [f"{self.command[0]} ended with status {code}." for code in codes if code]

    def _run(self, heard: Heard) -> list[str]:
        problems = self._ended()
        if not self.command:
            return []
        if len(self._running) >= MOST_RUNNING:
            return [*problems, f"{self.command[0]} still runs {MOST_RUNNING} times and is not started again."]
        values = {"{word}": heard.word, "{at_s}": f"{heard.at_s:.3f}", "{score}": f"{heard.score:.4f}"}
        arguments = [_replaced(argument, values) for argument in self.command]
        try:
            self._running.append(subprocess.Popen(arguments, stdin=subprocess.DEVNULL))
        except OSError as error:
            problems.append(f"{arguments[0]} cannot be run ({said_by(error)}).")
        return problems

    def _post(self, heard: Heard) -> list[str]:
        if not self.url:
            return []
        request = urllib.request.Request(  # noqa: S310 - http and https alone, see __post_init__
            self.url, json.dumps(heard.as_json()).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=POST_TIMEOUT_S):  # noqa: S310
                return []
        except (OSError, HTTPException, ValueError) as error:  # ValueError: it redirects to what is no address
            return [f"{self.url} did not take the detection ({said_by(error)})."]


def listen(
    detector: Detector,
    blocks: Iterator[Samples],
    verify: Callable[[Samples], OwnerMatch] | None = None,
    confirm: Verify | None = None,
) -> Iterator[Heard]:
    """The detections in sound at 16 kHz that comes block by block. `confirm` judges the sound before each: what it
    rejects is none, and is asked again while the detector's score stays high. `verify` says whose voice it is."""
    recent = np.zeros(0, dtype=np.float32)
    n_heard = 0
    for block in blocks:
        recent = np.concatenate([recent, block.astype(np.float32)])[-round(RECENT_S * RATE_HZ) :]
        n_heard += len(block)
        for at_s, score, word in detector.feed(block):
            end = len(recent) - (n_heard - round(at_s * RATE_HZ))
            before = recent[max(0, end - round(JUDGED_S * RATE_HZ)) : end]
            if confirm is not None:
                is_word = confirm(before, float(logit(np.clip(score, SURE, 1.0 - SURE)))).prediction
                detector.judged(word, is_word)
                if not is_word:
                    continue
            yield Heard(word, at_s, score, None if verify is None else verify(before))


def sound_of(source: str, device: str = "") -> Iterator[Samples]:
    """A file of any kind that is read here, standard input (`-`: 16-bit samples at 16 kHz, mono), or without a source
    the microphone. Raises AudioError for what cannot be read."""
    if not source:
        return _microphone(device)
    return blocks_of(source) if source == STANDARD_INPUT else _file(Path(source))


def _file(path: Path) -> Iterator[Samples]:
    """It ends in silence."""
    samples = load_audio(path, max_duration_s=MAX_DURATION_S).samples
    n = round(BLOCK_S * RATE_HZ)
    for start in range(0, len(samples), n):
        yield samples[start : start + n]
    yield silence_after()


def _microphone(device: str) -> Iterator[Samples]:
    require(N_("Listening to the microphone"), ("sounddevice",), AudioError)
    try:
        import sounddevice
    except OSError as error:  # the package is there, the library it uses is not
        raise AudioError(
            N_(
                "The microphone needs PortAudio ({reason}): apt-get install libportaudio2. Or pipe the sound in: "
                "arecord -q -f S16_LE -r 16000 -c 1 -t raw | pronlab wakeword listen BUNDLE -"
            ),
            reason=said_by(error),
        ) from error
    blocks: queue.SimpleQueue[Samples] = queue.SimpleQueue()

    def keep(data: NDArray[np.float32], *_: Any) -> None:
        blocks.put(data[:, 0].copy())

    try:
        with sounddevice.InputStream(
            RATE_HZ, round(BLOCK_S * RATE_HZ), device or None, channels=1, dtype="float32", callback=keep
        ):
            while True:
                yield blocks.get()
    except (sounddevice.PortAudioError, ValueError) as error:
        raise AudioError(
            N_(
                "The microphone cannot be opened ({reason}). Choose one with --device NAME, as `python -m "
                "sounddevice` lists them."
            ),
            reason=said_by(error),
        ) from error


def _is_address(url: str) -> bool:
    try:
        address = urlsplit(url)
        has_host = bool(address.hostname) and address.port != 0  # a port that is none raises
    except ValueError:
        return False
    return has_host and address.scheme in ("http", "https") and all("!" <= sign <= "~" for sign in url)


def _replaced(argument: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        argument = argument.replace(name, value)
    return argument
