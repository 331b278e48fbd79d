"""Segments as tiers of a TextGrid, and back.

    words: Ayşe              araba
    phones: Ayşe             a; r; a; b; a
    comments: Ayşe           points: creaky
    tier syllables: Ayşe     other tiers

A label is the segment's alone where its place in the text can be told by it (`segment_places`). Else the place stands
after it: `ə (word 1)` for a sound that was added to a word, `r (word 1, sound 2)`, `uh (no word)`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from pipeline.i18n import N_, Message
from pipeline.labels.exchange.segment_places import with_places
from pipeline.labels.marked_words import MarkedWord
from pipeline.labels.segments import TIERS, WORDS
from pipeline.records import Segment

OTHER = "tier "
NO_LABEL = "(no label)"
_PLACE = re.compile(r"(?P<label>.*) \((?:word (?P<word>\d+)(?:, sound (?P<sound>\d+))?|no word)\)", re.DOTALL)

Text = Callable[[str], str]


def tier_head(tier: str) -> str:
    """How the tier's name begins, before the rater's."""
    return tier if tier in TIERS else f"{OTHER}{tier}"


def is_segments(head: str) -> bool:
    return head in TIERS or head.startswith(OTHER)


def tier_of(head: str) -> str:
    return head.removeprefix(OTHER)


def tiers_of(
    segments: Sequence[Segment], words: Sequence[MarkedWord], escaped: Text
) -> Iterator[tuple[str, list[tuple[float, float, str]]]]:
    """Each tier with start, end and label of its entries."""
    of_words = [segment for segment in segments if segment.tier == WORDS]
    for tier, group in groupby(segments, key=lambda segment: segment.tier):
        own = list(group)
        told = with_places(tier, own, of_words, words)
        yield (
            tier,
            [
                (segment.start_s, segment.end_s, _label(segment, other, escaped))
                for segment, other in zip(own, told, strict=True)
            ],
        )


def read_segments(tier: str, entries: Sequence[tuple[float, float, str]], unescaped: Text) -> list[dict[str, Any]]:
    """As JSON has segments; without the key `word` where the label does not say the place."""
    segments: list[dict[str, Any]] = []
    for start, end, label in entries:
        segment: dict[str, Any] = {"tier": tier, "start_s": float(start), "end_s": float(end)}
        place = _PLACE.fullmatch(label)
        if place is not None:
            label = place["label"]
            segment["word"] = None if place["word"] is None else int(place["word"]) - 1
            segment["phone"] = None if place["sound"] is None else int(place["sound"]) - 1
        segments.append({**segment, "label": "" if label == NO_LABEL else unescaped(label)})
    return segments


def placed(
    given: Sequence[Mapping[str, Any]], segments: Sequence[Segment], words: Sequence[MarkedWord]
) -> tuple[Segment, ...]:
    """The segments with the places that their labels do not say; `given` is what they were made of, one for one."""
    own = sorted(
        zip(segments, given, strict=True), key=lambda pair: (pair[0].tier != WORDS, pair[0].tier, pair[0].start_s)
    )
    of_words: list[Segment] = []
    done: list[Segment] = []
    for tier, group in groupby(own, key=lambda pair: pair[0].tier):
        pairs = list(group)
        told = with_places(tier, [segment for segment, _raw in pairs], of_words, words)
        kept = [
            segment if "word" in raw else replace(other, marks=segment.marks)
            for (segment, raw), other in zip(pairs, told, strict=True)
        ]
        done += kept
        of_words = kept if tier == WORDS else of_words
    return tuple(done)


def overlapping(segments: Sequence[dict[str, Any]], tier: str, start: float, end: float) -> dict[str, Any]:
    """The segment of the tier that a mark lies on. Raises ValueError where it lies on none."""

    def shared(segment: Mapping[str, Any]) -> float:
        return float(min(end, segment["end_s"]) - max(start, segment["start_s"]))

    best = max((segment for segment in segments if segment["tier"] == tier), key=shared, default=None)
    if best is None or shared(best) <= 0:
        raise ValueError(Message(N_("a mark lies on no interval of {tier}"), tier=tier))
    return best


def _label(segment: Segment, told: Segment, escaped: Text) -> str:
    label = escaped(segment.label)
    if label == NO_LABEL or _PLACE.fullmatch(label):
        label = label[: label.rindex("(")] + "\\" + label[label.rindex("(") :]
    label = label or NO_LABEL
    if (segment.word, segment.phone) == (told.word, told.phone):
        return label
    if segment.word is None:
        return f"{label} (no word)"
    sound = "" if segment.phone is None else f", sound {segment.phone + 1}"
    return f"{label} (word {segment.word + 1}{sound})"
