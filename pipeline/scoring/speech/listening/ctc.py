"""Connectionist temporal classification on phone posteriors: greedy decoding, alignment, and goodness of pronunciation.

All in log space and float64, on one utterance; `log_probs` [T, V] are per-frame log posteriors whose column 0 is the
blank (Graves et al. 2006). Nothing here knows what the columns mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLANK = 0
NEVER = -1e30
TINY = 1e-300
LARGEST_EXPONENT = 600.0

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Alignment:
    """Where each label of a sequence was found: frames `start` to `end` [L], end exclusive, and the path's score."""

    start: Integers
    end: Integers
    log_prob: float


@dataclass(frozen=True)
class Goodness:
    """What the whole utterance's likelihood says about each label, without an alignment [L], [L, V], [L].

    `substituted[i, q]` is log P(q in place of label i) - log P(as given); `deleted[i]` the same with label i left out.
    Positive means that the sounds fit the other reading better. (Cao et al. 2024, arXiv 2407.10540: GOP-AF.)
    """

    log_prob: float
    substituted: Floats
    deleted: Floats


def greedy(log_probs: Floats) -> list[int]:
    """The labels of the best frame-wise path: repeats merged, blanks dropped."""
    best = log_probs.argmax(axis=1)
    changes = best[np.r_[True, best[1:] != best[:-1]]] if len(best) else best
    return [int(label) for label in changes if label != BLANK]


def fits(n_frames: int, labels: Sequence[int]) -> bool:
    """Whether so many frames can hold the labels: one each, and a blank between two that are the same."""
    repeats = sum(a == b for a, b in zip(labels[1:], labels[:-1], strict=True))
    return n_frames >= len(labels) + repeats


