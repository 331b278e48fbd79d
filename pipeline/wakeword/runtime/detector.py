"""From a score a window to detections: votes, threshold, hysteresis, lockout; for a whole file or as it comes."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import TrainingError
from pipeline.i18n import N_
from pipeline.records import Seconds
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.features import RATE_HZ, FeatureConfig, FrameStream
from pipeline.wakeword.runtime.runner import JUDGED_S

Scores = NDArray[np.float32]
AFTER_S: Seconds = 0.5  # of silence that a recording ends in: votes need windows after the word
Classifier = Callable[[NDArray[np.float32]], Scores]
"""Windows [n, frames, bins] to logits [n]."""

PRESETS = {
    "aggressive": {"votes": 1, "of": 1, "target_fah": 2.0, "lockout_s": 0.7},
    "balanced": {"votes": 2, "of": 3, "target_fah": 0.5, "lockout_s": 1.0},
    "conservative": {"votes": 3, "of": 4, "target_fah": 0.1, "lockout_s": 1.5},
}


def preset(name: str, base: DetectorConfig) -> DetectorConfig:
    """Raises TrainingError for one that is not known."""
    if name not in PRESETS:
        raise TrainingError(
            N_("Unknown detector preset {name!r}; known: {known}."), name=name, known=", ".join(PRESETS)
        )
    return replace(base, **PRESETS[name])  # type: ignore[arg-type]


def silence_before(features: FeatureConfig, config: DetectorConfig) -> int:
    """Samples of silence that all sound is taken to follow, so that a word at its very start has a window: whole steps,
    as many as leave the first window some of the sound. Windows end where they would without it."""
    step = features.frames_in(config.hop_s) * features.hop
    return (features.span - 1) // step * step


def voted(scores: Scores, config: DetectorConfig) -> Scores:
    """At each window the `votes`-th highest of the last `of` scores: above a threshold just when so many are."""
    if config.of == 1 or not len(scores):
        return scores
    padded = np.concatenate([np.full(config.of - 1, -np.inf, dtype=np.float32), scores])
    last = np.lib.stride_tricks.sliding_window_view(padded, config.of)
    return np.asarray(np.partition(last, config.of - config.votes, axis=1)[:, config.of - config.votes])


def detections(votes: Scores, threshold: float, config: DetectorConfig) -> NDArray[np.intp]:
    """Windows at which the detector goes off, of `voted` scores."""
    above = np.flatnonzero(votes >= threshold)
    lockout = round(config.lockout_s / config.hop_s)
    starts: list[int] = []
    before = -1
    armed = True
    for index in above:
        if not armed and np.min(votes[before + 1 : index], initial=np.inf) < threshold - config.hysteresis:
            armed = True
        before = int(index)
        if armed and (not starts or index - starts[-1] > lockout):
            starts.append(before)
            armed = False
    return np.array(starts, dtype=np.intp)


def judged_lockout(config: DetectorConfig) -> int:
    """Windows that a judge is not asked about after one in which it has heard the word."""
    return round(max(config.lockout_s, JUDGED_S) / config.hop_s)


@dataclass(frozen=True)
class WindowResult:
    """One window: when it ended, its logit, the voted logit, and whether the detector went off."""

    end_s: Seconds
    score: float
    vote: float
    detected: bool


class StreamingDetector:
    """Takes sound as it comes, after silence, and answers for every window that is complete. Keeps one window of
    features."""

    def __init__(
        self, classifier: Classifier, features_config: FeatureConfig, config: DetectorConfig, threshold: float
    ) -> None:
        self._classifier, self._features, self._config, self.threshold = classifier, features_config, config, threshold
        self._every = features_config.frames_in(config.hop_s)  # frames
        self._lockout = round(config.lockout_s / config.hop_s)  # windows
        self._size, _n_bins = features_config.shape
        self._stream = FrameStream(features_config)
        self._silence = silence_before(features_config, config)
        self._frames = self._stream.feed(np.zeros(self._silence, dtype=np.float32))
        self._dropped = 0  # frames that have gone from the start of the silence
        self._last: deque[float] = deque(maxlen=config.of)
        self._armed, self._since = True, np.inf

    def feed(self, samples: NDArray[np.float32]) -> list[WindowResult]:
        """Sound at 16 kHz, of any length."""
        hop, window = self._features.hop, self._features.window
        self._frames = np.concatenate([self._frames, self._stream.feed(samples)])
        first = -(-self._dropped // self._every) * self._every - self._dropped
        starts = np.arange(first, len(self._frames) - self._size + 1, self._every)
        if not len(starts):
            return []
        scores = self._classifier(self._frames[starts[:, None] + np.arange(self._size)])
        ends = (self._dropped + starts + self._size - 1) * hop + window - self._silence
        gone = int(starts[-1]) + self._every
        gone = min(gone, len(self._frames))
        self._frames, self._dropped = self._frames[gone:], self._dropped + gone
        return [self._step(float(score), end / RATE_HZ) for score, end in zip(scores, ends, strict=True)]

    def reject(self) -> None:
        """The last detection was none: the next may follow two windows later, while the score is still high. At a low
        threshold a detection may come before the end of the word, or just before the word."""
        self._armed, self._since = True, self._lockout - 1

    def accept(self) -> None:
        """A judge took the last detection for the word: the next may follow when it hears nothing of it any more. At
        the low threshold from which on it is asked, the score may stay high long after the word."""
        self._armed, self._since = True, self._lockout - judged_lockout(self._config)

    def _step(self, score: float, end_s: Seconds) -> WindowResult:
        config = self._config
        self._last.append(score)
        vote = sorted(self._last, reverse=True)[config.votes - 1] if len(self._last) >= config.votes else -np.inf
        self._since += 1
        if vote < self.threshold - config.hysteresis:
            self._armed = True
        free = self._since > self._lockout
        detected = bool(self._armed and free and vote >= self.threshold)
        if detected:
            self._armed, self._since = False, 0
        return WindowResult(end_s, score, float(vote), detected)
