"""A trained detector on a recording, window by window, with the scores to draw."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.audio.load import load_audio
from pipeline.records import Seconds
from pipeline.wakeword.cascade import Cascade, Verdict, Verify, remote_verifier
from pipeline.wakeword.data.decoded_clips import MAX_DURATION_S
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.finished_run import FinishedRun, classifier_for
from pipeline.wakeword.runtime.detector import StreamingDetector, WindowResult, preset


@dataclass(frozen=True)
class Detection:
    """`word` is which one, of a detector of several."""

    at_s: Seconds
    score: float
    verdict: Verdict | None
    word: str = ""


@dataclass(frozen=True)
class FileDetections:
    """`windows` are the results of all windows."""

    detections: tuple[Detection, ...]
    windows: tuple[WindowResult, ...]
    duration_s: Seconds
    threshold: float


def detector_of(
    run: FinishedRun, detector_preset: str | None = None, threshold: float | None = None, word: str = ""
) -> StreamingDetector:
    """Ready to be fed; of several words, for `word`. Raises ModelError where there is no detector, TrainingError for an
    unknown preset."""
    info = run.info.of_word(word)
    config = preset(detector_preset, info.detector) if detector_preset else info.detector
    return StreamingDetector(
        classifier_for(run, word=word), info.features, config, info.threshold if threshold is None else threshold
    )


def detect_in_file(
    run: FinishedRun,
    audio: Path | bytes,
    detector_preset: str | None = None,
    threshold: float | None = None,
    url: str | None = None,
    key: str | None = None,
    word: str = "",
    phones: str = "",
) -> FileDetections:
    """With silence of a window before the recording, as a word at its very start has none. `url` and `key` are of a
    verifier (`cascade.remote_verifier`); `phones` is the word whose phones the listener must hear in its place. Raises
    AudioError for what cannot be read."""
    sound = load_audio(audio, max_duration_s=MAX_DURATION_S)
    detector = detector_of(run, detector_preset, threshold, word)
    before_s = run.info.features.clip_s
    silence = np.zeros(round(before_s * RATE_HZ), dtype=np.float32)
    cascade = Cascade(detector, _verifier(run, url, key, phones), run.info.of_word(word).temperature)
    windows, detections = [], []
    for result in cascade.run(np.concatenate([silence, sound.samples, np.zeros(RATE_HZ // 2, dtype=np.float32)])):
        window = replace(result.window, end_s=result.window.end_s - before_s)
        windows.append(window)
        if window.detected:
            detections.append(Detection(window.end_s, window.score, result.verdict, word))
    return FileDetections(tuple(detections), tuple(windows), sound.duration_s, detector.threshold)


def _verifier(run: FinishedRun, url: str | None, key: str | None, phones: str) -> Verify | None:
    if phones:
        from pipeline.settings import Settings
        from pipeline.wakeword.phone_judge import PhoneJudge

        return PhoneJudge(Settings.from_env(), phones, run.folder).verifier()
    return remote_verifier(url, key=key) if url else None
