"""What a scorer is, and how one is found by name."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

from pipeline.audio.check import CUT_OFF, NOISY, check_audio
from pipeline.audio.load import Audio, load_audio
from pipeline.audio.speech import MARGINS, Cut, Speech, cut_to, find_speech
from pipeline.i18n import N_
from pipeline.records import AudioReport, PhoneScore, RubricName, ScoreResult, Seconds, Target, WordScore
from pipeline.registry import Registry
from pipeline.scoring.gate import refusal
from pipeline.settings import Settings
from pipeline.text.words import read_text

LEARNED_FROM_SYNTHETIC = N_("The model learned from synthetic voices and may be less accurate on yours.")


class Scorer(Protocol):
    """Scores one recording. `name` is the registered name, `model_id` says which model or rule version answers. A
    scorer with `takes_whole` set gets the recording as it is, not its speech alone."""

    @property
    def name(self) -> str: ...

    @property
    def model_id(self) -> str: ...

    def score(self, audio: Audio, target: Target) -> ScoreResult:
        """Judge audio that has passed the gate. Time, audio report and refusals are `score_audio`'s."""
        ...


ScorerFactory = Callable[[Settings, RubricName, Path | None], Scorer]
Timed = TypeVar("Timed", WordScore, PhoneScore)
SCORERS: Registry[ScorerFactory] = Registry(N_("scorer"))


def score_audio(scorer: Scorer, audio: Audio, target: Target, speech: Speech | None = None) -> ScoreResult:
    """Check, refuse or score `audio`, timed. Only its speech is scored; times are those of the whole recording.

    Args:
        speech: Where it is, if somebody has looked for it before.

    Raises CorpusError for a text that has no words or cannot be read (`pipeline.text.words`).
    """
    started = time.perf_counter()
    if target.phones is None:
        read_text(target.text, target.language)
    report, cut = check_audio(audio), Cut(audio)
    takes_whole = getattr(scorer, "takes_whole", False)
    if not takes_whole and not any(problem.severity == "error" for problem in report.problems):
        cut = cut_to(audio, speech or find_speech(audio, target.rubric), MARGINS[target.rubric])
        report = _report_of(report, cut)
    result = refusal(report, scorer.name, scorer.model_id, target) or shifted(scorer.score(cut.audio, target), cut)
    first = [problem.message for problem in report.problems if problem.code == CUT_OFF]
    warnings = dict.fromkeys([*first, *result.warnings, *(problem.message for problem in report.problems)])
    elapsed_ms = 1000.0 * (time.perf_counter() - started)
    return replace(result, audio=report, warnings=tuple(warnings), milliseconds=round(elapsed_ms, 2))


def shifted(result: ScoreResult, cut: Cut) -> ScoreResult:
    """A result on a part of a recording, with the times of the whole."""
    if not cut.before_s and not cut.after_s:
        return result
    return replace(
        moved(result, cut.before_s), cut_before_s=round(result.cut_before_s + cut.before_s, 3),
        cut_after_s=round(result.cut_after_s + cut.after_s, 3),
    )  # fmt: skip


def moved(result: ScoreResult, by_s: Seconds) -> ScoreResult:
    """With the times of its words and phones later by so much, none before the recording begins."""
    words = tuple(
        replace(_later(word, by_s), phones=tuple(_later(phone, by_s) for phone in word.phones)) for word in result.words
    )
    return replace(result, words=words)


def _later(timed: Timed, by_s: Seconds) -> Timed:
    return replace(
        timed, start_s=max(0.0, round(timed.start_s + by_s, 3)), end_s=max(0.0, round(timed.end_s + by_s, 3))
    )


def _report_of(report: AudioReport, cut: Cut) -> AudioReport:
    """What holds for the part that is scored: silence around it is no fault, and no pause in it is long enough to
    measure the noise in, which the whole recording may have."""
    if not cut.before_s and not cut.after_s:
        return report
    part = check_audio(cut.audio)
    is_noisy = any(problem.code == NOISY for problem in report.problems)
    problems = tuple(problem for problem in part.problems if problem.code != NOISY or is_noisy)
    snr_db = None if report.snr_db is None or part.snr_db is None else max(report.snr_db, part.snr_db)
    return replace(report, problems=problems, silence_share=part.silence_share, snr_db=snr_db)


def score_file(scorer: Scorer, path: Path, target: Target) -> ScoreResult:
    """`score_audio` of a file, reading included in the time. Raises AudioError where it cannot be read."""
    started = time.perf_counter()
    result = score_audio(scorer, load_audio(path), target)
    return replace(result, milliseconds=round(1000.0 * (time.perf_counter() - started), 2))
