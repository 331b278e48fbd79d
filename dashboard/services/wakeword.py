"""What the Wake word page asks for: clips of words, runs of detectors, background work, reports."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_
from pipeline.people.access import Action
from pipeline.runs import RunDirectory, RunListing, RunRecord, scan_runs
from pipeline.runs.comparison import section_of
from pipeline.wakeword.file_names import RATE_RANGE, SEARCH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.jobs.launcher import Where
    from pipeline.wakeword.cascade import Verify
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.data.clip_library import ClipLibrary
    from pipeline.wakeword.data.clip_uploads import UploadOutcome
    from pipeline.wakeword.data.clips import ClipScan, Label
    from pipeline.wakeword.data.example_batch import BinStatistics
    from pipeline.wakeword.file_detection import FileDetections, JudgedDetector
    from pipeline.wakeword.finished_run import FinishedRun
    from pipeline.wakeword.learnt_word import LearntWord
    from pipeline.wakeword.models.budget import Budget
    from pipeline.wakeword.owner.enrolment import Enrolment
    from pipeline.wakeword.owner.verification import OwnerVerify

UNKNOWN_LANGUAGE = "und"
KIND, SPEAKING = "wakeword", "wakeword-speak"


@dataclass(frozen=True)
class SpokenCounts:
    """Synthetic clips of the word, of phrases near it and of other words."""

    clips: int
    near: int
    other: int


@dataclass(frozen=True)
class Preview:
    """One rendering of a clip, to hear and to see."""

    wav: bytes
    frames: NDArray[np.float32]
    hop_s: float


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
def undo_take(clips: ClipLibrary, name: str) -> None:
    clips.remove("positive", [name])


@asks(Action.TRAIN)
def delete_clips(clips: ClipLibrary, part: str, names: Sequence[str]) -> None:
    """Permanently, by their paths in the part's folder. Raises CorpusError for one that is not there."""
    clips.remove(part, names)


@asks(Action.TRAIN)
def speech_folders() -> dict[str, Path]:
    """Recording sets of this installation that may serve as other speech, by name."""
    from pipeline.corpus.sets import list_sets

    return {set_.name: set_.root for set_ in list_sets(shared.settings())}


@asks(Action.TRAIN)
def runs() -> RunListing:
    """Those that train detectors, newest first, and the folders among all runs that cannot be read."""
    listing = scan_runs(shared.settings().runs_root)
    return RunListing(tuple(run for run in listing.records if run.state.kind == KIND), listing.damaged)


@asks(Action.TRAIN)
def start_training(config: WakewordConfig, where: Where) -> str:
    from pipeline.jobs.launcher import launch_training

    return launch_training(shared.settings(), KIND, config, where, identity.allowed(Action.TRAIN)).id


@asks(Action.TRAIN)
def presets() -> list[str]:
    """Those of Pronlab, then those saved here."""
    from pipeline.wakeword.config import list_presets

    return [*list_presets(), *saved_presets()]


@asks(Action.TRAIN)
def saved_presets() -> list[str]:
    from pipeline.wakeword.saved_presets import saved_presets

    return saved_presets(shared.settings())


@asks(Action.TRAIN)
def preset(name: str) -> dict[str, Any]:
    """Its settings. Raises TrainingError for an unknown one."""
    from pipeline.wakeword.saved_presets import load_preset

    return load_preset(shared.settings(), name)


@asks(Action.TRAIN)
def save_preset(name: str, config: WakewordConfig) -> str:
    """Returns the name it is kept under. Raises TrainingError for one that cannot be used."""
    from pipeline.wakeword.saved_presets import save_preset

    return save_preset(shared.settings(), name, config)


@asks(Action.TRAIN)
def delete_preset(name: str) -> None:
    from pipeline.wakeword.saved_presets import delete_preset

    delete_preset(shared.settings(), name)


@asks(Action.TRAIN)
def start_rate_range(config: WakewordConfig) -> None:
    """In the background: a short run whose learning rate rises."""
    from pipeline.jobs.launcher import launch

    launch(
        shared.settings(), kind=RATE_RANGE, name=config.name, argv=["wakeword", "rate-range"],
        root=shared.settings().jobs_root, config=config, by=identity.allowed(Action.TRAIN),
    )  # fmt: skip


@asks(Action.TRAIN)
def start_search(config: WakewordConfig, trials: int, steps: int) -> None:
    """In the background: `trials` short trainings of `steps` steps."""
    from pipeline.jobs.launcher import launch

    launch(
        shared.settings(), kind=SEARCH, name=config.name,
        argv=["wakeword", "search", "--trials", str(trials), "--trial-steps", str(steps)],
        root=shared.settings().runs_root, config=config, seed=config.seed, by=identity.allowed(Action.TRAIN),
    )  # fmt: skip


