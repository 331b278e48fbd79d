"""A trained detector on a recording, window by window, with the scores to draw."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.audio.load import load_audio
from pipeline.records import Seconds
from pipeline.wakeword.cascade import Cascade, Verdict, remote_judge
from pipeline.wakeword.data.decoded_clips import MAX_DURATION_S
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.finished_run import Trained, judge_for
from pipeline.wakeword.runtime.detector import Judged, StreamingDetector, preset


@dataclass(frozen=True)
class Detection:
    at_s: Seconds
    score: float
    verdict: Verdict | None


@dataclass(frozen=True)
class HeardFile:
    """`windows` are all that were judged."""

    detections: tuple[Detection, ...]
    windows: tuple[Judged, ...]
    duration_s: Seconds
    threshold: float


def detector_of(one: Trained, detector_preset: str | None = None, threshold: float | None = None) -> StreamingDetector:
    """Ready to be fed. Raises ModelError where there is no detector, TrainingError for an unknown preset."""
    info = one.info
    config = preset(detector_preset, info.detector) if detector_preset else info.detector
    return StreamingDetector(judge_for(one), info.features, config, info.threshold if threshold is None else threshold)


def detect_in_file(
    one: Trained,
    audio: Path | bytes,
    detector_preset: str | None = None,
    threshold: float | None = None,
    url: str | None = None,
    key: str | None = None,
) -> HeardFile:
    """With silence of a window before the recording, as a word at its very start has none. `url` and `key` are of a
    judge (`cascade.remote_judge`). Raises AudioError for what cannot be read."""
    sound = load_audio(audio, max_duration_s=MAX_DURATION_S)
    detector = detector_of(one, detector_preset, threshold)
    before_s = one.info.features.clip_s
    silence = np.zeros(round(before_s * RATE_HZ), dtype=np.float32)
    cascade = Cascade(detector, remote_judge(url, key=key) if url else None)
    windows, found = [], []
    for window in cascade.run(np.concatenate([silence, sound.samples, np.zeros(RATE_HZ // 2, dtype=np.float32)])):
        judged = replace(window.judged, end_s=window.judged.end_s - before_s)
        windows.append(judged)
        if judged.detected:
            found.append(Detection(judged.end_s, judged.score, window.verdict))
    return HeardFile(tuple(found), tuple(windows), sound.duration_s, detector.threshold)
