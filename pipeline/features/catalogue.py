"""Every feature extractor of this installation, by name."""

from pipeline.features import acoustic57, encoder, reference, timing  # noqa: F401  registers the extractors
from pipeline.features.base import EXTRACTORS, FeatureExtractor
from pipeline.settings import Settings


def load_extractor(settings: Settings, name: str) -> FeatureExtractor:
    """Raises UnknownNameError, or ModelError where the extractor needs files that are not there."""
    return EXTRACTORS[name](settings)
