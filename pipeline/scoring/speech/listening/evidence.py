"""What the posteriors, the clock and the level say about each canonical phone: the numbers the score head starts from.

The same code runs in training and in use. Frames are the encoder's (20 ms for Whisper). Values are scaled to about one
and clipped, so that nothing odd in a recording drives the head far out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from pipeline.scoring.speech.frontend import FrameSound
from pipeline.scoring.speech.listening.ctc import BLANK, Alignment, align, goodness, greedy

Floats = NDArray[np.float32]

CONTEXT_FRAMES = 1  # CTC posteriors are peaky: a phone's states are pooled over a frame more on either side
PAUSE_FRAMES = 10
SPEECH_MARGIN_FRAMES = 5  # CTC marks the middle of a phone: the speech is longer than from first to last by that
SHARED_GAP_FRAMES = 8  # a shorter gap between two phones belongs to both, half each; a longer one is a pause
VOICED_FROM = 0.6  # periodicity
CLIP = 6.0
POOLS = ("near", "around")
DURATIONS = (
    "log_frames", "log_gap_before", "log_gap_after", "log_onset_to_onset", "relative_onset_to_onset", "position",
    "n_phones",
)  # fmt: skip
GOODNESS = ("mean_own", "best_own", "own_over_best_other", "mean_blank", "entropy", "substituted", "deleted")
LEVELS = ("level", "level_to_before", "level_to_after", "level_around")
MELODY = ("pitch", "pitch_to_before", "pitch_to_after", "pitch_slope", "periodicity")
RHYTHM = (
    "phones_a_second", "words_a_second", "duration", "pauses_a_word", "pause_share", "longest_pause", "onset_spread",
    "onset_mean", "n_phones", "mean_gap", "pitch_spread", "pitch_fall", "level_spread", "voiced_share",
    "log_prob_a_frame", "free_errors", "mean_own", "worst_own",
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
    """`phones` [L, n_phone_features(V)] and `rhythm` [len(RHYTHM)]. `pooling` [len(POOLS), L, T] averages frames into
    phones: those that CTC found it in and a frame more on either side, and all from half-way to its neighbours;
    `speech` [T] averages the frames of the speech."""

    alignment: Alignment
    phones: Floats
    rhythm: Floats
    pooling: Floats
    speech: Floats
    free: tuple[int, ...]
    substituted: NDArray[np.float64]
    deleted: NDArray[np.float64]


def n_phone_features(n_labels: int) -> int:
    """For posteriors with `n_labels` columns, the blank among them."""
    return 2 * (n_labels - 1) + len(GOODNESS) + len(DURATIONS) + len(LEVELS) + len(MELODY)


def gather_evidence(log_probs: NDArray[np.float64], spoken: CanonicalPhones, sound: FrameSound) -> Evidence:
    """From log posteriors [T, V] and the level and pitch of each frame [T]. Only frames from the first phone to the
    last and SPEECH_MARGIN_FRAMES beside them count, so that what was recorded before and after the speech says nothing.
    Raises ValueError where the phones do not fit into the frames."""
    labels = [int(label) for label in spoken.labels]
    found = align(log_probs, labels)
    n_frames, n_phones = len(log_probs), len(labels)
    first = max(0, int(found.start[0]) - SPEECH_MARGIN_FRAMES)
    last = min(n_frames, int(found.end[-1]) + SPEECH_MARGIN_FRAMES)
    speech = slice(first, last)
    ratios = goodness(log_probs[speech], labels)
    inside = _averaging(found.start, found.end, n_frames)
    near = _averaging(found.start - CONTEXT_FRAMES, found.end + CONTEXT_FRAMES, n_frames)
    around = _averaging(*_extents(found), n_frames)
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
    durations, gaps = _durations(found)
    heard = sound.level_db[speech]
    centred = (sound.level_db - heard.mean()) / (heard.std() + 1e-6)
    loud = near @ centred
    levels = np.column_stack([loud, *_to_neighbours(loud), around @ centred])
    melody, melody_of_speech = _melody(around, sound, speech)
    table = np.hstack([
        mean / 5, ratios.substituted[:, 1:] / 10, posterior_goodness, durations, levels, melody
    ])  # fmt: skip
    free = greedy(log_probs[speech])
    # Beside the speech the path is on the blank.
    log_prob = found.log_prob - log_probs[:first, BLANK].sum() - log_probs[last:, BLANK].sum()
    voiced_share = (sound.periodicity[speech] > VOICED_FROM).mean()
    rhythm = np.r_[
        _rhythm(found, spoken, gaps), melody_of_speech, heard.std() / 10, voiced_share,
        log_prob / (last - first), Levenshtein.distance(free, labels) / n_phones, mean_own.mean() / 3,
        np.sort(mean_own)[: max(1, n_phones // 5)].mean() / 3,
    ]  # fmt: skip
    of_speech = np.zeros(n_frames, dtype=np.float32)
    of_speech[speech] = 1.0 / (last - first)
    return Evidence(
        alignment=found,
        phones=_bounded(table),
        rhythm=_bounded(rhythm),
        pooling=np.stack([near, around]).astype(np.float32),
        speech=of_speech,
        free=tuple(greedy(log_probs)),
        substituted=ratios.substituted,
        deleted=ratios.deleted,
    )


def _averaging(start: NDArray[Any], end: NDArray[Any], n_frames: int) -> NDArray[np.float64]:
    """[L, T] with each row the mean over the frames from `start` to `end`, end exclusive."""
    frames = np.arange(n_frames)
    inside = (frames >= start[:, None]) & (frames < end[:, None])
    return np.asarray(inside / inside.sum(axis=1, keepdims=True), dtype=np.float64)


def _extents(found: Alignment) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each phone begins and ends [L], [L] in frames: a short gap is shared with the neighbour."""
    start, end = found.start.astype(np.float64), found.end.astype(np.float64)
    share = np.floor(np.minimum(start[1:] - end[:-1], SHARED_GAP_FRAMES) / 2)
    start[1:] -= share
    end[:-1] += share
    return start - np.r_[SHARED_GAP_FRAMES // 2, 0 * share], end + np.r_[0 * share, SHARED_GAP_FRAMES // 2]


def _durations(found: Alignment) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The DURATIONS [L, 7], and the frames between each phone and the one before it [L]."""
    n_phones = len(found.start)
    before = found.start - np.r_[found.start[0], found.end[:-1]]
    after = np.r_[found.start[1:], found.end[-1]] - found.end
    onsets = _log_onsets(found)
    table = np.column_stack([
        np.log(found.end - found.start), np.log1p(before) / 2, np.log1p(after) / 2, onsets / 2, onsets - onsets.mean(),
        np.arange(n_phones) / n_phones, np.full(n_phones, n_phones / 30),
    ])  # fmt: skip
    return table, before.astype(np.float64)


def _log_onsets(found: Alignment) -> NDArray[np.float64]:
    """Log of the frames from the onset of each phone to the next one's."""
    onsets = np.r_[found.start[1:], found.end[-1]] - found.start
    return np.asarray(np.log(np.maximum(onsets, 1)), dtype=np.float64)


def _to_neighbours(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return values - np.r_[values[:1], values[:-1]], np.r_[values[1:], values[-1:]] - values


def _melody(
    around: NDArray[np.float64], sound: FrameSound, speech: slice
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The MELODY [L, 5]: pitch in half octaves about the speaker's median; and its spread and fall over the speech."""
    voiced = sound.periodicity > VOICED_FROM
    in_speech = np.zeros_like(voiced)
    in_speech[speech] = voiced[speech]
    if in_speech.sum() < 2:
        return np.zeros((len(around), len(MELODY))), np.zeros(2)
    pitch = np.clip(2.0 * (sound.log2_pitch - np.median(sound.log2_pitch[in_speech])), -2.0, 2.0)
    weights = around * voiced
    share = weights.sum(axis=1)
    mean = weights @ pitch / np.maximum(share, 1e-6)
    frames = np.arange(len(pitch)) / 10
    middle = weights @ frames / np.maximum(share, 1e-6)
    offset = frames - middle[:, None]
    slope = (weights * offset * (pitch - mean[:, None])).sum(axis=1) / ((weights * offset**2).sum(axis=1) + 0.01)
    times = frames[in_speech] - frames[in_speech].mean()
    fall = float((times * pitch[in_speech]).sum() / ((times**2).sum() + 1.0))
    table = np.column_stack([mean, *_to_neighbours(mean), slope, around @ sound.periodicity])
    return table, np.array([pitch[in_speech].std(), 10.0 * fall])


def _rhythm(found: Alignment, spoken: CanonicalPhones, gaps: NDArray[np.float64]) -> NDArray[np.float64]:
    n_phones = len(spoken.labels)
    span = max(1, found.end[-1] - found.start[0])
    onsets = _log_onsets(found)
    between = gaps[1:][spoken.words[1:] != spoken.words[:-1]]
    return np.array([
        10 * n_phones / span, 50 * spoken.n_words / span, span / 200,
        (between > PAUSE_FRAMES).mean() if len(between) else 0.0, between.sum() / span, between.max(initial=0.0) / 50,
        onsets.std(), onsets.mean() / 2, n_phones / 30, gaps[1:].mean() / 10 if n_phones > 1 else 0.0,
    ])  # fmt: skip


def _bounded(values: NDArray[np.floating]) -> Floats:
    return np.asarray(np.clip(np.nan_to_num(values, nan=0.0), -CLIP, CLIP), dtype=np.float32)
