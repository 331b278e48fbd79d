"""Praat TextGrids: words and phones where somebody aligned them, marks, ratings and decisions.

Times come from an aligner (the speech scorer, for English sentences). Where there is none, nobody knows when a word was
said: the text and each mark then stand over the whole recording.

    words, phones              the text, in time where it was aligned
    consensus                  64.0 (decided by Deniz); "excluded" where a reviewer excluded the recording
    rating: Ayşe               score: 81.5 | took_s: 4.5 | notes: çok iyi | at: 2026-03-04T05:06:07.890+00:00
    rating (repeat): Ayşe      a rating that does not count, after its purpose
    decision: Deniz            action: exclude | reason: noise
    mispronounced: Ayşe        araba (word 1, sound 3): ı
    mispronounced 2: Ayşe      where marks of one kind overlap
    words: Ayşe                a rater's own segments (`textgrid_segments`); `stress: Ayşe` has those of their marks
                               that are on no word or sound of the text as `ə (in phones)`

A label has no line ends, which other programs cannot read: ⏎ stands for them. `read_textgrid` reads
what people said again; the consensus follows from it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline import artifacts
from pipeline.errors import LabelError, said_by
from pipeline.i18n import N_, Message
from pipeline.labels.exchange.rating_rows import Row
from pipeline.labels.exchange.recordings import LabelledRecording
from pipeline.labels.exchange.textgrid_segments import (
    is_segments,
    overlapping,
    read_segments,
    tier_head,
    tier_of,
    tiers_of,
)
from pipeline.labels.first_segments import tiers_in_time, timed_words
from pipeline.labels.history import NOT_COUNTED
from pipeline.labels.segments import DECIMALS, PHONES, WORDS, marks_of, named_place
from pipeline.records import (
    REVIEWS,
    Mark,
    RatingAction,
    RatingEvent,
    RatingSource,
    Recording,
    Seconds,
    Segment,
    WordScore,
)

SHORTEST_S: Seconds = 1e-3
SUFFIX = ".TextGrid"
RATING, DECISION = "rating", "decision"
LINE_END = "⏎"
_TEXTS = (
    "action",
    "notes",
    "reason",
    "project",
    "source",
    "at",
    "purpose",
    "rubric",
    "experts",
)  # the others are numbers
FIELD = " | "
# What a program may take for a line end, or cannot show; besides what has a meaning in a label or a tier's name.
_TO_ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\|⏎]")
_ESCAPED = re.compile(r"\\(?:u([0-9a-f]{4})|(.))", re.DOTALL)
_TIER = re.compile(
    r"(?P<kind>.+?)(?: \((?P<purpose>calibration|repeat)\))?(?: (?P<number>\d+))?: (?P<name>.+)", re.DOTALL
)
_MARK = re.compile(
    r".*\((?:word (?P<word>\d+)(?:, sound (?P<sound>\d+))?|in (?P<tier>[\w-]+))\)(?:: (?P<heard>.*))?", re.DOTALL
)


@dataclass(frozen=True)
class Alignment:
    """A recording's words in time, or the reason why there are none."""

    words: Sequence[WordScore] = ()
    reason: str = ""


Aligner = Callable[[Recording, Path], Alignment]


@dataclass(frozen=True)
class Span:
    """Of the comments, which are points, `end_s` is `start_s`."""

    start_s: Seconds
    end_s: Seconds
    label: str


