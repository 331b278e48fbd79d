"""Decoding and scoring in processes of their own, with time and memory limits: a clip that hangs or bloats ends its
process, and the service stays up. A process that ended, for whatever reason, is replaced at once."""

import asyncio
import json
import os
import resource
import threading
import time
import traceback
from collections import deque
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.api.limits import LOG, Limits
from pipeline.api.problems import Problem, without_folders
from pipeline.api.processes import GoneError, LateError, Process, prepare_to_start
from pipeline.deployment.answering import answer, answer_in_shadow
from pipeline.deployment.prompt_answering import answer_prompt, prompt_in_shadow
from pipeline.errors import AudioError, CorpusError, FeatureError, ModelError, PronlabError, UnknownNameError
from pipeline.i18n import N_
from pipeline.parallel import cores
from pipeline.records import RubricName, Seconds, Target
from pipeline.scoring.selection import DEFAULT_LANGUAGES, scorer_names
from pipeline.scoring.sounds.judging import load_sounds
from pipeline.settings import Settings

Outcome = tuple[str, Any]  # a kind, and the result or words
LOAD_S: Seconds = 120.0  # for a process to start and load its scorers, on a slow and busy machine
GLANCE_S: Seconds = 0.1  # an idle process looks as often whether it is still there
LOAD_AGAIN_S: Seconds = 5.0  # where a scorer could not be loaded
LONGEST_PAUSE_S: Seconds = 2.0  # between two attempts to start a process
ATTEMPTS = 2  # of a clip whose process ended: scoring changes nothing, so that it may be done again


@dataclass(frozen=True)
class Task:
    """One clip, or one written `prompt`, to score for a `learner` ("": anyone), by the scorer of that name or, where it
    is None, by whoever answers; `in_shadow`, by the shadow model. `detector` is a wake-word model folder to ask
    instead. `max_s` of audio where it is less than the service's limit."""

    content: bytes = b""
    target: Target | None = None
    scorer: str | None = None
    learner: str = ""
    in_shadow: bool = False
    detector: str | None = None
    max_s: Seconds | None = None
    prompt: str | None = None


@dataclass
class Job:
    """A task that waits or is at work until `end` (of the monotonic clock); nobody wants an `abandoned` one."""

    task: Task
    end: float
    answer: "Future[Outcome]" = field(default_factory=Future)
    attempts: int = 0
    abandoned: bool = False

    def settle(self, kind: str, value: Any) -> None:
        with suppress(InvalidStateError):  # nobody waits for it any more
            self.answer.set_result((kind, value))


@dataclass
class Worker:
    """`loaded` while its process is up with the scorers of this installation in it; `problem` says why they could not
    be loaded."""

    process: Process | None = None
    loaded: bool = False
    problem: str = ""


