"""What is measured of each sound of a recording that lies over its reference."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features import dtw
from pipeline.scoring.sounds.alignment import Floats, Integers, spans_in_recording

NAMES = (
    "distance", "largest", "distance_beyond_word", "distance_before", "distance_after", "divergence", "goodness",
    "goodness_beside_reference", "likelihood", "best_other", "log_length_ratio", "log_length_ratio_beyond_word",
    "log_frames", "frames_skipped",
)  # fmt: skip
FLOOR = 1e-4  # of a probability


@dataclass(frozen=True)
class Frames:
    """A recording as the model sees it: places in its space [T, K], and log posteriors of its sounds [T, C], silence
    first."""

    places: Floats
    log_probs: Floats


@dataclass(frozen=True)
class Measured:
    """`values` [n, len(NAMES)] of each sound, and `spans` [n, 2], its frames in the recording."""

    values: NDArray[np.float32]
    spans: Integers


def measure(recording: Frames, reference: Frames, spans: Integers, classes: Integers) -> Measured:
    """Lay a recording over its reference, in which the sounds have their `spans`, and measure each.

    Distances are between places along the path, divergence the symmetric Kullback-Leibler divergence of the posteriors,
    goodness the log posterior of the sound less that of the likeliest (Witt & Young 2000: GOP), lengths in frames.
    """
    path = dtw.path(recording.places, reference.places)
    costs = np.linalg.norm(recording.places[path[:, 0]] - reference.places[path[:, 1]], axis=1)
    mine = spans_in_recording(path, spans)
    n = len(spans)
    distance, largest, skipped = np.zeros(n), np.zeros(n), np.zeros(n)
    for number, (start, end) in enumerate(spans):
        steps = (path[:, 1] >= start) & (path[:, 1] < end)
        distance[number] = costs[steps].mean()
        largest[number] = costs[steps].max()
        skipped[number] = 1.0 - len(np.unique(path[steps, 0])) / max(1, end - start)
    theirs_p, mine_p = (_means(frames.log_probs, where) for frames, where in ((reference, spans), (recording, mine)))
    divergence = ((mine_p - theirs_p) * (np.log(mine_p) - np.log(theirs_p))).sum(axis=1)
    rows = np.arange(n)
    log_mine, log_theirs = np.log(mine_p), np.log(theirs_p)
    likelihood = log_mine[rows, classes]
    others = mine_p.copy()
    others[rows, classes] = FLOOR
    goodness = likelihood - log_mine.max(axis=1)
    beside = goodness - (log_theirs[rows, classes] - log_theirs.max(axis=1))
    lengths = np.diff(mine, axis=1)[:, 0] / np.diff(spans, axis=1)[:, 0]
    ratio = np.log(lengths)
    around = np.r_[distance[:1], distance, distance[-1:]]
    values = np.stack(
        [
            distance, largest, distance - np.median(distance), around[:-2], around[2:], divergence, goodness, beside,
            likelihood, np.log(others.max(axis=1)), ratio, ratio - np.median(ratio),
            np.log(np.diff(mine, axis=1)[:, 0]), skipped,
        ],
        axis=1,
    )  # fmt: skip
    return Measured(values.astype(np.float32), mine)


def _means(log_probs: Floats, spans: Integers) -> NDArray[np.float64]:
    probs = np.exp(log_probs.astype(np.float64))
    means = np.stack([probs[start:end].mean(axis=0) for start, end in spans])
    return np.asarray(np.maximum(means, FLOOR), dtype=np.float64)
