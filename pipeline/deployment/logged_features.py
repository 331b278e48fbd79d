"""The features that are logged with a prediction, so that later inputs can be compared with earlier ones."""

from functools import lru_cache

from pipeline.audio.load import Audio
from pipeline.audio.speech import between
from pipeline.features.base import FeatureExtractor
from pipeline.features.catalogue import load_extractor
from pipeline.records import ScoreResult
from pipeline.settings import Settings

EXTRACTOR = "acoustic57"


def features_of(settings: Settings, audio: Audio, result: ScoreResult) -> tuple[float, ...]:
    """The 57 acoustic features of a recording; empty where it was refused, as silence has no distribution to drift."""
    if result.overall is None:
        return ()
    heard = between(audio, result.cut_before_s, result.cut_after_s)
    return tuple(map(float, _extractor(settings).extract(heard, result.target)))


def feature_names(settings: Settings) -> tuple[str, ...]:
    return tuple(_extractor(settings).feature_names)


@lru_cache(maxsize=4)
def _extractor(settings: Settings) -> FeatureExtractor:
    return load_extractor(settings, EXTRACTOR)
