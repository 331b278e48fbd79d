"""To Label Studio: tasks with annotations, and the labelling configuration that shows them.

One task per recording, one annotation per rating, skip, flag and decision. Label Studio knows its own users alone, and
refuses a file with others, so the rater is a result like the values, notes and marks. Marks are labels on the words of
the text. A skip is a cancelled annotation, a decision one of the ground truth.

The audio's address is that of Label Studio's local files: relative to its document root, which has to be a folder above
the one that its storage is given.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from pipeline.errors import LabelError
from pipeline.i18n import N_
from pipeline.labels.exchange.recordings import LabelledRecording
from pipeline.labels.marked_words import marked_words, word_places
from pipeline.labels.segments import TIERS
from pipeline.records import Mark, Purpose, RatingAction, RatingEvent, RatingSource, Recording, Segment
from pipeline.rubrics import MARKS, Dimension, Rubric

LOCAL_FILES = "/data/local-files/?d="
AUDIO, TEXT = "audio", "text"  # names of what is shown
LABELS, HEARD, SOUND, WORD = "marks", "heard", "sound", "word"
# Of a segment, a region of the audio: its tier, its label, its place in the text, its marks.
TIER, LABEL, OF_WORD, OF_SOUND, SEGMENT_MARKS = (
    f"segment_{name}" for name in ("tier", "label", "word", "sound", "marks")
)
SHARE_HEARD = "share_heard"
TEXTS = {
    "rater": "evaluator", "notes": "notes", "reason": "reason", "rated_at": "at", "project": "project",
    "rubric": "rubric", "experts": "experts",
}  # fmt: skip
CHOICES = {"action": RatingAction, "purpose": Purpose, "source": RatingSource}
MARK_HEARD = ": "  # between a mark and the sound that was heard
UNCHOSEN = ("rate", "", "human")  # what an annotation without the choice says


def tasks(labelled: Iterable[LabelledRecording], document_root: Path) -> bytes:
    """Raises LabelError for audio that does not lie below the document root."""
    content = [_task(number, one, document_root) for number, one in enumerate(labelled, start=1)]
    return (json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def configuration(rubrics: Iterable[Rubric], tiers: Iterable[str] = ()) -> bytes:
    """The labelling configuration for tasks under these rubrics and with segments in these tiers, as XML."""
    view = ElementTree.Element("View")

    def add(tag: str, **attributes: str) -> ElementTree.Element:
        return ElementTree.SubElement(view, tag, attributes)

    add("Audio", name=AUDIO, value=f"${AUDIO}")
    of_audio = add("Labels", name=TIER, toName=AUDIO)
    for tier in dict.fromkeys((*TIERS, *sorted(tiers))):
        ElementTree.SubElement(of_audio, "Label", value=tier)
    add("TextArea", name=LABEL, toName=AUDIO, perRegion="true", placeholder="label of the segment")
    for name in (OF_WORD, OF_SOUND):
        add("Number", name=name, toName=AUDIO, perRegion="true", min="1", step="1")
    add("TextArea", name=SEGMENT_MARKS, toName=AUDIO, perRegion="true", placeholder="mark: sound that was heard")
    labels = add("Labels", name=LABELS, toName=TEXT)
    for kind, meaning in MARKS:
        ElementTree.SubElement(labels, "Label", value=kind, hint=meaning)
    add("Text", name=TEXT, value=f"${TEXT}", granularity="word")
    add("TextArea", name=HEARD, toName=TEXT, perRegion="true", placeholder="sound that was heard")
    for name in (SOUND, WORD):
        add("Number", name=name, toName=TEXT, perRegion="true", min="1", step="1")
    scales: dict[str, list[Dimension]] = {}  # rubrics may use one key on different scales
    for dimension in (d for rubric in rubrics for d in rubric.dimensions):
        scales.setdefault(dimension.key, []).append(dimension)
    for key, same in scales.items():
        low, high = f"{min(d.low for d in same):g}", f"{max(d.high for d in same):g}"
        add("Header", value=f"{same[0].label} ({low}–{high})", size="4")
        add("Number", name=key, toName=AUDIO, min=low, max=high, step="0.1")
    add("Header", value="Share heard (0–1)", size="4")
    add("Number", name=SHARE_HEARD, toName=AUDIO, min="0", max="1", step="0.001")
    for name in TEXTS:
        add("Header", value=name.replace("_", " ").capitalize(), size="4")
        rows = "2" if name == "notes" else "1"
        add("TextArea", name=name, toName=AUDIO, maxSubmissions="1", editable="true", rows=rows)
    for name, values in CHOICES.items():
        add("Header", value=name.capitalize(), size="4")
        choices = add("Choices", name=name, toName=AUDIO, choice="single", showInline="true")
        for value in values:
            if value and value not in (RatingAction.UNDO, RatingSource.MOCK):
                ElementTree.SubElement(choices, "Choice", value=str(value))
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode").encode() + b"\n"


def audio_address(audio: Path, document_root: Path) -> str:
    """Raises LabelError for a file that does not lie below the document root."""
    try:
        below = audio.relative_to(document_root)
    except ValueError:
        raise LabelError(
            N_("{audio} does not lie below {document_root}, Label Studio's document root. Name a folder above it."),
            audio=audio,
            document_root=str(document_root),
        ) from None
    return LOCAL_FILES + quote(below.as_posix())


def word_at(text: str, place: int) -> int:
    """The number (from 0) of the word, between blanks, that has the character at this place."""
    return len(text[: place + 1].split()) - 1


def _task(number: int, labelled: LabelledRecording, document_root: Path) -> dict[str, Any]:
    recording, agreed = labelled.recording, labelled.consensus
    data = {
        "recording_id": recording.id, AUDIO: audio_address(labelled.audio, document_root), TEXT: recording.text,
        "speaker": recording.speaker, "part": recording.part, "language": recording.language,
        "consensus": None if agreed is None else agreed.score,
        "consensus_method": None if agreed is None else agreed.method, "excluded": labelled.is_excluded,
    }  # fmt: skip
    events = sorted(labelled.events, key=lambda event: event.evaluator)
    return {"id": number, "data": data, "annotations": [_annotation(recording, event) for event in events]}


def _annotation(recording: Recording, event: RatingEvent) -> dict[str, Any]:
    return {
        "created_at": event.at, "lead_time": event.took_s, "was_cancelled": event.action is RatingAction.SKIP,
        "ground_truth": event.action is RatingAction.DECIDE, "result": list(_results(recording, event)),
    }  # fmt: skip


def _results(recording: Recording, event: RatingEvent) -> Iterator[dict[str, Any]]:
    values = event.dimensions or ({} if event.score is None else {"score": event.score})
    for name, value in values.items():
        yield _result(name, name, "number", {"number": value})
    if event.heard is not None:
        yield _result(SHARE_HEARD, SHARE_HEARD, "number", {"number": event.heard})
    for name, field in TEXTS.items():
        if value := getattr(event, field):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield _result(name, name, "textarea", {"text": [text]})
    for name in CHOICES:
        choice = str(getattr(event, name))
        if choice not in UNCHOSEN:
            yield _result(name, name, "choices", {"choices": [choice]})
    for number, mark in enumerate(event.marks, start=1):
        yield from _mark(recording, mark, f"mark{number}")
    for number, segment in enumerate(event.segments, start=1):
        yield from _segment(segment, f"segment{number}")


def _segment(segment: Segment, region: str) -> Iterator[dict[str, Any]]:
    """A region of the audio. Word and sound count from 1; its marks are written even where they follow from those on
    the text."""
    span = {"start": segment.start_s, "end": segment.end_s}
    yield _result(region, TIER, "labels", {**span, "channel": 0, "labels": [segment.tier]})
    if segment.label:
        yield _result(region, LABEL, "textarea", {**span, "text": [segment.label]})
    for name, place in ((OF_WORD, segment.word), (OF_SOUND, segment.phone)):
        if place is not None:
            yield _result(region, name, "number", {**span, "number": place + 1})
    if segment.marks:
        texts = [f"{kind}{MARK_HEARD}{heard}" if heard else kind for kind, heard in segment.marks.items()]
        yield _result(region, SEGMENT_MARKS, "textarea", {**span, "text": texts})


def _mark(recording: Recording, mark: Mark, region: str) -> Iterator[dict[str, Any]]:
    """A label on the word, with the sound (from 1) and what was heard. Where the text does not have the word, the whole
    text is labelled. The word's number (from 1) is given where the place in the text does not tell it."""
    place = _place(recording, mark)
    start, end = place or (0, len(recording.text))
    span = {"start": start, "end": end}
    value = {**span, "text": recording.text[start:end], "labels": [mark.kind]}
    yield _result(region, LABELS, "labels", value, TEXT)
    if mark.phone is not None:
        yield _result(region, SOUND, "number", {**span, "number": mark.phone + 1}, TEXT)
    if place is None or word_at(recording.text, start) != mark.word:
        yield _result(region, WORD, "number", {**span, "number": mark.word + 1}, TEXT)
    if mark.heard:
        yield _result(region, HEARD, "textarea", {**span, "text": [mark.heard]}, TEXT)


def _place(recording: Recording, mark: Mark) -> tuple[int, int] | None:
    places = word_places(recording)
    if mark.word >= len(places):
        return None
    return places[mark.word], places[mark.word] + len(marked_words(recording)[mark.word].text)


def _result(region: str, name: str, kind: str, value: dict[str, Any], to_name: str = AUDIO) -> dict[str, Any]:
    return {"id": region, "from_name": name, "to_name": to_name, "type": kind, "value": value}
