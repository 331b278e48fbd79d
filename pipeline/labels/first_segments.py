"""Tiers to start from: words and phones in time as the corpus or an aligner has them, else evenly divided."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.labels.marked_words import MarkedWord
from pipeline.labels.segments import PHONES, WORDS, apart
from pipeline.phones import bare
from pipeline.records import Recording, Seconds, Segment, WordScore

QUIET_DB = -35.0  # under the loudest moment: what is quieter at both ends is not divided among the words
LEVEL_S: Seconds = 0.01


@dataclass(frozen=True)
class TimedPhone:
    label: str
    start_s: Seconds
    end_s: Seconds


@dataclass(frozen=True)
class TimedWord:
    """One of the words that marks count, in time; without length where nothing was said for it."""

    text: str
    start_s: Seconds
    end_s: Seconds
    phones: tuple[TimedPhone, ...] = ()


def tiers_in_time(words: Sequence[TimedWord], duration_s: Seconds) -> tuple[Segment, ...]:
    """Both tiers, each segment with the word or sound that it stands for; phones without their digits of stress."""
    of_words = [Segment(WORDS, word.start_s, word.end_s, word.text, n) for n, word in enumerate(words)]
    of_phones = [
        Segment(PHONES, phone.start_s, phone.end_s, bare(phone.label), n, place)
        for n, word in enumerate(words)
        for place, phone in enumerate(word.phones)
    ]
    return (*apart(of_words, duration_s), *apart(of_phones, duration_s))


def timed_words(words: Sequence[WordScore]) -> list[TimedWord]:
    """Of a scorer's answer the times alone."""
    return [
        TimedWord(
            word.text, word.start_s, word.end_s,
            tuple(TimedPhone(phone.phone, phone.start_s, phone.end_s) for phone in word.phones),
        )
        for word in words
    ]  # fmt: skip


def timed_by_corpus(recording: Recording) -> list[TimedWord] | None:
    """The words as the corpus has them in time; None where it does not say when each was said."""
    words = recording.extra.get("words")
    if not isinstance(words, list) or not words:
        return None
    try:
        return [_timed(word) for word in words]
    except (KeyError, TypeError, ValueError):
        return None


def evenly_divided(words: Sequence[MarkedWord], start_s: Seconds, end_s: Seconds) -> list[TimedWord]:
    """Each word as long as its share of the sounds, or of the letters where nobody knows the sounds."""
    shares = np.array([max(1, len(word.phones) or len(word.text)) for word in words], dtype=float)
    ends = start_s + (end_s - start_s) * np.concatenate([[0.0], np.cumsum(shares)]) / max(1.0, shares.sum())
    timed: list[TimedWord] = []
    for word, start, end in zip(words, ends, ends[1:], strict=False):
        inner = np.linspace(start, end, len(word.phones) + 1)
        phones = tuple(
            TimedPhone(phone, float(first), float(last))
            for phone, first, last in zip(word.phones, inner, inner[1:], strict=False)
        )
        timed.append(TimedWord(word.text, float(start), float(end), phones))
    return timed


def loud_part(samples: NDArray[np.float32], rate_hz: int) -> tuple[Seconds, Seconds]:
    """From the first to the last moment that is not quiet, in seconds; all of a recording without sound."""
    size = max(1, round(LEVEL_S * rate_hz))
    n = len(samples) // size
    if n == 0:
        return 0.0, len(samples) / rate_hz
    power = np.square(samples[: n * size].reshape(n, size)).mean(axis=1)
    loud = np.flatnonzero(power >= power.max() * 10 ** (QUIET_DB / 10))
    return float(loud[0]) * size / rate_hz, float(loud[-1] + 1) * size / rate_hz


def _timed(word: dict[str, Any]) -> TimedWord:
    phones, times = word.get("phones") or (), word.get("phone_times_s") or ()
    labels = phones.split() if isinstance(phones, str) else phones
    timed = zip(labels, times, strict=True) if times else ()
    return TimedWord(
        str(word["text"]), float(word["start_s"]), float(word["end_s"]),
        tuple(TimedPhone(str(label), float(start), float(end)) for label, (start, end) in timed),
    )  # fmt: skip
