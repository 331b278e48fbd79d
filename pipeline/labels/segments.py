"""The tiers of a rating: what a segment may be, and how segments and marks hang together.

A mark on a word or a sound, and the mark on the segment that stands for that word or sound, are one and the same:
`joined` puts a mark by place on the segment of that place, and the marks of segments among the marks by place. So
whoever asks for marks finds all of them, with or without times. A sound that was added is a mark of the word that it
was added to.
"""

import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from pipeline.errors import LabelError
from pipeline.i18n import N_
from pipeline.records import Mark, RatingEvent, Seconds, Segment
from pipeline.text import composed, is_showable

WORDS, PHONES, COMMENTS = "words", "phones", "comments"
TIERS = (WORDS, PHONES, COMMENTS)  # those that the form has, in its order; files may have others
MAX_SEGMENTS = 5000
MAX_LABEL_LENGTH = 500
MAX_HEARD_LENGTH = 100
MAX_MARKS = 10  # on one segment
MAX_PLACE = 100_000
SHORTEST_S: Seconds = 1e-3
BEYOND_S: Seconds = 5e-3  # by which a segment may end after the recording: lengths are rounded in other programs
DECIMALS = 6
_TIER = re.compile(r"[^\W\d_][\w-]{0,39}")
_KEYS = frozenset(Segment.__dataclass_fields__)


def segment_from_json(raw: Mapping[str, Any]) -> Segment:
    """Raises LabelError for what is no segment."""
    if not isinstance(raw, Mapping) or not {"tier", "start_s", "end_s"} <= raw.keys() <= _KEYS:
        raise LabelError(
            N_("a segment has the keys {keys}, got {value}"),
            keys=", ".join(Segment.__dataclass_fields__),
            value=f"{raw!r:.80}",
        )
    marks = raw.get("marks") or {}
    if not isinstance(marks, Mapping):
        raise LabelError(
            N_("the marks of a segment are kinds with what was heard, got {value}"), value=f"{marks!r:.80}"
        )
    return Segment(
        _text(raw["tier"]), _number(raw["start_s"]), _number(raw["end_s"]), _text(raw.get("label") or ""),
        _place(raw.get("word")), _place(raw.get("phone")),
        {_text(kind): _text(heard or "") for kind, heard in marks.items()},
    )  # fmt: skip


def segments_from_json(raw: object, kinds: Mapping[str, str]) -> tuple[Segment, ...]:
    """Of a list that came from elsewhere. Raises LabelError for what is no segment, and for marks of other `kinds`."""
    if not isinstance(raw, list | tuple):
        raise LabelError(N_("segments are a list, got {value}"), value=f"{raw!r:.80}")
    segments = tuple(segment_from_json(segment) for segment in raw)
    for segment in segments:
        for kind in segment.marks:
            _check_kind(kind, kinds)
    return segments


def segment_to_json(segment: Segment) -> dict[str, Any]:
    """What is empty is left out."""
    return {key: value for key, value in vars(segment).items() if value not in (None, "", {})}


def mark_from_json(raw: Any, kinds: Mapping[str, str] | None = None) -> Mark:
    """Raises LabelError for what is no mark, and for a kind that is not among `kinds`: it could not be shown, nor read
    back from other programs. A label file may have others (`kinds` None), and no other keys."""
    if not isinstance(raw, Mapping) or (kinds is None and not raw.keys() <= Mark.__dataclass_fields__.keys()):
        raise LabelError(
            N_("a mark has the keys {keys}, got {value}"),
            keys=", ".join(Mark.__dataclass_fields__),
            value=f"{raw!r:.80}",
        )
    if kinds is not None:
        _check_kind(raw.get("kind"), kinds)
    return checked_mark(Mark(raw.get("word"), raw.get("phone"), raw.get("kind"), raw.get("heard") or ""))  # type: ignore[arg-type]


