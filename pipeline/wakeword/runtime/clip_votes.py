"""A detector on one clip."""

import numpy as np
from numpy.typing import NDArray

from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.features import RATE_HZ, FeatureConfig, features
from pipeline.wakeword.runtime.detector import AFTER_S, Classifier, Scores, silence_before, voted

Samples = NDArray[np.float32]


def votes_of(
    samples: Samples, classifier: Classifier, config: FeatureConfig, detector: DetectorConfig
) -> tuple[Scores, NDArray[np.intp], Samples]:
    """The voted logit of every window, and the sample it ends at in the padded clip, which comes third: with silence
    before it and after, as a `StreamingDetector` hears a recording."""
    padded = np.pad(samples, (silence_before(config, detector), round(AFTER_S * RATE_HZ)))
    frames = features(padded, config)
    size = config.shape[0]
    starts = np.arange(0, len(frames) - size + 1, config.frames_in(detector.hop_s))
    votes = voted(classifier(frames[starts[:, None] + np.arange(size)]), detector)
    return votes, (starts + size - 1) * config.hop + config.window, padded


def highest_vote(samples: Samples, classifier: Classifier, config: FeatureConfig, detector: DetectorConfig) -> float:
    """Of one clip, in logits."""
    return float(votes_of(samples, classifier, config, detector)[0].max())