def align(log_probs: Floats, labels: Sequence[int]) -> Alignment:
    """The most likely path through `labels` (Viterbi). Raises ValueError for no labels, or too few frames."""
    _check(log_probs, labels)
    skips, emitted = _chain(log_probs, labels)
    n_frames, n_states = emitted.shape
    score = np.full(n_states, NEVER)
    score[:2] = emitted[0, :2]
    came_from = np.zeros((n_frames, n_states), dtype=np.int8)
    choices = np.full((3, n_states), NEVER)
    columns = np.arange(n_states)
    for frame in range(1, n_frames):
        choices[0] = score
        choices[1, 1:] = score[:-1]
        choices[2, 2:] = np.where(skips[2:], score[:-2], NEVER)
        best = choices.argmax(axis=0)
        came_from[frame] = best
        score = choices[best, columns] + emitted[frame]
    state = n_states - 1 if score[-1] > score[-2] else n_states - 2
    log_prob = float(score[state])
    start = np.zeros(len(labels), dtype=np.int64)
    end = np.zeros(len(labels), dtype=np.int64)
    for frame in range(n_frames - 1, -1, -1):
        if state % 2:
            start[state // 2] = frame
            end[state // 2] = max(end[state // 2], frame + 1)
        state -= int(came_from[frame, state])  # an 8-bit integer would bound the state, too
    return Alignment(start, end, log_prob)


def goodness(log_probs: Floats, labels: Sequence[int]) -> Goodness:
    """Likelihood ratios of every single substitution and deletion. Raises ValueError as `align` does."""
    _check(log_probs, labels)
    n_frames, n_labels = len(log_probs), len(labels)
    wanted = np.asarray(labels)
    forward, grown = _forward(log_probs, labels)
    mirrored, shrunk = _forward(log_probs[::-1], list(labels)[::-1])
    backward, left_to_grow = mirrored[::-1, ::-1], np.append(shrunk[::-1], 0.0)
    total = float(np.log(forward[-1, -1] + forward[-1, -2]) + grown[-1])
    # What joins a prefix that ends at frame t - 1 and a suffix that begins at t, both scaled, to P / P(as given).
    joint = np.exp(np.minimum(np.r_[0.0, grown] + left_to_grow - total, LARGEST_EXPONENT))
    # Before label i a path stands on its blank (2i) or on label i - 1 (2i - 1); after it, on blank 2i + 2 or label
    # i + 1 (2i + 3). Padding stands for "no such label".
    none = np.zeros((n_frames, 1))
    before_blank, before_label = forward[:, 0:-1:2], np.hstack([none, forward[:, 1:-2:2]])
    after_blank, after_label = backward[:, 2::2], np.hstack([backward[:, 3::2], none])
    columns = np.arange(log_probs.shape[1])
    from_label = np.r_[-1, wanted[:-1]][:, None] != columns
    to_label = np.r_[wanted[1:], -1][:, None] != columns
    growth = np.diff(grown, prepend=0.0)
    emitted = np.exp(log_probs - growth[:, None])
    inside = np.zeros((n_labels, len(columns)))
    found = np.zeros_like(inside)
    for frame in range(n_frames):
        if frame:
            inside += before_blank[frame - 1][:, None] + from_label * before_label[frame - 1][:, None]
        else:
            inside[0] = 1.0
        inside *= emitted[frame]
        if frame < n_frames - 1:
            following = after_blank[frame + 1][:, None] + to_label * after_label[frame + 1][:, None]
            found += inside * following * joint[frame + 1]
        else:
            found[-1] += inside[-1] * joint[-1]
    return Goodness(total, _log(found), _log(_deletions(forward, backward, joint, wanted)))


def log_prob(log_probs: Floats, labels: Sequence[int]) -> float:
    """log P(labels) over all paths; `NEVER` where the frames cannot hold them."""
    if not labels:
        return float(log_probs[:, BLANK].sum())
    if not fits(len(log_probs), labels):
        return NEVER
    forward, grown = _forward(log_probs, labels)
    return float(_log(forward[-1, -1:] + forward[-1, -2])[0] + grown[-1])


def _deletions(forward: Floats, backward: Floats, joint: Floats, wanted: Integers) -> Floats:
    """P without label i / P: the paths that step from before it to after it, over its two blanks as one [L]."""
    n_labels = len(wanted)
    ratios = np.zeros(n_labels)
    for i in range(n_labels):
        # With label i gone, blanks 2i and 2i + 2 are one. A path leaves the prefix through label i - 1 or that blank
        # and enters the rest at label i + 1, or ends on the blank.
        before = forward[:, 0] if i == 0 else forward[:, 2 * i] + forward[:, 2 * i - 1]
        if i == n_labels - 1:
            ratios[i] = before[-1] * joint[-1]
            continue
        following = backward[:, 2 * i + 3]
        same = i > 0 and wanted[i - 1] == wanted[i + 1]
        leaving = forward[:, 2 * i] if same else before
        ratios[i] = (leaving[:-1] * following[1:] * joint[1:-1]).sum()
        if i == 0:  # the rest may begin with the first frame
            ratios[i] += following[0] * joint[0]
    return ratios


def _forward(log_probs: Floats, labels: Sequence[int]) -> tuple[Floats, Floats]:
    """Probability of every prefix that ends in a state at a frame [T, 2L + 1], each frame scaled to sum 1, and the log
    of what it was scaled by so far [T]. (Rabiner 1989.)"""
    skips, emitted_log = _chain(log_probs, labels)
    top = emitted_log.max(axis=1)
    emitted = np.exp(emitted_log - top[:, None])
    alpha = np.zeros(emitted.shape)
    sums = np.ones(len(emitted))
    now = np.zeros(len(skips))
    now[:2] = emitted[0, :2]
    for frame in range(len(emitted)):
        if frame:
            before = alpha[frame - 1]
            now = before.copy()
            now[1:] += before[:-1]
            now[2:] += skips[2:] * before[:-2]
            now *= emitted[frame]
        sums[frame] = max(now.sum(), TINY)
        alpha[frame] = now / sums[frame]
    return alpha, np.cumsum(np.log(sums) + top)


def _log(values: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(values), NEVER)


def _chain(log_probs: Floats, labels: Sequence[int]) -> tuple[NDArray[np.bool_], Floats]:
    """For labels with blanks around them: where a blank may be skipped [2L + 1], and what is emitted [T, 2L + 1]."""
    states = np.full(2 * len(labels) + 1, BLANK, dtype=np.int64)
    states[1::2] = labels
    skips = np.zeros(len(states), dtype=np.bool_)
    skips[3::2] = states[3::2] != states[1:-2:2]
    return skips, np.asarray(log_probs[:, states], dtype=np.float64)


def _check(log_probs: Floats, labels: Sequence[int]) -> None:
    if not len(labels):
        raise ValueError("there is nothing to align: no labels")
    if not fits(len(log_probs), labels):
        raise ValueError(f"{len(labels)} labels do not fit into {len(log_probs)} frames")
