"""When each word and phone of a recording was said: by the speech scorer, where it knows the language.

The dashboard has recordings aligned by a process of its own (`Alignments`), which keeps what it found: no page waits
for a model. Of the scorer's answer only texts and times are kept, no score.
"""

import io
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from threading import Lock

from pipeline import artifacts
from pipeline.corpus.sets import RecordingSet, audio_path, get_set, language_of, target_of
from pipeline.errors import PronlabError
from pipeline.i18n import N_, Message, joined
from pipeline.labels.exchange.textgrid import Aligner, Alignment
from pipeline.labels.first_segments import TimedPhone, TimedWord, timed_words
from pipeline.labels.index import Index
from pipeline.labels.marked_words import marked_words
from pipeline.records import Recording, RubricName, Seconds, State, Target
from pipeline.scoring.selection import SPEECH, load_scorer, settle
from pipeline.settings import Settings

LONGEST_S: Seconds = 120.0  # that anybody waits for an alignment
IDLE_S: Seconds = 300.0  # after that long without work the process ends, and gives the model's memory back


def aligner(settings: Settings, set_name: str, *, other_texts: bool = False) -> Aligner:
    """Align words and phones with the speech scorer, or say why a recording cannot be aligned; `other_texts`: also what
    the scorer takes for another text. Raises ModelError where there is no such scorer."""
    from pipeline.audio.load import load_audio
    from pipeline.scoring.base import score_audio
    from pipeline.scoring.pieces import by_piece

    scorer = load_scorer(settings, SPEECH, RubricName.SENTENCE)
    set_ = get_set(settings, set_name)

    def align(recording: Recording, audio: Path) -> Alignment:
        try:
            target = _target(set_, recording)
            result = score_audio(scorer, load_audio(audio), target)
        except PronlabError as error:
            return Alignment(reason=error.text)
        states = (State.SCORED, State.OTHER_TEXT) if other_texts else (State.SCORED,)
        if result.state not in states or not result.words:
            return Alignment(
                reason=joined(result.warnings, "")
                if result.warnings
                else Message(N_("it could not be scored ({state})"), state=str(result.state))
            )
        return Alignment(by_piece(target.text, result.words))

    return align


def can_align(settings: Settings, set_: RecordingSet, recording: Recording) -> bool:
    """Whether a speech scorer here knows the recording's language."""
    from pipeline.scoring.speech.model_files import find_speech_model, load_info

    try:
        folder = find_speech_model(settings)
        return folder is not None and load_info(folder).language == _target(set_, recording).language
    except PronlabError:
        return False


def kept_alignment(settings: Settings, set_: RecordingSet, recording: Recording) -> list[TimedWord] | None:
    """What was found before; no words where it cannot be aligned, None where nobody has tried it with this audio."""
    try:
        kept = artifacts.read_json(_file(settings, recording))
        if kept["stamp"] != _stamp(set_, recording):
            return None
        return [
            TimedWord(**{**word, "phones": tuple(TimedPhone(**phone) for phone in word["phones"])})
            for word in kept["words"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return None


class Alignments:
    """A process that aligns recordings one after the other, started when it is first needed. For any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._asked: dict[tuple[str, str], float] = {}

    def is_coming(self, set_: RecordingSet, recording: Recording) -> bool:
        """Have the recording aligned, by asking once; whether the answer may still come (by `kept_alignment`)."""
        wanted = (recording.id, _stamp(set_, recording))
        with self._lock:
            if wanted not in self._asked:
                self._ask(recording)
                self._asked[wanted] = time.monotonic()
            return time.monotonic() < self._asked[wanted] + LONGEST_S

    def _ask(self, recording: Recording) -> None:
        for _attempt in range(2):  # the process may have ended for want of work just now
            with suppress(OSError):
                pipe = self._running().stdin
                if pipe is not None:
                    pipe.write(json.dumps(recording.id).encode() + b"\n")
                    pipe.flush()
                    return

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            data, models = self._settings.data_root, self._settings.models_root
            roots = {"PRONLAB_DATA_ROOT": str(data), "PRONLAB_MODELS_ROOT": str(models)}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.scoring.alignment"], stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **roots},
            )  # fmt: skip
        return self._process


def align_and_keep(settings: Settings, recording: Recording, align: Callable[[Recording, Path], Alignment]) -> None:
    """Align a recording and keep its words in time, for `kept_alignment`."""
    set_ = get_set(settings, recording.set)
    words = timed_words(align(recording, audio_path(set_, recording)).words)
    content = {"stamp": _stamp(set_, recording), "words": [asdict(word) for word in words]}
    artifacts.write_json(_file(settings, recording), content)


def _target(set_: RecordingSet, recording: Recording) -> Target:
    """With the phones that the corpus gives, which are the ones that marks count."""
    target = settle(target_of(set_, recording))[0]
    phones = tuple(word.phones for word in marked_words(recording, language_of(set_, recording)))
    return replace(target, phones=phones) if len(phones) == len(target.text.split()) and all(phones) else target


def _file(settings: Settings, recording: Recording) -> Path:
    digest = sha256(recording.id.encode()).hexdigest()[:32]
    return settings.alignments_root / recording.set / f"{digest}.json"


def _stamp(set_: RecordingSet, recording: Recording) -> str:
    """Changes with the audio and the text."""
    return f"{artifacts.stamp_of(audio_path(set_, recording))} {recording.text}"


def _serve() -> None:
    """Align the recordings whose ids come in by lines, until nobody asks any more."""
    settings = Settings.from_env()
    aligners: dict[str, Aligner] = {}
    os.nice(5)
    requests = io.FileIO(0)  # unbuffered: `select` must see what is left
    while select.select([requests], [], [], IDLE_S)[0]:
        line = requests.readline()
        if not line:
            return
        with suppress(PronlabError, OSError):  # that one stays unaligned
            recording = Index(settings).recording(artifacts.loads(line))
            if recording.set not in aligners:
                # A rater who starts from an even division would know what the scorer thinks of the recording.
                aligners[recording.set] = aligner(settings, recording.set, other_texts=True)
            align_and_keep(settings, recording, aligners[recording.set])


if __name__ == "__main__":
    _serve()