def checked_mark(mark: Mark) -> Mark:
    """With its texts on one line. Raises LabelError for what is of another type, for numbers that no text has, and for
    texts that are too long."""
    if type(mark.word) is not int or not (mark.phone is None or type(mark.phone) is int):
        raise LabelError(
            N_("a mark has the number of a word, and of a phone or none, got {word} and {phone}"),
            word=f"{mark.word!r:.40}",
            phone=f"{mark.phone!r:.40}",
        )
    kind = _one_line(_text(mark.kind), MAX_HEARD_LENGTH)
    if not kind:
        raise LabelError(N_("a mark has a kind, got none"))
    heard = _one_line(_text(mark.heard), MAX_HEARD_LENGTH)
    _place(mark.word)
    return replace(mark, phone=_place(mark.phone), kind=kind, heard=heard)


def checked_marks(marks: Iterable[Mark], n_words: int | None = None) -> tuple[Mark, ...]:
    """As `checked_mark`; raises LabelError also for a mark on a word that a text of `n_words` does not have."""
    tidy = tuple(map(checked_mark, marks))
    beyond = next((mark for mark in tidy if n_words is not None and mark.word >= n_words), None)
    if beyond is not None:
        raise LabelError(
            N_("a mark is on word {word}, and the text has {n_words}"), word=beyond.word + 1, n_words=n_words
        )
    return tidy


def checked_segments(segments: Sequence[Segment], duration_s: Seconds | None = None) -> tuple[Segment, ...]:
    """In order of tiers and time, times rounded to a microsecond and labels on one line.

    Raises LabelError for too many, a wrong name of a tier, a label that is too long, and for times that are not finite,
    not in order, outside the recording or overlapping in one tier.
    """
    if len(segments) > MAX_SEGMENTS:
        raise LabelError(N_("A rating can have at most {most} segments, got {n}."), most=MAX_SEGMENTS, n=len(segments))
    tidy = [_checked(segment, duration_s) for segment in segments]
    tidy.sort(key=lambda segment: (_tier_order(segment.tier), segment.start_s, segment.end_s))
    for before, after in pairwise(tidy):
        apart = after.start_s - before.end_s
        if before.tier == after.tier and (apart < 0 or (before.tier == COMMENTS and apart < SHORTEST_S)):
            raise LabelError(
                N_("“{before}” and “{after}” overlap in {tier}, at {time} s."),
                before=before.label, after=after.label, tier=before.tier, time=f"{after.start_s:g}",
            )  # fmt: skip
    return tuple(tidy)


def apart(segments: Sequence[Segment], duration_s: Seconds) -> list[Segment]:
    """Within the recording, none over another: they follow each other, and touch where they overlapped. What is left
    without length is left out."""
    kept: list[Segment] = []
    last = 0.0
    for segment in sorted(segments, key=lambda segment: (segment.start_s, segment.end_s)):
        start, end = max(segment.start_s, last), min(segment.end_s, duration_s)
        if end - start >= SHORTEST_S:
            kept.append(replace(segment, start_s=round(start, DECIMALS), end_s=round(end, DECIMALS)))
            last = end
    return kept


def named_place(segment: Segment) -> tuple[int, int | None] | None:
    """The word, or the sound of a word, that the segment stands for."""
    if segment.word is None or (segment.tier == PHONES and segment.phone is None):
        return None
    return (segment.word, segment.phone if segment.tier == PHONES else None) if segment.tier in TIERS[:2] else None


def marks_of(segment: Segment) -> list[Mark]:
    """Its marks by place; none where it stands for nothing of the text."""
    if segment.word is None or segment.tier not in TIERS[:2]:
        return []
    phone = segment.phone if segment.tier == PHONES else None
    return [Mark(segment.word, phone, kind, heard) for kind, heard in segment.marks.items()]


