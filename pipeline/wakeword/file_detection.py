"""A trained detector on a recording or on sound as it comes, window by window, with the scores to draw."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import load_audio
from pipeline.records import Seconds
from pipeline.wakeword.cascade import PIECE, Cascade, CascadeResult, Verdict, Verify
from pipeline.wakeword.data.decoded_clips import MAX_DURATION_S
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.finished_run import FinishedRun, classifier_for
from pipeline.wakeword.owner.enrolment import OwnerMatch
from pipeline.wakeword.owner.verification import OwnerVerify
from pipeline.wakeword.runtime.detector import AFTER_S, StreamingDetector, WindowResult, preset
from pipeline.wakeword.runtime.runner import JUDGED_S


@dataclass(frozen=True)
class Detection:
    """`verdict` is the judge's and `owner` whose voice it is, where that was asked; `word` is which one, of a detector
    of several."""

    at_s: Seconds
    score: float
    verdict: Verdict | None
    word: str = ""
    owner: OwnerMatch | None = None

    @property
    def is_accepted(self) -> bool:
        """By the judge, and as the owner's."""
        judged = self.verdict is None or self.verdict.prediction
        return judged and (self.owner is None or self.owner.is_owner)


@dataclass(frozen=True)
class FileDetections:
    """`windows` are the results of all windows."""

    detections: tuple[Detection, ...]
    windows: tuple[WindowResult, ...]
    duration_s: Seconds
    threshold: float


class JudgedDetector:
    """Fed with sound at 16 kHz; what it detects is judged by `verify` and compared with the owner's voice, where they
    are given."""

    def __init__(
        self,
        detector: StreamingDetector,
        verify: Verify | None = None,
        owner: OwnerVerify | None = None,
        temperature: float = 1.0,
        word: str = "",
    ) -> None:
        self.threshold = detector.threshold
        self._cascade = Cascade(detector, verify, temperature)
        self._owner, self._word = owner, word
        self._recent: NDArray[np.float32] = np.zeros(0, dtype=np.float32)

    def feed(self, samples: NDArray[np.float32]) -> list[tuple[WindowResult, Detection | None]]:
        """Each window that ends in these samples, and the detection that it is."""
        found = []
        for start in range(0, len(samples), PIECE):
            piece = samples[start : start + PIECE]
            self._recent = np.concatenate([self._recent, piece])[-round(JUDGED_S * RATE_HZ) :]
            found += [(result.window, self._detection(result)) for result in self._cascade.feed(piece)]
        return found

    def _detection(self, result: CascadeResult) -> Detection | None:
        window, verdict = result.window, result.verdict
        if not window.detected:
            return None
        asked = self._owner is not None and (verdict is None or verdict.prediction)
        owner = self._owner(self._recent) if self._owner is not None and asked else None
        return Detection(window.end_s, window.score, verdict, self._word, owner)


def detector_of(
    run: FinishedRun,
    detector_preset: str | None = None,
    threshold: float | None = None,
    word: str = "",
    verify: Verify | None = None,
    owner: OwnerVerify | None = None,
) -> JudgedDetector:
    """Ready to be fed; of several words, for `word`. Raises ModelError where there is no detector, TrainingError for an
    unknown preset."""
    info = run.info.of_word(word)
    config = preset(detector_preset, info.detector) if detector_preset else info.detector
    detector = StreamingDetector(
        classifier_for(run, word=word), info.features, config, info.threshold if threshold is None else threshold
    )
    return JudgedDetector(detector, verify, owner, info.temperature, word)


def detect_in_file(
    run: FinishedRun,
    audio: Path | bytes,
    detector_preset: str | None = None,
    threshold: float | None = None,
    word: str = "",
    verify: Verify | None = None,
    owner: OwnerVerify | None = None,
) -> FileDetections:
    """A recording goes on in silence. Raises AudioError for what cannot be read."""
    sound = load_audio(audio, max_duration_s=MAX_DURATION_S)
    detector = detector_of(run, detector_preset, threshold, word, verify, owner)
    results = detector.feed(np.pad(sound.samples, (0, round(AFTER_S * RATE_HZ))))
    detections = tuple(detection for _window, detection in results if detection is not None)
    return FileDetections(detections, tuple(window for window, _ in results), sound.duration_s, detector.threshold)
