"""Detectors of wake words that are trained: measured, exported and tried, with their judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from pipeline.errors import ModelError
from pipeline.people.access import Action
from pipeline.runs import RunDirectory, RunRecord, scan_runs
from pipeline.wakeword.file_names import BUNDLE, EXPORTS

if TYPE_CHECKING:
    from pipeline.wakeword.cascade import Verify
    from pipeline.wakeword.file_detection import FileDetections, JudgedDetector
    from pipeline.wakeword.finished_run import FinishedRun
    from pipeline.wakeword.learnt_word import LearntWord
    from pipeline.wakeword.owner.enrolment import Enrolment
    from pipeline.wakeword.owner.verification import OwnerVerify


@asks(Action.TRAIN)
def finished_run(run: RunDirectory) -> FinishedRun:
    from pipeline.wakeword.finished_run import open_finished_run

    return open_finished_run(shared.settings(), str(run.path))


@asks(Action.TRAIN)
def target_rate(run: RunDirectory, preset: str | None) -> float:
    """The false alarms per hour that a detector's threshold is for, as it is set or by a preset."""
    from pipeline.wakeword.finished_run import evaluated_detector

    return evaluated_detector(finished_run(run), preset, None).target_fah


@asks(Action.TRAIN)
def check_kept(run: RunDirectory, word: str, preset: str | None, target_fah: float | None) -> None:
    """Raises ModelError where the threshold of one of several words cannot be kept alone."""
    from pipeline.wakeword.finished_run import evaluated_detector, require_all_words

    finished = finished_run(run)
    require_all_words(finished, (word,), evaluated_detector(finished, preset, target_fah))


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
def bundle_of(run: RunDirectory) -> Path | None:
    """The zip for a device that was made of a run on the page, None where there is none."""
    file = finished_run(run).home / EXPORTS / BUNDLE
    return file if file.is_file() else None


@asks(Action.TRAIN)
def is_as_now(bundle: Path, run: RunDirectory) -> bool:
    """Whether a bundle was made of the detector as it is."""
    from pipeline.wakeword.packaging.opened_bundle import is_as_now

    return is_as_now(bundle, finished_run(run).folder)


@asks(Action.TRAIN)
def learnt_word(folder: Path) -> LearntWord | None:
    """What the judge of phones learnt for a model folder, whatever the word; None where nothing was, or where it must
    be learnt again."""
    from pipeline.wakeword.learnt_word import read_learnt_word

    try:
        return read_learnt_word(folder)
    except ModelError:
        return None


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


@asks(Action.TRAIN)
def owners() -> list[str]:
    """Names of the voices that are enrolled."""
    from pipeline.wakeword.owner.enrolment import owners

    return owners(shared.settings())


@asks(Action.TRAIN)
def enrol(name: str, takes: Sequence[bytes]) -> Enrolment:
    """Keep a voice; its takes are called by their numbers. Raises CorpusError for a name that cannot be one, too few
    takes or takes of different words, AudioError for bad ones, ModelError without the released model of voices."""
    from pipeline.wakeword.owner.enrolment import Take, enrol
    from pipeline.wakeword.owner.voice import VoiceEncoder

    settings, encoder = shared.settings(), VoiceEncoder(shared.settings())
    numbered = [Take(str(number), content) for number, content in enumerate(takes, start=1)]
    return enrol(settings, name, numbered, encoder.voice_of, encoder.states_of, encoder.info.listener_sha256)


@asks(Action.TRAIN)
def forget_owner(name: str) -> None:
    """Delete a voice. Raises CorpusError for one that is not enrolled."""
    from pipeline.wakeword.owner.enrolment import forget_owner

    forget_owner(shared.settings(), name)