def joined(event: RatingEvent) -> RatingEvent:
    """The event with its marks on its segments and those of its segments among its marks; as it is where it has no
    segments."""
    if not event.segments:
        return event
    segments = list(event.segments)
    at: dict[tuple[int, int | None], int] = {}
    for number, segment in enumerate(segments):
        place = named_place(segment)
        if place is not None:
            at.setdefault(place, number)
    on_segments = {mark for segment in segments for mark in marks_of(segment)}
    for mark in event.marks:
        there = at.get((mark.word, mark.phone))
        if mark not in on_segments and there is not None and mark.kind not in segments[there].marks:
            segments[there] = replace(segments[there], marks={**segments[there].marks, mark.kind: mark.heard})
    marks = {mark for segment in segments for mark in marks_of(segment)} | set(event.marks)
    return replace(event, segments=tuple(segments), marks=tuple(sorted(marks, key=_mark_order)))


def _checked(segment: Segment, duration_s: Seconds | None) -> Segment:
    if not _TIER.fullmatch(segment.tier):
        raise LabelError(
            N_("{tier!r} cannot name a tier: use up to 40 letters, digits, '-' and '_'"), tier=segment.tier
        )
    label = _one_line(segment.label, MAX_LABEL_LENGTH)
    most = 0 if segment.tier == COMMENTS else MAX_MARKS
    if len(segment.marks) > most:
        raise LabelError(
            N_("a segment of {tier} can have at most {most} marks, got {n}"),
            tier=segment.tier,
            most=most,
            n=len(segment.marks),
        )
    marks = {kind: _one_line(heard, MAX_HEARD_LENGTH) for kind, heard in sorted(segment.marks.items())}
    start, end = (round(time_s, DECIMALS) for time_s in (segment.start_s, segment.end_s))
    if duration_s is not None and duration_s < end <= duration_s + BEYOND_S:
        end = math.floor(duration_s * 10**DECIMALS) / 10**DECIMALS
        start = min(start, end) if segment.tier == COMMENTS else start
    is_ordered = start == end if segment.tier == COMMENTS else end - start >= SHORTEST_S / 2
    if not is_ordered or start < 0 or (duration_s is not None and end > duration_s):
        raise LabelError(
            N_("“{label}” in {tier} cannot lie between {start} and {end} s."),
            label=label, tier=segment.tier, start=f"{start:g}", end=f"{end:g}",
        )  # fmt: skip
    if segment.phone is not None and segment.word is None:
        raise LabelError(N_("the segment {label!r} has the number of a phone, and of no word"), label=label)
    return replace(segment, start_s=start, end_s=end, label=label, marks=marks)


def _one_line(text: str, longest: int) -> str:
    line = composed(" ".join(text.split()))
    if len(line) > longest:
        raise LabelError(N_("A label can have at most {most} characters, got {n}."), most=longest, n=len(line))
    if not is_showable(line):
        raise LabelError(N_("a label has signs that cannot be shown: {text}"), text=f"{line!r:.80}")
    return line


def _check_kind(kind: object, kinds: Mapping[str, str]) -> None:
    if not isinstance(kind, str) or kind not in kinds:
        raise LabelError(
            N_("{kind} is not a kind of mark; there are {kinds}"), kind=f"{kind!r:.40}", kinds=", ".join(kinds)
        )


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise LabelError(N_("a time is a number of seconds, got {value}"), value=f"{value!r:.40}")
    return float(value)


def _place(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MAX_PLACE:
        raise LabelError(
            N_("a word or phone is given by its number, counted from 0, got {value}"), value=f"{value!r:.40}"
        )
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise LabelError(N_("a label is text, got {value}"), value=f"{value!r:.40}")
    return value


def _tier_order(tier: str) -> tuple[int, str]:
    return (TIERS.index(tier), "") if tier in TIERS else (len(TIERS), tier)


def _mark_order(mark: Mark) -> tuple[int, int, str, str]:
    return mark.word, -1 if mark.phone is None else mark.phone, mark.kind, mark.heard