class Workers:
    """Processes that score, each looked after by a thread, which hands it one job at a time and replaces it when it
    ends. `replaced` counts those that ended."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        self._settings, self._limits = settings, limits
        self._detector: str | None = None
        self._jobs: deque[Job] = deque()
        self._change = threading.Condition()
        self._closed = threading.Event()
        self._workers = [Worker() for _ in range(limits.workers)]
        self._threads: list[threading.Thread] = []
        self.replaced = 0

    def warm(self, detector: str | None) -> None:
        """Start the processes, and load what is served, before the first request waits for it. Returns at once."""
        self._detector = detector
        with self._change:
            if not self._threads:
                self._threads = [
                    threading.Thread(target=self._look_after, args=[worker], daemon=True) for worker in self._workers
                ]
                for thread in self._threads:
                    thread.start()

    @property
    def loaded(self) -> int:
        """How many can score at once."""
        return sum(worker.loaded for worker in self._workers)

    @property
    def problem(self) -> str:
        """Why the scorers could not be loaded; "" where they are, or are about to be."""
        return next((worker.problem for worker in self._workers if worker.problem), "")

    async def run(self, task: Task) -> Any:
        """An Answer (None where there is no shadow model), or a wake word's verdict. Raises Problem in words, after
        `Limits.answer_s` at the latest."""
        self.warm(self._detector)
        job = Job(task, time.monotonic() + self._limits.answer_s)
        with self._change:
            self._jobs.append(job)
            self._change.notify()
        answer = asyncio.wrap_future(job.answer)
        try:
            done, _ = await asyncio.wait({answer}, timeout=self._limits.wait_s)
            if not done and job.answer.cancel():
                raise _come_back(f"No process was free within {self._limits.wait_s:g} s.")
            done, _ = await asyncio.wait({answer}, timeout=max(0.0, job.end - time.monotonic()))
            if not done:
                raise _come_back(f"The clip was not scored within {self._limits.answer_s:g} s.")
        finally:  # also where the client has gone away
            job.abandoned = True
            job.answer.cancel()
        return _unwrapped(answer.result())

    def close(self) -> None:
        """End all processes; whoever still waits is told."""
        self._closed.set()
        with self._change:
            self._change.notify_all()
        for worker in self._workers:
            if worker.process is not None:
                worker.process.kill()
        for thread in self._threads:
            thread.join(5.0)
        while (job := self._next(0.0)) is not None:
            job.settle("ended", "The service is being stopped.")

    def _look_after(self, worker: Worker) -> None:
        pause: Seconds = GLANCE_S
        while not self._closed.is_set():
            begun = time.monotonic()
            try:
                self._one_process(worker)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next process may do better
                worker.problem = "A scoring process could not be started."
                LOG.warning(json.dumps({"worker": worker.problem, "error": repr(error)}))
            pause = GLANCE_S if time.monotonic() - begun > LONGEST_PAUSE_S else min(2 * pause, LONGEST_PAUSE_S)
            self._closed.wait(pause)

    def _one_process(self, worker: Worker) -> None:
        """Start one, and hand it jobs until it has ended. Raises whatever kept it from starting."""
        limits = self._limits
        threads = max(1, cores() // limits.workers)
        process = worker.process = Process(_prepare, (limits.memory_mb, threads))
        try:
            self._load(worker, process)
            again = time.monotonic() + LOAD_AGAIN_S
            while not self._closed.is_set():
                job = self._next(GLANCE_S)
                prepare_to_start()
                if job is not None:
                    if not self._answered(process, job):
                        break
                elif not process.is_alive():
                    break
                elif worker.problem and time.monotonic() > again:
                    self._load(worker, process)
                    again = time.monotonic() + LOAD_AGAIN_S
        finally:
            worker.loaded = False
            process.end()
            if not self._closed.is_set():
                self.replaced += 1
                LOG.warning(json.dumps({"worker": "ended, and is replaced"}))

    def _load(self, worker: Worker, process: Process) -> None:
        problem = process.call(_loaded, self._settings, self._detector, timeout_s=LOAD_S)
        if problem and problem != worker.problem:
            LOG.warning(json.dumps({"worker": problem}, ensure_ascii=False))
        worker.problem = problem
        worker.loaded = not problem

    def _next(self, timeout_s: Seconds) -> Job | None:
        """The job that has waited longest and is still wanted."""
        with self._change:
            self._change.wait_for(lambda: self._jobs or self._closed.is_set(), timeout_s)
            while self._jobs:
                job = self._jobs.popleft()
                if not job.abandoned and (job.attempts or job.answer.set_running_or_notify_cancel()):
                    return job
        return None

    def _answered(self, process: Process, job: Job) -> bool:
        """Whether the process is still of use afterwards. A job whose process ended is done again, before others."""
        job.attempts += 1
        timeout_s = max(0.0, min(self._limits.timeout_s, job.end - time.monotonic()))
        try:
            job.settle(*process.call(_worked, self._settings, self._limits.max_s, job.task, timeout_s=timeout_s))
        except LateError:
            job.settle("late", f"Scoring took longer than {timeout_s:.3g} s and was ended.")
            return False
        except GoneError:
            if job.attempts < ATTEMPTS and not self._closed.is_set():
                with self._change:
                    self._jobs.appendleft(job)
                    self._change.notify()
            else:
                job.settle("ended", "The process that scored this clip ended. If the clip is long, send a shorter one.")
            return False
        except Exception as error:  # noqa: BLE001 - answered as a defect
            job.settle("defect", "".join(traceback.format_exception(error)))
        return True


def _unwrapped(outcome: Outcome) -> Any:
    """Its result. Raises Problem, or RuntimeError for a defect."""
    kind, value = outcome
    match kind:
        case "result":
            return value
        case "refused":
            raise Problem(422, value)
        case "large":
            raise Problem(413, "The decoded clip needs more memory than allowed. Send a shorter one.")
        case "unable":
            LOG.warning(json.dumps({"scorer": value}, ensure_ascii=False))
            raise Problem(503, without_folders(value))
        case "ended":
            raise _come_back(value)
        case "late":
            raise Problem(504, value)
        case _:
            raise RuntimeError(f"In a process that scores: {value}")


def _come_back(detail: str) -> Problem:
    return Problem(503, f"{detail} Try again in a moment.", Retry_After="2")


def _prepare(memory_mb: int, threads: int) -> None:
    """Workers share the cores: more threads than their share would only wait for each other."""
    os.environ["OMP_NUM_THREADS"] = str(threads)  # read when a session of onnxruntime is made
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * 2**20, memory_mb * 2**20))


def _loaded(settings: Settings, detector: str | None) -> str:
    """Load what answers where a request names no scorer, and let each score a second of sound, or a prompt, as the
    first time takes longer. What kept them from it, "" where nothing did."""
    from pipeline.audio.load import TARGET_RATE_HZ, from_samples
    from pipeline.audio.voice import surest_voice

    time_s = np.arange(TARGET_RATE_HZ) / TARGET_RATE_HZ
    audio = from_samples((0.3 * np.sin(800.0 * time_s) * np.sin(3.0 * time_s)).astype(np.float32), TARGET_RATE_HZ)
    try:
        surest_voice(audio.samples)
        for rubric, language in DEFAULT_LANGUAGES.items():
            answer(settings, audio, Target("a", language, rubric))
        load_sounds(settings, DEFAULT_LANGUAGES[RubricName.WORD])
        answer_prompt(settings, "Explain it.")  # a text encoder brings PyTorch along
        if detector is not None:
            _verifier(detector, Path(detector).stat().st_mtime_ns)(audio.samples)
    except PronlabError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - the service says so and goes on
        return f"A scorer cannot be loaded: {type(error).__name__}: {error}"
    return ""


def _worked(settings: Settings, max_s: Seconds, task: Task) -> Outcome:
    """What the service answers or raises; errors travel as words, as not every one survives the way."""
    try:
        return "result", _answer(settings, max_s if task.max_s is None else min(max_s, task.max_s), task)
    except (UnknownNameError, AudioError, CorpusError, FeatureError) as error:  # the last two: of a text
        return "refused", without_folders(str(error))
    except PronlabError as error:
        return "unable", str(error)
    except MemoryError:
        return "large", ""
    except OSError as error:
        return "unable", f"A file of the scorer cannot be read: {error}"
    except Exception:  # noqa: BLE001 - raised again in the service
        return "defect", traceback.format_exc()


def _answer(settings: Settings, max_s: Seconds, task: Task) -> Any:
    from pipeline.audio.load import AudioTooLongError, load_audio

    if task.prompt is not None:
        if task.in_shadow:
            return prompt_in_shadow(settings, task.prompt)
        return answer_prompt(settings, task.prompt, learner=task.learner)
    try:
        audio = load_audio(task.content, max_duration_s=max_s)
    except AudioTooLongError as error:
        if max_s != task.max_s:
            raise
        raise AudioError(
            N_(
                "The recording lasts {duration_s:.1f} s, but only {max_s:.1f} s are left in its batch. Send two "
                "batches."
            ),
            duration_s=error.duration_s,
            max_s=max_s,
        ) from None
    if task.detector is not None:
        return _verifier(task.detector, Path(task.detector).stat().st_mtime_ns)(audio.samples)
    if task.target is None:
        raise UnknownNameError(N_("Give the text that was to be said: word or text."))
    if task.in_shadow:
        return answer_in_shadow(settings, audio, task.target)
    try:
        return answer(settings, audio, task.target, learner=task.learner, scorer=task.scorer)
    except ModelError:
        names = scorer_names(settings, task.target.rubric)
        if task.scorer is None or task.scorer in names:
            raise
        raise UnknownNameError(
            N_("The scorer {scorer!r} has no model for a {rubric} here. The scorers are: {names}."),
            scorer=task.scorer,
            rubric=task.target.rubric,
            names=", ".join(names),
        ) from None


@lru_cache(maxsize=2)
def _verifier(folder: str, _changed: int) -> Any:
    import torch

    from pipeline.wakeword.cascade import local_verifier
    from pipeline.wakeword.runtime.inference import classifier_of
    from pipeline.wakeword.runtime.model_files import load_model

    torch.set_num_threads(1)  # one window is too small to share, and several workers share the processor
    model, whole = load_model(Path(folder))
    info = whole.of_word("")
    return local_verifier(
        classifier_of(model),
        info.features,
        info.detector,
        info.threshold,
        info.temperature,
        info.name or "keyword",
    )
