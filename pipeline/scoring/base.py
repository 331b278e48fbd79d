"""What a scorer is, and how one is found by name."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from pipeline.audio.check import CUT_OFF, check_audio
from pipeline.audio.load import Audio, load_audio
from pipeline.records import RubricName, ScoreResult, Target
from pipeline.registry import Registry
from pipeline.scoring.gate import refusal
from pipeline.settings import Settings


class Scorer(Protocol):
    """Scores one recording. `name` is the registered name, `model_id` says which model or rule version answers."""

    @property
    def name(self) -> str: ...

    @property
    def model_id(self) -> str: ...

    def score(self, audio: Audio, target: Target) -> ScoreResult:
        """Judge audio that has passed the gate. Time, audio report and refusals are `score_audio`'s."""
        ...


ScorerFactory = Callable[[Settings, RubricName, Path | None], Scorer]
SCORERS: Registry[ScorerFactory] = Registry("scorer")


def score_audio(scorer: Scorer, audio: Audio, target: Target) -> ScoreResult:
    """Check, refuse or score `audio`, timed."""
    started = time.perf_counter()
    report = check_audio(audio)
    result = refusal(report, scorer.name, scorer.model_id, target) or scorer.score(audio, target)
    first = [problem.message for problem in report.problems if problem.code == CUT_OFF]
    warnings = dict.fromkeys([*first, *result.warnings, *(problem.message for problem in report.problems)])
    elapsed_ms = 1000.0 * (time.perf_counter() - started)
    return replace(result, audio=report, warnings=tuple(warnings), milliseconds=round(elapsed_ms, 2))


def score_file(scorer: Scorer, path: Path, target: Target) -> ScoreResult:
    """`score_audio` of a file, reading included in the time. Raises AudioError where it cannot be read."""
    started = time.perf_counter()
    result = score_audio(scorer, load_audio(path), target)
    return replace(result, milliseconds=round(1000.0 * (time.perf_counter() - started), 2))
