"""What the posteriors, the clock and the level say about each canonical phone: the numbers the score head starts from.

The same code runs in training and in use. Frames are the encoder's (20 ms for Whisper). Values are scaled to about one
and clipped, so that nothing odd in a recording drives the head far out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from pipeline.scoring.speech.listening.ctc import Alignment, align, goodness, greedy

Floats = NDArray[np.float32]

CONTEXT_FRAMES = 1  # CTC posteriors are peaky: a phone's states are pooled over a frame more on either side
PAUSE_FRAMES = 10
CLIP = 6.0
DURATIONS = ("log_frames", "log_gap_before", "log_gap_after", "log_onset_to_onset", "position", "n_phones")
GOODNESS = ("mean_own", "best_own", "own_over_best_other", "mean_blank", "entropy", "substituted", "deleted")
LEVELS = ("level", "level_to_before", "level_to_after")
RHYTHM = (
    "phones_a_second", "words_a_second", "duration", "lead", "tail", "pauses_a_word", "pause_share", "longest_pause",
    "onset_spread", "onset_mean", "n_phones", "mean_gap", "log_prob_a_frame", "free_errors", "mean_own", "worst_own",
)  # fmt: skip


@dataclass(frozen=True)
class CanonicalPhones:
    """A canonical phone sequence as label numbers [L], the word each phone belongs to [L], and the number of words."""

    labels: NDArray[np.int64]
    words: NDArray[np.int64]

    @property
    def n_words(self) -> int:
        return int(self.words[-1]) + 1

    @property
    def places(self) -> NDArray[np.int64]:
        """Where each phone stands in its word [L]: 1 for its first, 2 for its last, 3 for its only phone, else 0."""
        changes = self.words[1:] != self.words[:-1]
        return np.asarray(np.r_[True, changes] + 2 * np.r_[changes, True], dtype=np.int64)

    @property
    def word_averages(self) -> Floats:
        """[n_words, L] with each row the mean over a word's phones."""
        inside = (self.words == np.arange(self.n_words)[:, None]).astype(np.float32)
        return np.asarray(inside / inside.sum(axis=1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True)
class Evidence:
    """`phones` [L, n_phone_features(V)] and `rhythm` [len(RHYTHM)]; `pooling` [L, T] averages frames into phones."""

    alignment: Alignment
    phones: Floats
    rhythm: Floats
    pooling: Floats
    free: tuple[int, ...]
    substituted: NDArray[np.float64]
    deleted: NDArray[np.float64]


def n_phone_features(n_labels: int) -> int:
    """For posteriors with `n_labels` columns, the blank among them."""
    return 2 * (n_labels - 1) + len(GOODNESS) + len(DURATIONS) + len(LEVELS)


def gather_evidence(log_probs: NDArray[np.float64], spoken: CanonicalPhones, level: NDArray[np.floating]) -> Evidence:
    """From log posteriors [T, V] and the level of each frame [T] (any log unit). Raises ValueError where the phones do
    not fit into the frames."""
    found = align(log_probs, [int(label) for label in spoken.labels])
    ratios = goodness(log_probs, [int(label) for label in spoken.labels])
    n_frames, n_phones = len(log_probs), len(spoken.labels)
    inside = _averaging(found, n_frames, 0)
    wider = _averaging(found, n_frames, CONTEXT_FRAMES)
    # Without the blank: which phone, given that it is one.
    given_phone = log_probs[:, 1:] - np.logaddexp.reduce(log_probs[:, 1:], axis=1, keepdims=True)
    mean = inside @ given_phone
    rows, own = np.arange(n_phones), spoken.labels - 1
    mean_own = mean[rows, own]
    others = mean.copy()
    others[rows, own] = -np.inf
    best_own = np.array(
        [given_phone[a:b, k].max() for a, b, k in zip(found.start, found.end, own, strict=True)], dtype=np.float64
    )
    substitutes = ratios.substituted[:, 1:].copy()
    substitutes[rows, own] = -np.inf
    posterior_goodness = np.column_stack([
        mean_own / 3, best_own / 3, (mean_own - others.max(axis=1)) / 5, inside @ log_probs[:, 0] / 5,
        -(np.exp(mean) * mean).sum(axis=1), substitutes.max(axis=1) / 5, ratios.deleted / 10,
    ])  # fmt: skip
    durations, gaps = _durations(found, n_frames)
    centred = (level - level.mean()) / (level.std() + 1e-6)
    loud = wider @ centred
    levels = np.column_stack([loud, loud - np.r_[loud[:1], loud[:-1]], np.r_[loud[1:], loud[-1:]] - loud])
    table = np.hstack([mean / 5, ratios.substituted[:, 1:] / 10, posterior_goodness, durations, levels])
    free = greedy(log_probs)
    rhythm = _rhythm(found, spoken, n_frames, gaps)
    scores = [
        found.log_prob / n_frames, Levenshtein.distance(free, spoken.labels.tolist()) / n_phones, mean_own.mean() / 3,
        np.sort(mean_own)[: max(1, n_phones // 5)].mean() / 3,
    ]  # fmt: skip
    return Evidence(
        alignment=found,
        phones=_bounded(table),
        rhythm=_bounded(np.r_[rhythm, scores]),
        pooling=wider.astype(np.float32),
        free=tuple(free),
        substituted=ratios.substituted,
        deleted=ratios.deleted,
    )


def _averaging(found: Alignment, n_frames: int, context: int) -> NDArray[np.float64]:
    """[L, T] with each row the mean over a phone's frames and `context` more on either side."""
    frames = np.arange(n_frames)
    inside = (frames >= found.start[:, None] - context) & (frames < found.end[:, None] + context)
    return np.asarray(inside / inside.sum(axis=1, keepdims=True), dtype=np.float64)


def _durations(found: Alignment, n_frames: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The DURATIONS [L, 6], and the frames between each phone and the one before it [L]."""
    n_phones = len(found.start)
    before = found.start - np.r_[0, found.end[:-1]]
    after = np.r_[found.start[1:], n_frames] - found.end
    onsets = np.r_[found.start[1:], found.end[-1]] - found.start
    table = np.column_stack([
        np.log(found.end - found.start), np.log1p(before) / 2, np.log1p(after) / 2, np.log(np.maximum(onsets, 1)) / 2,
        np.arange(n_phones) / n_phones, np.full(n_phones, n_phones / 30),
    ])  # fmt: skip
    return table, before.astype(np.float64)


def _rhythm(found: Alignment, spoken: CanonicalPhones, n_frames: int, gaps: NDArray[np.float64]) -> NDArray[np.float64]:
    n_phones = len(spoken.labels)
    span = max(1, found.end[-1] - found.start[0])
    onsets = np.log(np.maximum(np.r_[found.start[1:], found.end[-1]] - found.start, 1))
    between = gaps[1:][spoken.words[1:] != spoken.words[:-1]]
    return np.array([
        10 * n_phones / span, 50 * spoken.n_words / span, n_frames / 200, found.start[0] / 50,
        (n_frames - found.end[-1]) / 50, (between > PAUSE_FRAMES).mean() if len(between) else 0.0,
        between.sum() / span, between.max(initial=0.0) / 50, onsets.std(), onsets.mean() / 2, n_phones / 30,
        gaps[1:].mean() / 10 if n_phones > 1 else 0.0,
    ])  # fmt: skip


def _bounded(values: NDArray[np.floating]) -> Floats:
    return np.asarray(np.clip(np.nan_to_num(values, nan=0.0), -CLIP, CLIP), dtype=np.float32)
