"""Clips of wake words: kept, spoken, checked, and as a training hears them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_
from pipeline.people.access import Action
from pipeline.runs import RunRecord, scan_runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.wakeword.data.clip_library import ClipLibrary
    from pipeline.wakeword.data.clip_uploads import UploadOutcome
    from pipeline.wakeword.data.clips import ClipScan, Label
    from pipeline.wakeword.data.example_batch import BinStatistics

UNKNOWN_LANGUAGE = "und"
SPEAKING = "wakeword-speak"


@asks(Action.TRAIN)
def words() -> list[str]:
    """The words that have clips."""
    from pipeline.wakeword.data.clip_library import library_names

    return library_names(shared.settings())


@asks(Action.TRAIN)
def library(word: str, *, create: bool = False) -> ClipLibrary:
    from pipeline.wakeword.data.clip_library import open_library

    return open_library(shared.settings(), word, create=create)


@asks(Action.TRAIN)
def add_uploads(clips: ClipLibrary, part: str, uploads: Sequence[tuple[str, bytes]], outcome: UploadOutcome) -> None:
    """Keep files, given as names and contents; `outcome` says what became of each."""
    from pipeline.wakeword.data.clip_uploads import add_uploads

    add_uploads(clips, part, uploads, outcome)


@asks(Action.TRAIN)
def keep_take(clips: ClipLibrary, recording: bytes) -> tuple[str, list[str]]:
    """A take among the clips of the word: its file's name, and no problems; or no name, and why it was not kept. Raises
    AudioError for what is no audio."""
    from pipeline.wakeword.data.takes import problems_of_take

    problems = problems_of_take(recording)
    if problems:
        return "", problems
    return clips.add("positive", "take-001.wav", recording).name, []


@asks(Action.TRAIN)
def problems_of_take(recording: bytes) -> list[str]:
    """In words, why a take cannot be used; none for a good one. Raises AudioError for what is no audio."""
    from pipeline.wakeword.data.takes import problems_of_take

    return problems_of_take(recording)


@asks(Action.TRAIN)
def undo_take(clips: ClipLibrary, name: str) -> None:
    clips.remove("positive", [name])


@asks(Action.TRAIN)
def delete_clips(clips: ClipLibrary, part: str, names: Sequence[str]) -> None:
    """Permanently, by their paths in the part's folder. Raises CorpusError for one that is not there."""
    clips.remove(part, names)


@asks(Action.TRAIN)
def scan(clips: ClipLibrary, pattern: str, progress: Any) -> ClipScan:
    return clips.scan(pattern or None, progress)


@asks(Action.TRAIN)
def speech_folders() -> dict[str, Path]:
    """Recording sets of this installation that may serve as other speech, by name."""
    from pipeline.corpus.sets import list_sets

    return {set_.name: set_.root for set_ in list_sets(shared.settings())}


@dataclass(frozen=True)
class SpokenCounts:
    """Synthetic clips of the word, of phrases near it and of other words."""

    clips: int
    near: int
    other: int


@asks(Action.TRAIN)
def spoken(clips: ClipLibrary) -> SpokenCounts | None:
    """What synthesisers said for a word, None where nothing is there."""
    from pipeline import jsonl
    from pipeline.wakeword.data.clips import SPOKEN, Label

    if not clips.has_spoken:
        return None
    labels = [row["label"] for row in jsonl.read(clips.spoken / SPOKEN)]
    return SpokenCounts(*(labels.count(label) for label in (Label.POSITIVE, Label.HARD_NEGATIVE, Label.NEGATIVE)))


@asks(Action.TRAIN)
def spoken_as(clips: ClipLibrary) -> tuple[str, str]:
    """What synthesisers said for the word, also in a round that was cut off, and in which language; "" where nothing
    is there."""
    from pipeline.wakeword.data.spoken_word import spoken_word

    return spoken_word(clips.spoken)


@asks(Action.TRAIN)
def delete_spoken(clips: ClipLibrary) -> int:
    """Permanently, all that synthesisers said for the word; how many clips. Raises CorpusError while they speak, or
    where other files lie among it."""
    from pipeline.wakeword.data.speaking import delete_spoken

    return delete_spoken(shared.settings(), clips.spoken)


@asks(Action.TRAIN)
def said(text: str, language: str) -> bytes:
    """A WAV of the first voice of the language. Raises CorpusError where there is none, or it cannot say it."""
    from pipeline.audio.encode import to_wav
    from pipeline.synthesis.voices import voices_for
    from pipeline.wakeword.wake_words import pronunciation

    try:
        audio = voices_for(shared.settings(), language)[0].say(pronunciation(text))
    except (OSError, ValueError, RuntimeError, subprocess.SubprocessError) as error:
        raise CorpusError(N_("{text!r} cannot be said ({reason})."), text=text, reason=said_by(error)) from error
    return to_wav(audio.samples, audio.sample_rate_hz)


@asks(Action.TRAIN)
def similar(word: str, language: str, n: int) -> list[str]:
    """Phrases near a word, the nearest first."""
    from pipeline.wakeword.data.near_phrases import near_phrases
    from pipeline.wakeword.wake_words import wake_word

    return near_phrases(wake_word(word), language, n)


@asks(Action.TRAIN)
def sounds_to_join(clips: ClipLibrary) -> list[str]:
    """What holds English recordings whose sounds can be joined to a word, by name: sets, and the other speech of the
    word."""
    return list(_sounds_to_join(clips))


def _sounds_to_join(clips: ClipLibrary) -> dict[str, Path]:
    from pipeline.corpus.sets import list_sets

    sets = {set_.name: set_.root for set_ in list_sets(shared.settings()) if set_.language in ("en", UNKNOWN_LANGUAGE)}
    own = {f"{clips.name}: negative": clips.folder("negative")} if clips.files("negative") else {}
    return sets | own