def write_textgrid(path: Path, labelled: LabelledRecording, words: Sequence[WordScore] = ()) -> None:
    """One file. Raises LabelError for a recording whose length is not known."""
    from praatio import textgrid
    from praatio.utilities.constants import Interval, Point

    recording = labelled.recording
    duration = 0.0 if recording.report is None else recording.report.duration_s
    if duration <= 0.0:
        raise LabelError(
            N_(
                "The length of {recording} is unknown, as its audio could not be read. Put a file that can be read in "
                "its place and import its set again."
            ),
            recording=recording.id,
        )
    grid = textgrid.Textgrid(0.0, duration)
    for name, spans in _tiers(labelled, words, duration):
        if all(span.start_s == span.end_s for span in spans):
            points = [Point(span.start_s, span.label) for span in spans]
            grid.addTier(textgrid.PointTier(name, points, 0.0, duration))
            continue
        ends = [(round(span.start_s, DECIMALS), min(round(span.end_s, DECIMALS), duration)) for span in spans]
        entries = [Interval(*times, span.label) for times, span in zip(ends, spans, strict=True)]
        grid.addTier(textgrid.IntervalTier(name, entries, 0.0, duration))
    with artifacts.replacing(path) as temporary:
        grid.save(str(temporary), format="long_textgrid", includeBlankSpaces=True)


def read_textgrids(folder: Path) -> list[Row]:
    """The ratings, decisions and marks of a folder of TextGrids that were exported here. A file that cannot be read
    becomes a row that says so. Raises LabelError where there is none."""
    paths = sorted(folder.rglob(f"*{SUFFIX}"))
    if not paths:
        raise LabelError(N_("There are no TextGrids (*{suffix}) in {folder}."), suffix=SUFFIX, folder=str(folder))
    return [row for path in paths for row in read_textgrid(path, path.relative_to(folder).with_suffix("").as_posix())]


def read_textgrid(path: Path, recording: str) -> list[Row]:
    """`recording` is the recording's path without its ending, or its id."""
    from praatio import textgrid
    from praatio.utilities.errors import PraatioException

    try:
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    except (PraatioException, OSError, ValueError, IndexError, AssertionError) as error:
        return [Row(path.name, {}, Message(N_("cannot be read as a TextGrid ({reason})"), reason=said_by(error)))]
    ratings: dict[tuple[str, str, str], dict[str, Any]] = {}
    marks: dict[tuple[str, str], list[tuple[str, Span]]] = {}
    segments: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for tier in grid.tiers:
        head = _TIER.fullmatch(tier.name)
        if head is None:  # words, phones, and what others added
            continue
        kind, name, purpose = _unescaped(head["kind"]), _unescaped(head["name"]), head["purpose"] or ""
        spans = [Span(entry[0], entry[-2] if len(entry) > 2 else entry[0], entry.label) for entry in tier.entries]
        labels = [span.label for span in spans]
        try:
            if head["kind"] in (RATING, DECISION):
                key = (name, purpose, f"{head['kind']}{head['number'] or ''}")
                ratings[key] = {"recording_id": recording, "evaluator": name, "purpose": purpose, **_fields(labels)}
            elif is_segments(head["kind"]):
                times = [(span.start_s, span.end_s, span.label) for span in spans]
                segments.setdefault((name, purpose), []).extend(read_segments(tier_of(kind), times, _unescaped))
            else:
                marks.setdefault((name, purpose), []).extend((kind, span) for span in spans)
        except ValueError as error:
            return [
                Row(
                    path.name,
                    {},
                    Message(
                        N_("has a tier {tier!r} that cannot be read ({reason})"), tier=tier.name, reason=said_by(error)
                    ),
                )
            ]
    for name, purpose in dict.fromkeys((*segments, *marks)):
        values = ratings.get((name, purpose, RATING))
        if values is None:
            return [
                Row(
                    path.name,
                    {},
                    Message(
                        N_("has marks or segments of {name} and no tier {tier}"), name=name, tier=f"{RATING}: {name}"
                    ),
                )
            ]
        values["segments"] = segments.get((name, purpose), [])
        try:
            of_rater = [_mark(kind, span, values["segments"]) for kind, span in marks.get((name, purpose), ())]
        except ValueError as error:
            return [
                Row(
                    path.name,
                    {},
                    Message(N_("has marks of {name} that cannot be read ({reason})"), name=name, reason=said_by(error)),
                )
            ]
        values["marks"] = sorted(filter(None, of_rater), key=_place)
    return [
        Row(f"{path.name}, {name}", values, places_by_label=True) for (name, _purpose, _kind), values in ratings.items()
    ]


