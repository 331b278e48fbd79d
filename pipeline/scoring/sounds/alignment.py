"""Which frames are which sound: in a reference by its letters, in a recording as it lies over the reference."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
SILENCE = 0  # class of frames in which nobody speaks


def forced(log_probs: Floats, classes: Sequence[int]) -> Integers | None:
    """Frames [n, 2] from and to (exclusive) of each of a sequence of sounds, silence before and after them left out
    (Viterbi; every sound takes a frame or more). Neighbours of one class share their frames evenly, as nothing tells
    them apart. None where there are fewer frames than sounds.

    Args:
        log_probs: [T, C], column SILENCE first.
    """
    runs = [(label, len(list(group))) for label, group in groupby(classes)]
    states = [SILENCE, *(label for label, _ in runs), SILENCE]
    n_frames, n = len(log_probs), len(states)
    if n_frames < len(classes):
        return None
    emitted = log_probs[:, states].astype(np.float64)
    score = np.full(n, -np.inf)
    score[:2] = emitted[0, :2]
    moved = np.zeros((n_frames, n), dtype=bool)
    for frame in range(1, n_frames):
        before = np.r_[-np.inf, score[:-1]]
        moved[frame] = before > score
        score = np.where(moved[frame], before, score) + emitted[frame]
    state = n - 1 if score[-1] > score[-2] else n - 2
    path = np.zeros(n_frames, dtype=np.int64)
    for frame in range(n_frames - 1, -1, -1):
        path[frame] = state
        state -= int(moved[frame, state])
    bounds: list[tuple[int, int]] = []
    for number, (_label, count) in enumerate(runs, start=1):
        frames = np.flatnonzero(path == number)
        if not len(frames):  # a recording that ends before its sounds do
            return None
        edges = np.linspace(frames[0], frames[-1] + 1, count + 1).round().astype(int)
        bounds += [(int(edges[k]), int(max(edges[k + 1], edges[k] + 1))) for k in range(count)]
    return np.array(bounds, dtype=np.int64)


def spans_in_recording(path: Integers, spans: Integers) -> Integers:
    """Where the recording says what the reference says from and to which frame [n, 2]: the frames on the path, of which
    one sound takes at least one."""
    rows = []
    for start, end in spans:
        mine = path[(path[:, 1] >= start) & (path[:, 1] < end), 0]
        rows.append((int(mine.min()), int(mine.max()) + 1))
    return np.array(rows, dtype=np.int64)
