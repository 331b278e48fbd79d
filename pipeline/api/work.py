"""Decoding and scoring in processes of their own, with time and memory limits: a clip that hangs or bloats ends its
process, and the service stays up."""

import multiprocessing
import os
import resource
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.api.limits import Limits
from pipeline.api.problems import Problem
from pipeline.errors import AudioError, PronlabError, UnknownNameError
from pipeline.monitoring.inputs import features_of
from pipeline.records import RubricName, ScoreResult, Target
from pipeline.settings import Settings


@dataclass(frozen=True)
class Task:
    """One clip to score, by the scorer of that name or the model in `folder` (neither: the one in use); `detector` is a
    wake-word model folder to ask instead."""

    content: bytes
    target: Target | None = None
    scorer: str | None = None
    folder: Path | None = None
    detector: str | None = None


@dataclass(frozen=True)
class Answer:
    """`features` are the 57 of the recording, for the log; empty where it was not scored."""

    result: ScoreResult
    features: tuple[float, ...]


class Workers:
    """Processes that score. Their scorers are loaded with the first request of each kind and after a deployment."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        from pebble import ProcessPool

        self._settings, self._limits = settings, limits
        self._pool = ProcessPool(
            max_workers=limits.workers, context=multiprocessing.get_context("spawn"), initializer=_prepare,
            initargs=(limits.memory_mb, max(1, (os.cpu_count() or 1) // limits.workers)),
        )  # fmt: skip

    def warm(self, detector: str | None) -> None:
        """Start the processes, and load what is served, before the first request waits for it."""
        for _ in range(self._limits.workers):
            self._pool.schedule(_ready, args=[detector])

    async def run(self, task: Task) -> Any:
        """An Answer, or a wake word's verdict. Raises Problem in words."""
        import asyncio
        from concurrent.futures import TimeoutError as Late

        from pebble import ProcessExpired

        future = self._pool.schedule(
            _worked, args=[self._settings, self._limits.max_s, task], timeout=self._limits.timeout_s
        )
        try:
            kind, found = await asyncio.wrap_future(future)
        except (Late, TimeoutError):
            raise Problem(504, f"Scoring took longer than {self._limits.timeout_s:g} s and was ended.") from None
        except ProcessExpired:
            raise Problem(
                503, "The process that scored this clip ended: it needed too much memory. Send a shorter one."
            ) from None
        except MemoryError:
            raise Problem(413, "The clip needs more memory than is allowed when decoded. Send a shorter one.") from None
        if kind == "problem":
            raise Problem(*found)
        return found

    def close(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()


def _prepare(memory_mb: int, threads: int) -> None:
    """Workers share the cores: more threads than their share would only wait for each other."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * 2**20, memory_mb * 2**20))


def _ready(detector: str | None) -> None:
    import pipeline.scoring.attempt  # noqa: F401  what every scorer needs

    if detector is not None:
        _verifier(detector, Path(detector).stat().st_mtime_ns)


def _worked(settings: Settings, max_s: float, task: Task) -> tuple[str, Any]:
    """What the parent raises or answers; errors travel as words, as not every one survives the way."""
    try:
        return "result", _answer(settings, max_s, task)
    except UnknownNameError as error:
        return "problem", (422, str(error))
    except AudioError as error:
        return "problem", (422, str(error))
    except PronlabError as error:
        return "problem", (503, str(error))


def _answer(settings: Settings, max_s: float, task: Task) -> Any:
    from pipeline.audio.load import load_audio

    audio = load_audio(task.content, max_duration_s=max_s)
    if task.detector is not None:
        return _verifier(task.detector, Path(task.detector).stat().st_mtime_ns)(audio.samples)
    if task.target is None:
        raise UnknownNameError("Say what was to be said: word or text.")
    from pipeline.scoring.attempt import score_attempt
    from pipeline.scoring.in_use import deployment

    scorer = _scorer(settings, task.scorer, task.target.rubric, deployment(settings, task.target.rubric), task.folder)
    result: ScoreResult = score_attempt(scorer, audio, task.target)
    return Answer(result, features_of(settings, audio, result))


@lru_cache(maxsize=8)
def _scorer(
    settings: Settings, name: str | None, rubric: RubricName, _deployment: str, folder: Path | None = None
) -> Any:
    from pipeline.scoring.base import load_scorer

    return load_scorer(settings, name, rubric, model=folder)


@lru_cache(maxsize=2)
def _verifier(folder: str, _changed: int) -> Any:
    import torch

    from pipeline.wakeword.cascade import local_judge
    from pipeline.wakeword.judging import judge_of
    from pipeline.wakeword.model_files import load_model

    torch.set_num_threads(1)  # one window is too small to share, and several workers share the processor
    model, info = load_model(Path(folder))
    return local_judge(
        judge_of(model), info.features, info.detector, info.threshold, info.temperature, info.name or "keyword"
    )