def textgrid_path(recording: Recording) -> PurePosixPath:
    """Where the file lies under the folder of the export: at the same place as the audio under its set."""
    return PurePosixPath(recording.path).with_suffix(SUFFIX)


def _tiers(
    labelled: LabelledRecording, words: Sequence[WordScore], duration: Seconds
) -> Iterator[tuple[str, list[Span]]]:
    text = _escaped(labelled.recording.text)
    aligned = tiers_in_time(timed_words(words), duration)
    tiers = {tier: [segment for segment in aligned if segment.tier == tier] for tier in (WORDS, PHONES)}
    yield WORDS, _spans(tiers[WORDS]) or [Span(0.0, duration, text)]
    if words:
        yield PHONES, _spans(tiers[PHONES])
    agreed = "excluded" if labelled.is_excluded else None
    if labelled.consensus is not None:
        agreed = f"{labelled.consensus.score!r} ({_escaped(labelled.consensus.method)})"
    if agreed is not None:
        yield "consensus", [Span(0.0, duration, agreed)]
    heads: dict[str, int] = {}
    for event in sorted(labelled.events, key=lambda event: event.evaluator):
        purpose = f" ({event.purpose})" if event.purpose in NOT_COUNTED else ""
        head = f"{DECISION if event.action in REVIEWS else RATING}{purpose}"
        heads[f"{head}{event.evaluator}"] = number = heads.get(f"{head}{event.evaluator}", 0) + 1
        name = _escaped(event.evaluator)
        yield _tier_name(head, number, name), [Span(0.0, duration, _label(event))]
        if event.action not in REVIEWS:
            for tier, entries in tiers_of(event.segments, labelled.words, _escaped):
                yield _tier_name(f"{tier_head(tier)}{purpose}", 1, name), [Span(*entry) for entry in entries]
        marked = _marks_in_time(event, labelled, words, duration)
        for kind in dict.fromkeys(kind for kind, _span in marked):
            spans = [span for other, span in marked if other == kind]
            kind = _escaped(kind).replace(":", "\\:").replace("(", "\\(")
            kind = f"\\{kind}" if kind in (RATING, DECISION) or is_segments(kind) else kind
            for layer, group in enumerate(_layers(spans), start=1):
                yield _tier_name(f"{kind}{purpose}", layer, name), group


def _tier_name(head: str, number: int, name: str) -> str:
    return f"{head}: {name}" if number == 1 else f"{head} {number}: {name}"


def _spans(segments: Sequence[Segment]) -> list[Span]:
    return [Span(segment.start_s, segment.end_s, _escaped(segment.label)) for segment in segments]


def _layers(spans: Sequence[Span]) -> list[list[Span]]:
    """Every span, in as few tiers as they can stand in without overlapping."""
    layers: list[list[Span]] = []
    for span in sorted(spans, key=lambda span: (span.start_s, span.end_s)):
        layer = next((layer for layer in layers if layer[-1].end_s <= span.start_s), None)
        if layer is None:
            layers.append([span])
        else:
            layer.append(span)
    return layers


def _marks_in_time(
    event: RatingEvent, labelled: LabelledRecording, words: Sequence[WordScore], duration: Seconds
) -> list[tuple[str, Span]]:
    """Kind and place of each mark; of those on segments without a place in the text, that of the segment."""
    placeless = [segment for segment in event.segments if named_place(segment) is None]
    of_placeless = {mark for segment in placeless for mark in marks_of(segment)}
    own = {named_place(segment): segment for segment in reversed(event.segments)}
    texts = [word.text for word in labelled.words]
    marked = [
        (mark.kind, _marked(mark, texts, own.get((mark.word, mark.phone)), words, duration))
        for mark in event.marks
        if mark not in of_placeless
    ]
    for segment in placeless:
        for kind, heard in segment.marks.items():
            label = f"{_escaped(segment.label)} (in {segment.tier})".lstrip()
            marked.append(
                (kind, Span(segment.start_s, segment.end_s, label + (f": {_escaped(heard)}" if heard else "")))
            )
    return marked


