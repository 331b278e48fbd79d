"""How the words of a sentence were delivered: breaks inside a phrase, and a melody that stays level.

A break is a silence before a word where no punctuation stands. A phrase, the words between two silences, is flat where
its pitch moves less than FLAT_SEMITONES. What experts thought of such sentences is in docs/results/practice.md: a break
is told, a flat phrase is put to the learner as a question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import Audio
from pipeline.features.frames import HOP, Frames
from pipeline.records import Seconds, Verdict, WordScore

PAUSE_S: Seconds = 0.25
BREAK_S: Seconds = 0.6  # shorter ones disturb nobody
PUNCTUATION = tuple(",.;:!?…)\u2013\u2014")
FLAT_SEMITONES = 3.0  # from the 5th to the 95th percentile of a phrase's pitch
FEWEST_WORDS = 3  # of a phrase, before anything is said of its melody
FEWEST_VOICED_S: Seconds = 0.4
FRAME_S = HOP / 16_000


@dataclass(frozen=True)
class Delivery:
    """Of one word: the silence that breaks the phrase before it (0 for none), and whether its phrase is flat."""

    break_s: Seconds = 0.0
    is_flat: bool = False


def deliveries(audio: Audio, text: str, words: Sequence[WordScore]) -> list[Delivery]:
    """One for each word."""
    if not words:
        return []
    pieces = text.split()
    pauses = [0.0, *(_pause(before, word) for before, word in pairwise(words))]
    breaks = [
        pause if pause >= BREAK_S and not _ends_phrase(pieces, word.token) else 0.0
        for pause, word in zip(pauses, words, strict=True)
    ]
    flat = _flat(audio, words, pauses)
    return [Delivery(length_s, level) for length_s, level in zip(breaks, flat, strict=True)]


def pitch_range(f0_hz: NDArray[np.floating]) -> float | None:
    """In semitones, without the outer 5 % on either side; None where too little is voiced."""
    voiced = f0_hz[f0_hz > 0]
    if len(voiced) * FRAME_S < FEWEST_VOICED_S:
        return None
    low, high = np.percentile(12.0 * np.log2(voiced), [5, 95])
    return float(high - low)


def _pause(before: WordScore, word: WordScore) -> Seconds:
    if Verdict.MISSING in (before.verdict, word.verdict):  # a word that was left out has no place in time
        return 0.0
    gap = word.start_s - before.end_s
    return gap if gap >= PAUSE_S else 0.0


def _ends_phrase(pieces: Sequence[str], token: int) -> bool:
    """Whether punctuation stands before that piece of the text."""
    return 0 < token <= len(pieces) and pieces[token - 1].rstrip("\"'”’»").endswith(PUNCTUATION)


def _flat(audio: Audio, words: Sequence[WordScore], pauses: Sequence[Seconds]) -> list[bool]:
    flat = [False] * len(words)
    if len(words) < FEWEST_WORDS:
        return flat
    f0_hz = Frames(audio).pitch.f0_hz
    starts = [0, *(number for number, pause in enumerate(pauses) if pause > 0), len(words)]
    for start, end in pairwise(dict.fromkeys(starts)):
        if end - start < FEWEST_WORDS:
            continue
        span = slice(int(words[start].start_s / FRAME_S), int(words[end - 1].end_s / FRAME_S) + 1)
        moved = pitch_range(f0_hz[span])
        if moved is not None and moved < FLAT_SEMITONES:
            flat[start:end] = [True] * (end - start)
    return flat
