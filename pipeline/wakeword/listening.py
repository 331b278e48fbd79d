"""A trained detector on a recording, window by window, with the scores to draw."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.audio.load import load_audio
from pipeline.records import Seconds
from pipeline.wakeword.cascade import Verdict, Verify, remote_judge
from pipeline.wakeword.detector import Judged, StreamingDetector, preset
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.trained import Trained, judge_for

MAX_DURATION_S: Seconds = 3600.0
BEFORE_S: Seconds = 1.6  # of the sound before a detection that a judge is asked about


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
) -> HeardFile:
    """With silence of a window before the recording, as a word at its very start has none. Raises AudioError for what
    cannot be read."""
    sound = load_audio(audio, max_duration_s=MAX_DURATION_S)
    detector = detector_of(one, detector_preset, threshold)
    verify: Verify | None = remote_judge(url) if url else None
    before_s = one.info.features.clip_s
    silence = np.zeros(round(before_s * RATE_HZ), dtype=np.float32)
    judged = detector.feed(np.concatenate([silence, sound.samples, np.zeros(RATE_HZ // 2, dtype=np.float32)]))
    windows = tuple(Judged(w.end_s - before_s, w.score, w.vote, w.detected) for w in judged)
    found = []
    for window in windows:
        if window.detected:
            start, end = (round(t * RATE_HZ) for t in (window.end_s - BEFORE_S, window.end_s + 0.1))
            verdict = verify(sound.samples[max(0, start) : end]) if verify else None
            found.append(Detection(window.end_s, window.score, verdict))
    return HeardFile(tuple(found), windows, sound.duration_s, detector.threshold)