def _marked(
    mark: Mark, texts: Sequence[str], segment: Segment | None, words: Sequence[WordScore], duration: Seconds
) -> Span:
    """Where the mark's word or phone was said: the rater's own segment, else as it was aligned, else the whole
    recording."""
    text = f"{_escaped(texts[mark.word])} " if mark.word < len(texts) else ""
    sound = "" if mark.phone is None else f", sound {mark.phone + 1}"
    heard = f": {_escaped(mark.heard)}" if mark.heard else ""
    label = f"{text}(word {mark.word + 1}{sound}){heard}"
    if segment is not None:
        return Span(segment.start_s, segment.end_s, label)
    if len(words) == len(texts) and mark.word < len(words):
        word = words[mark.word]
        at_phone = mark.phone is not None and mark.phone < len(word.phones)
        place = word.phones[mark.phone] if at_phone and mark.phone is not None else word
        start, end = max(0.0, place.start_s), min(place.end_s, duration)
        if end - start >= SHORTEST_S:
            return Span(start, end, label)
    return Span(0.0, duration, label)


def _mark(kind: str, span: Span, segments: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """None for one that is put on its segment. Raises ValueError for a label that was not written here."""
    read = _MARK.fullmatch(span.label)
    if read is None:
        raise ValueError(Message(N_("the mark {label!r} names no word"), label=span.label))
    if read["tier"] is not None:
        segment = overlapping(segments, read["tier"], span.start_s, span.end_s)
        segment.setdefault("marks", {})[kind] = _unescaped(read["heard"] or "")
        return None
    sound = None if read["sound"] is None else int(read["sound"]) - 1
    return asdict(Mark(int(read["word"]) - 1, sound, kind, _unescaped(read["heard"] or "")))


def _place(mark: Mapping[str, Any]) -> tuple[int, int]:
    return mark["word"], -1 if mark["phone"] is None else mark["phone"]


def _label(event: RatingEvent) -> str:
    values: dict[str, Any] = {} if event.action is RatingAction.RATE else {"action": str(event.action)}
    values |= dict(event.dimensions) if event.dimensions else {"score": event.score}
    for key in ("took_s", "heard", "notes", "reason", "project", "rubric", "at"):
        values[key] = getattr(event, key)
    values["experts"] = json.dumps(event.experts, ensure_ascii=False) if event.experts else ""
    if event.source is not RatingSource.HUMAN:
        values["source"] = str(event.source)
    if event.purpose not in NOT_COUNTED:
        values["purpose"] = str(event.purpose)
    return FIELD.join(
        f"{key}: {value!r}" if isinstance(value, float) else f"{key}: {_escaped(str(value))}"
        for key, value in values.items()
        if value not in (None, "")
    )


def _fields(labels: Sequence[str]) -> dict[str, Any]:
    """Raises ValueError for a value that is no number."""
    pairs = (field.partition(": ") for label in labels for field in label.split(FIELD))
    fields = {key: _unescaped(value) for key, _sign, value in pairs}
    return {key: value if key in _TEXTS else float(value) for key, value in fields.items()}


def _escaped(text: str) -> str:
    """On one line, and without the sign that separates fields."""
    one_line = _TO_ESCAPE.sub(
        lambda sign: f"\\{sign[0]}" if sign[0] in f"\\|{LINE_END}" else f"\\u{ord(sign[0]):04x}", text
    )
    return one_line.replace("\n", LINE_END)


def _unescaped(label: str) -> str:
    lines = re.sub(rf"(\\.)|{LINE_END}", lambda sign: sign[1] or "\n", label, flags=re.DOTALL)
    return _ESCAPED.sub(lambda sign: chr(int(sign[1], 16)) if sign[1] else sign[2], lines)
