"""What a feature extractor is, and how one is found by name."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import Audio
from pipeline.i18n import N_
from pipeline.records import Target
from pipeline.registry import Registry
from pipeline.settings import Settings


class FeatureExtractor(Protocol):
    """Turns one recording into a vector of finite numbers.

    `version` changes whenever the numbers do, so that cached features and models notice. `knows_words` says whether
    another word, as well spoken, would give other features.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def feature_names(self) -> tuple[str, ...]: ...

    @property
    def knows_words(self) -> bool: ...

    @property
    def description(self) -> str: ...

    def extract(self, audio: Audio, target: Target) -> NDArray[np.float32]:
        """Features [len(feature_names)], defined for any audio, silence and fragments included.

        Raises FeatureError for a target that the extractor has no features for.
        """
        ...

    def depends_on(self, target: Target) -> str:
        """What the features depend on beside the audio, so that cached ones notice a change."""
        ...


EXTRACTORS: Registry[Callable[[Settings], FeatureExtractor]] = Registry(N_("feature extractor"))
