"""Recordings that are made or changed to see what a scorer says of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import Audio
from pipeline.records import ScoreResult, Target
from pipeline.scoring.base import score_audio
from pipeline.scoring.batch import Item, ScorerSpec, selection_of
from pipeline.scoring.selection import load

RATE_HZ = 16_000


def spread_over(items: Sequence[Item], most: int) -> list[Item]:
    """At most that many of the items, evenly spread."""
    step = max(1, len(items) // most)
    return list(items)[::step][:most]


def audio_of(samples: NDArray[np.float64]) -> Audio:
    """Of samples [n] at RATE_HZ."""
    return Audio(samples.astype(np.float32), RATE_HZ, RATE_HZ, 1, float(np.abs(samples).max(initial=0.0)))


def score_with(spec: ScorerSpec, audio: Audio, target: Target) -> ScoreResult:
    selection = selection_of(spec, target)
    return score_audio(load(spec.settings, selection), audio, selection.target)