@asks(Action.TRAIN)
def last_tuning(kind: str, clips: ClipLibrary) -> RunRecord | None:
    """The newest rate range or search on the clips of a word, None where there was none."""
    root = shared.settings().jobs_root if kind == RATE_RANGE else shared.settings().runs_root
    folders = {str(clips.folder("positive")), str(clips.spoken)}
    for record in scan_runs(root).records:
        if record.state.kind == kind and folders & set(section_of(record.config, "data").get("positive") or ()):
            return record
    return None


@asks(Action.TRAIN)
def start_work(kind: str, run: RunDirectory, *options: str) -> RunDirectory:
    """`evaluate`, `robustness`, `detect` or `export` of a run, in the background."""
    from pipeline.jobs.launcher import launch

    return launch(
        shared.settings(), kind=f"wakeword-{kind}", name=f"{kind}-{run.id}",
        argv=["wakeword", kind, run.id, *options], root=shared.settings().jobs_root,
        config={"run": run.id, "options": options}, by=identity.allowed(Action.TRAIN),
    )  # fmt: skip


@asks(Action.TRAIN)
def last_work(kind: str, run: RunDirectory) -> RunRecord | None:
    """The newest such work for a run, None where there was none."""
    jobs = (job for job in scan_runs(shared.settings().jobs_root).records if job.state.kind == f"wakeword-{kind}")
    return next((job for job in jobs if job.config.get("run") == run.id), None)


@asks(Action.TRAIN)
def learnt_word(folder: Path) -> LearntWord | None:
    """What the judge of phones learnt for a model folder, whatever the word; None where nothing was, or where it must
    be learnt again."""
    from pipeline.wakeword.learnt_word import read_learnt_word

    try:
        return read_learnt_word(folder)
    except ModelError:
        return None


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
def spoken_language(clips: ClipLibrary) -> str:
    """In which synthesisers said the word; "" where nothing is there."""
    from pipeline.wakeword.data.spoken_word import spoken_word

    return spoken_word(clips.spoken)[1]


@asks(Action.TRAIN)
def said(text: str, language: str) -> bytes:
    """A WAV of the first voice of the language. Raises CorpusError where there is none, or it cannot say it."""
    from pipeline.audio.encode import to_wav
    from pipeline.errors import CorpusError
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
    """In the background, into the folder of the word. Raises CorpusError for what cannot be said or joined here,
    ModelError without the listener that joining needs."""
    from pipeline.jobs.launcher import launch
    from pipeline.synthesis.voices import voices_for
    from pipeline.wakeword.data.joining import recordings_to_join
    from pipeline.wakeword.wake_words import pronunciation, wake_word

    word, pronunciations = wake_word(task.word), [pronunciation(way) for way in task.pronunciations]
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


@asks(Action.TRAIN)
def finished_run(run: RunDirectory) -> FinishedRun:
    from pipeline.wakeword.finished_run import open_finished_run

    return open_finished_run(shared.settings(), str(run.path))


@asks(Action.TRAIN)
def budget(config: WakewordConfig) -> tuple[Budget, dict[str, list[str]]]:
    """What its model costs, and for each device what it lacks. Raises FeatureError for a speech embedding that cannot
    be used."""
    from dataclasses import replace

    from pipeline.wakeword.devices import TARGETS
    from pipeline.wakeword.features import check_embedding
    from pipeline.wakeword.models.budget import budget_of

    check_embedding(config.features)
    shape, hop_s = config.features.shape, config.detector.hop_s
    beyond = {
        name: budget_of(replace(config.model, target=name), shape).beyond(target, hop_s)
        for name, target in TARGETS.items()
    }
    return budget_of(config.model, shape), beyond


