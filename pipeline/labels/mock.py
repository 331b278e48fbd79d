"""Made-up scores for a dry run of the pipeline. They say nothing about the recordings and are called mock wherever
they appear; they are never written into result files."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Recording


def mock_scores(recordings: Sequence[Recording], seed: int) -> NDArray[np.float64]:
    """A score (0-100) for each recording [n], the same for the same ids and seed: a speaker's level about 75 with a
    standard deviation of 10, and 8 around it for the recording."""
    scores = np.empty(len(recordings), dtype=np.float64)
    for index, recording in enumerate(recordings):
        level = np.random.default_rng([seed, *recording.speaker.encode()]).normal(75.0, 10.0)
        scores[index] = np.random.default_rng([seed, *recording.id.encode()]).normal(level, 8.0)
    rounded: NDArray[np.float64] = np.clip(scores, 0.0, 100.0).round(1)
    return rounded
