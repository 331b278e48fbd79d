"""Features of many recordings at once, cached by recording, so that an interrupted extraction goes on where it was.

A cached vector is keyed by extractor and version, the audio file's path, size and time stamp, and what else the
extractor says its features depend on. Vectors are kept in files of one extractor and set, rewritten whole after every
few hundred.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cattrs
import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.audio.load import load_audio
from pipeline.audio.speech import VERSION, speech_only
from pipeline.corpus.sets import audio_path, get_set, target_of
from pipeline.errors import AudioError, FeatureError
from pipeline.features.base import FeatureExtractor
from pipeline.features.catalogue import load_extractor
from pipeline.i18n import about
from pipeline.jobs.shards import Shards
from pipeline.parallel import Progress, map_ordered
from pipeline.records import Problem, Recording, Target, to_json
from pipeline.settings import Settings

SAVE_EVERY = 400
# An encoder fills the cores by itself, and its model is too large to load a second time.
IN_ONE_PROCESS = ("encoder",)


@dataclass(frozen=True)
class FeatureTable:
    """`values` is float32 [n, d] for the `n` recordings of `recording_ids`; what could not be read is in `problems`."""

    recording_ids: tuple[str, ...]
    names: tuple[str, ...]
    values: NDArray[np.float32]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Job:
    recording_id: str
    path: Path
    target: Target
    key: str


def build_table(
    settings: Settings,
    recordings: Sequence[Recording],
    extractor: str,
    *,
    progress: Progress | None = None,
    workers: int | None = None,
    check_stop: Callable[[], None] | None = None,
    shards: Shards | None = None,
) -> FeatureTable:
    """By the jobs of `shards` where they are given. Raises UnknownNameError or ModelError for an extractor that cannot
    be used."""
    loaded = load_extractor(settings, extractor)
    jobs = [_job(settings, recording, loaded) for recording in recordings]
    cache_file = settings.features_root / f"{_cache_name(recordings)}-{extractor}-{loaded.version}.safetensors"
    cached = _read_cache(cache_file)
    missing = [job for job in jobs if job.key not in cached]
    problems: list[Problem] = []
    results: Iterator[NDArray[np.float32] | str]
    if shards is not None and missing:
        answers = shards.map(
            "features", {"extractor": extractor, "version": loaded.version}, to_json(missing),
            progress=progress, check_stop=check_stop,
        )  # fmt: skip
        results = (answer if isinstance(answer, str) else np.array(answer, dtype=np.float32) for answer in answers)
    else:
        results = map_ordered(
            partial(_extract, settings, extractor),
            missing,
            workers=1 if extractor in IN_ONE_PROCESS else workers,
            progress=progress,
            check_stop=check_stop,
        )
    try:
        _collect(missing, results, cached, problems, cache_file)
    finally:
        if missing:
            _write_cache(cache_file, cached)
    kept = [job for job in jobs if job.key in cached]
    values = np.stack([cached[job.key] for job in kept]) if kept else np.zeros((0, len(loaded.feature_names)))
    return FeatureTable(
        recording_ids=tuple(job.recording_id for job in kept),
        names=tuple(loaded.feature_names),
        values=values.astype(np.float32),
        problems=tuple(problems),
    )


def _collect(
    jobs: Sequence[_Job],
    results: Iterator[NDArray[np.float32] | str],
    cached: dict[str, NDArray[np.float32]],
    problems: list[Problem],
    cache_file: Path,
) -> None:
    for done, (job, result) in enumerate(zip(jobs, results, strict=True), start=1):
        if isinstance(result, str):
            problems.append(Problem("unreadable", about(job.recording_id, result), "error", str(job.path)))
            continue
        cached[job.key] = result
        if done % SAVE_EVERY == 0:
            _write_cache(cache_file, cached)


def extraction_task(settings: Settings, options: dict[str, Any]) -> Callable[[dict[str, Any]], Any]:
    """The task "features" of `pipeline.jobs.shards`: a list of numbers, or what is wrong with the recording."""

    def answer(item: dict[str, Any]) -> Any:
        values = _extract(settings, options["extractor"], cattrs.structure(item, _Job))
        return values if isinstance(values, str) else [float(value) for value in values]

    return answer


def _extract(settings: Settings, extractor: str, job: _Job) -> NDArray[np.float32] | str:
    """The features, or what is wrong with the recording."""
    try:
        return _loaded(settings, extractor).extract(speech_only(load_audio(job.path), job.target.rubric), job.target)
    except (AudioError, FeatureError) as error:
        return error.text


@lru_cache(maxsize=2)
def _loaded(settings: Settings, extractor: str) -> FeatureExtractor:
    return load_extractor(settings, extractor)


def _job(settings: Settings, recording: Recording, extractor: FeatureExtractor) -> _Job:
    set_ = get_set(settings, recording.set)
    path, target = audio_path(set_, recording), target_of(set_, recording)
    stamp = artifacts.stamp_of(path)
    key = hashlib.sha256(f"{path}:{stamp}:{VERSION}:{extractor.depends_on(target)}".encode()).hexdigest()[:24]
    return _Job(recording.id, path, target, key)


def _cache_name(recordings: Sequence[Recording]) -> str:
    return "-".join(sorted({recording.set for recording in recordings})) or "none"


def _read_cache(file: Path) -> dict[str, NDArray[np.float32]]:
    """An unreadable cache is no loss: everything is computed again."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not file.is_file():
        return {}
    try:
        return dict(load_file(file))
    except (SafetensorError, OSError, ValueError):
        return {}


def _write_cache(file: Path, cached: dict[str, NDArray[np.float32]]) -> None:
    from safetensors.numpy import save

    artifacts.write_bytes(file, save(cached))