@asks(Action.TRAIN)
def previews(clips: ClipLibrary, clip: Path, n: int, seed: int) -> list[Preview]:
    """`n` renderings of a clip as training would make them, after one with nothing varied."""
    import numpy as np

    from pipeline.audio.encode import to_wav
    from pipeline.audio.load import load_audio
    from pipeline.audio.voice import find_word
    from pipeline.wakeword.config import AugmentConfig
    from pipeline.wakeword.data.augment import Renderer, plain
    from pipeline.wakeword.data.noise import read_noise
    from pipeline.wakeword.data.rooms import read_rooms, simulate_rooms
    from pipeline.wakeword.features import RATE_HZ, FeatureConfig, features

    config, shape = AugmentConfig(), FeatureConfig()
    sound = load_audio(clip).samples
    start, end = find_word(sound)
    noise = read_noise([str(clips.folder("noise"))]) if clips.files("noise") else []
    measured = read_rooms([str(clips.folder("rir"))]).responses if clips.files("rir") else ()
    speech = [load_audio(path).samples for path in clips.files("negative")[:12]]
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

    files = {label: clips.files(label) for label in Label}
    noise, rir = ([str(clips.folder(part))] if clips.files(part) else [] for part in ("noise", "rir"))
    drawn = example_batch(files, noise, rir, n, seed)
    windows = [
        BatchWindow(window.label, to_wav(window.sound, RATE_HZ), window.frames, drawn.hop_s) for window in drawn.windows
    ]
    return Batch(windows, drawn.statistics)


@dataclass(frozen=True)
class DetectorChoice:
    """How a detector is tried: its settings at run time, of several words which one, the word whose phones must be
    heard, and whose voice it must be; None and "" leave each as it is."""

    preset: str | None = None
    threshold: float | None = None
    word: str = ""
    phones: str = ""
    owner: str = ""


@asks(Action.TRAIN)
def detect(run: RunDirectory, audio: bytes, choice: DetectorChoice) -> FileDetections:
    """Raises CorpusError for a word that cannot be pronounced or a voice that is not enrolled."""
    from pipeline.wakeword.file_detection import detect_in_file

    finished = finished_run(run)
    threshold, verify, owner = _judges_of(finished, choice)
    return detect_in_file(finished, audio, choice.preset, threshold, choice.word, verify, owner)


@asks(Action.TRAIN)
def detector(run: RunDirectory, choice: DetectorChoice) -> JudgedDetector:
    """As `detect`, for sound as it comes."""
    from pipeline.wakeword.file_detection import detector_of

    finished = finished_run(run)
    threshold, verify, owner = _judges_of(finished, choice)
    return detector_of(finished, choice.preset, threshold, choice.word, verify, owner)


def _judges_of(finished: FinishedRun, choice: DetectorChoice) -> tuple[float | None, Verify | None, OwnerVerify | None]:
    """With the threshold, which is low where a judge decides."""
    from pipeline.wakeword.owner.verification import owner_verifier
    from pipeline.wakeword.phone_judge import PhoneJudge

    settings = shared.settings()
    judge = PhoneJudge(settings, choice.phones, finished.folder) if choice.phones else None
    return (
        choice.threshold if judge is None else judge.asked_from(choice.threshold),
        None if judge is None else judge.verifier(),
        owner_verifier(settings, choice.owner) if choice.owner else None,
    )


@dataclass(frozen=True)
class Enrolled:
    """A voice that was enrolled, and the similarity from which one is accepted."""

    enrolment: Enrolment
    threshold: float


@asks(Action.TRAIN)
def owners() -> list[str]:
    """Names of the voices that are enrolled."""
    from pipeline.wakeword.owner.enrolment import owners

    return owners(shared.settings())


@asks(Action.TRAIN)
def problems_of_take(recording: bytes) -> list[str]:
    """In words, why a take cannot be used; none for a good one. Raises AudioError for what is no audio."""
    from pipeline.wakeword.data.takes import problems_of_take

    return problems_of_take(recording)


@asks(Action.TRAIN)
def enrol(name: str, takes: Sequence[bytes]) -> Enrolled:
    """Keep a voice; its takes are called by their numbers. Raises CorpusError for a name that cannot be one, too few
    takes or takes of different words, AudioError for bad ones, ModelError without the released model of voices."""
    from pipeline.wakeword.owner.enrolment import Take, enrol
    from pipeline.wakeword.owner.voice import VoiceEncoder

    settings, encoder = shared.settings(), VoiceEncoder(shared.settings())
    numbered = [Take(str(number), content) for number, content in enumerate(takes, start=1)]
    enrolment = enrol(settings, name, numbered, encoder.voice_of, encoder.states_of, encoder.info.listener_sha256)
    return Enrolled(enrolment, encoder.info.threshold)


@asks(Action.TRAIN)
def forget_owner(name: str) -> None:
    """Delete a voice. Raises CorpusError for one that is not enrolled."""
    from pipeline.wakeword.owner.enrolment import forget_owner

    forget_owner(shared.settings(), name)


@asks(Action.TRAIN)
def scan(clips: ClipLibrary, pattern: str, progress: Any) -> ClipScan:
    return clips.scan(pattern or None, progress)
