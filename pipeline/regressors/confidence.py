"""How often a prediction lies near the expert's score, estimated from predictions out of fold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 50
GRID = tuple(range(0, 101, 5))
NEAR = 10.0  # points


@dataclass(frozen=True)
class ConfidenceBin:
    """Of the `n` out-of-fold predictions nearest to `score`, the share within 10 points of the expert."""

    score: float
    share_within_10: float
    n: int


def confidence_table(
    expert: NDArray[np.float64], predicted: NDArray[np.float64], neighbours: int = NEIGHBOURS
) -> tuple[ConfidenceBin, ...]:
    """For scores 0, 5, .. 100: of the out-of-fold predictions nearest to it, the share within 10 points of the expert.

    A nearest-neighbour estimate of P(|error| <= 10 | predicted score); empty for fewer than `neighbours` items.
    """
    if len(expert) < neighbours:
        return ()
    close = np.abs(predicted - expert) <= NEAR
    bins: list[ConfidenceBin] = []
    for score in GRID:
        nearest = np.argsort(np.abs(predicted - score), kind="stable")[:neighbours]
        bins.append(ConfidenceBin(float(score), float(close[nearest].mean()), neighbours))
    return tuple(bins)


def confidence_at(score: float, bins: Sequence[ConfidenceBin]) -> float | None:
    """The estimated probability (0-1) that an expert's score lies within 10 points of `score`; None without bins."""
    if not bins:
        return None
    return float(np.interp(score, [b.score for b in bins], [b.share_within_10 for b in bins]))