@dataclass(frozen=True)
class SpeakTask:
    """What is to be spoken: clips of a word, of phrases near it and of other words. `joined` are names that
    `sounds_to_join` gives, `source_pattern` says where their speaker is in a path ("": all are one)."""

    word: str
    language: str
    n_clips: int
    n_near: int
    n_other: int
    pronunciations: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    source_pattern: str = ""


@asks(Action.TRAIN)
def start_speaking(clips: ClipLibrary, task: SpeakTask) -> None:
    """In the background, into the folder of the word. Raises CorpusError for what cannot be said or joined here, and
    where clips of another text lie there, ModelError without the listener that joining needs."""
    from pipeline.jobs.launcher import launch
    from pipeline.synthesis.voices import voices_for
    from pipeline.wakeword.data.joining import recordings_to_join
    from pipeline.wakeword.wake_words import pronunciation, wake_word

    word, pronunciations = wake_word(task.word), [pronunciation(way) for way in task.pronunciations]
    before, _language = spoken_as(clips)
    if before not in ("", word):
        raise CorpusError(
            N_(
                "The synthetic clips here say {before!r}. Delete them before {word!r} is spoken, or make it a new word."
            ),
            before=before, word=word,
        )  # fmt: skip
    voices_for(shared.settings(), task.language)
    known = _sounds_to_join(clips)
    folders = [known[name] for name in task.joined if name in known]
    pattern = task.source_pattern or None
    if folders:
        recordings_to_join(shared.settings(), folders, pattern, task.language)
    counts = (("--clips", task.n_clips), ("--near", task.n_near), ("--other", task.n_other))
    options = ["--out", str(clips.spoken), "--language", task.language]
    options += [part for name, n in counts for part in (name, str(n))]
    options += [part for way in pronunciations for part in ("--say", way)]
    options += [part for folder in folders for part in ("--from-speech", str(folder))]
    options += ["--source", pattern] if folders and pattern else []
    launch(
        shared.settings(), kind=SPEAKING, name=f"speak-{clips.name}", argv=["wakeword", "speak", *options, "--", word],
        root=shared.settings().jobs_root, config={"word": clips.name}, by=identity.allowed(Action.TRAIN),
    )  # fmt: skip


@asks(Action.TRAIN)
def last_speaking(clips: ClipLibrary) -> RunRecord | None:
    jobs = (job for job in scan_runs(shared.settings().jobs_root).records if job.state.kind == SPEAKING)
    return next((job for job in jobs if job.config.get("word") == clips.name), None)


@dataclass(frozen=True)
class Preview:
    """One rendering of a clip, to hear and to see."""

    wav: bytes
    frames: NDArray[np.float32]
    hop_s: float


@asks(Action.TRAIN)
def previews(clips: ClipLibrary, clip: Path, n: int, seed: int) -> list[Preview]:
    """`n` renderings of a clip as training would make them, after one with nothing varied."""
    import numpy as np

    from pipeline.audio.encode import to_wav
    from pipeline.audio.load import load_audio
    from pipeline.audio.voice import find_word
    from pipeline.wakeword.config import AugmentConfig
    from pipeline.wakeword.data.augment import Renderer, plain
    from pipeline.wakeword.data.clips import Label
    from pipeline.wakeword.data.noise import read_noise
    from pipeline.wakeword.data.rooms import read_rooms, simulate_rooms
    from pipeline.wakeword.features import RATE_HZ, FeatureConfig, features

    config, shape = AugmentConfig(), FeatureConfig()
    sound = load_audio(clip).samples
    start, end = find_word(sound)
    noise = read_noise([str(clips.folder("noise"))]) if clips.files("noise") else []
    measured = read_rooms([str(clips.folder("rir"))]).responses if clips.files("rir") else ()
    speech = [load_audio(path).samples for path in clips.learnt_from(Label.NEGATIVE)[:12]]
    rooms = [*measured, *simulate_rooms(4, seed)]
    varied = Renderer(config, shape.clip_s, noise, rooms, speech)
    renderers = [Renderer(plain(config, None), shape.clip_s), *[varied] * n]
    renderings = []
    for number, renderer in enumerate(renderers):
        rendered = renderer.word(sound[start:end], np.random.default_rng([seed, number]))
        renderings.append(Preview(to_wav(rendered, RATE_HZ), features(rendered, shape), shape.hop_s))
    return renderings


@dataclass(frozen=True)
class BatchWindow:
    """One window of a batch, to hear and to see as the network sees it."""

    label: Label
    wav: bytes
    frames: NDArray[np.float32]
    hop_s: float


@dataclass(frozen=True)
class Batch:
    windows: list[BatchWindow]
    statistics: dict[Label, BinStatistics]


@asks(Action.TRAIN)
def batch(clips: ClipLibrary, n: int, seed: int) -> Batch:
    """`n` windows as a training on these clips draws them. Raises CorpusError where a class is missing."""
    from pipeline.audio.encode import to_wav
    from pipeline.wakeword.data.clips import Label
    from pipeline.wakeword.data.example_batch import example_batch
    from pipeline.wakeword.features import RATE_HZ

    files = {label: clips.learnt_from(label) for label in Label}
    noise, rir = ([str(clips.folder(part))] if clips.files(part) else [] for part in ("noise", "rir"))
    drawn = example_batch(files, noise, rir, n, seed)
    windows = [
        BatchWindow(window.label, to_wav(window.sound, RATE_HZ), window.frames, drawn.hop_s) for window in drawn.windows
    ]
    return Batch(windows, drawn.statistics)
