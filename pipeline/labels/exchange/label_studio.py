"""From Label Studio: its JSON, JSON-MIN and CSV exports, those of our own tasks and those of other projects.

Numbers, star ratings and choices that are named as a rubric's values are values; texts and choices named as the
fields of a rating are those fields; labels on the text are marks, and our regions of the audio segments. Whatever else
an annotation holds (relations, other regions, results of other names) is left out and told. JSON-MIN and CSV do not say
to which region a text belongs. They have texts in the order of their regions, so that segments are read where that
tells it for all of them, and are left out whole elsewhere: half of them would replace the rater's own. The sound that
was heard in place of a marked one is known there from the segments alone.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pipeline import artifacts
from pipeline.errors import LabelError, said_by
from pipeline.i18n import N_, Message
from pipeline.labels.exchange.label_studio_tasks import (
    AUDIO,
    CHOICES,
    HEARD,
    LABEL,
    LABELS,
    MARK_HEARD,
    OF_SOUND,
    OF_WORD,
    SEGMENT_MARKS,
    SHARE_HEARD,
    SOUND,
    TEXT,
    TEXTS,
    TIER,
    WORD,
    word_at,
)
from pipeline.labels.exchange.rating_rows import Row
from pipeline.labels.segments import PHONES
from pipeline.rubrics import MARKS, RUBRICS, Rubric
from pipeline.tablefile import read_table

KINDS = {kind for kind, _meaning in MARKS}
OF_SEGMENTS = (TIER, LABEL, OF_WORD, OF_SOUND, SEGMENT_MARKS)
TEXT_HEARD = f"textarea {HEARD}"  # as `_name_of` has it
FLAT_KEYS = {"annotation_id", "annotator"}  # of JSON-MIN and CSV
Place = tuple[int | None, int | None]  # of a mark: word and sound, counted from 0
_NUMBER = re.compile(r"\d+(\.\d+)?")
SHIPPED = tuple(RUBRICS.values())
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, LabelError)


def from_label_studio(content: bytes, rubrics: Iterable[Rubric] = SHIPPED) -> list[Row]:
    """Of JSON or JSON-MIN, with the values of these rubrics. Raises LabelError where it is no export of tasks; a single
    broken annotation becomes a row that says so."""
    try:
        tasks = artifacts.loads(content)
        if not isinstance(tasks, list):
            raise ValueError(Message(N_("expected a list of tasks")))
    except ValueError as error:
        raise LabelError(N_("This is not a JSON export of Label Studio: {reason}."), reason=said_by(error)) from error
    values = _values(rubrics)
    rows: list[Row] = []
    for number, task in enumerate(tasks, start=1):
        id_ = task.get("id", number) if isinstance(task, dict) else number
        place = Message(N_("task {number}"), number=str(id_))
        if isinstance(task, dict) and task.keys() & FLAT_KEYS:
            rows.append(_from_flat(place, task, values))
        elif not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            rows.append(
                Row(
                    place,
                    {},
                    Message(N_("has neither annotations (JSON) nor an annotator (JSON-MIN). Export it as JSON again")),
                )
            )
        else:
            annotations = task.get("annotations") or task.get("completions") or []
            if isinstance(annotations, list):
                rows += [_row(place, task["data"], annotation, values) for annotation in annotations]
            else:
                rows.append(Row(place, {}, Message(N_("has annotations that cannot be read: they are no list"))))
    return rows


def from_label_studio_table(content: bytes, rubrics: Iterable[Rubric] = SHIPPED) -> list[Row] | None:
    """Of its CSV export; None for any other table."""
    if not all(key.encode() in content.partition(b"\n")[0] for key in FLAT_KEYS):
        return None
    table, values = read_table(content, dict.fromkeys(FLAT_KEYS, ())), _values(rubrics)
    return [
        Row(place, {}, row.problem) if row.problem else _from_flat(place, row.cells, values)
        for place, row in ((Message(N_("line {line}"), line=str(row.line)), row) for row in table.rows)
    ]


def _values(rubrics: Iterable[Rubric]) -> set[str]:
    """Names of results that are values of a rating."""
    return {dimension.key for rubric in rubrics for dimension in rubric.dimensions}


def _from_flat(place: str, record: Mapping[str, Any], known: Collection[str]) -> Row:
    """A record of JSON-MIN, or a row of Label Studio's CSV: the task's data and the annotation's results side by side,
    results as they are or as JSON."""
    results: list[dict[str, Any]] = []
    try:
        for name, value in record.items():
            results += _unfolded(name, _parsed(name, value), known)
        of_segments = [result for result in results if result["from_name"] in OF_SEGMENTS]
        results = _joined([result for result in results if result["from_name"] not in OF_SEGMENTS])
        annotation = {
            "completed_by": record.get("annotator"), "created_at": record.get("created_at"),
            "lead_time": record.get("lead_time"), "result": results,
        }  # fmt: skip
        row = _row(place, record, annotation, known)
        return _with_segments(row, of_segments) if of_segments and not row.problem else row
    except _UNREADABLE as error:
        return Row(place, {}, Message(N_("cannot be read ({reason})"), reason=said_by(error)))


def _with_segments(row: Row, results: list[dict[str, Any]]) -> Row:
    """The row with the segments that these results of JSON-MIN tell, or with the results among what is left out."""
    marks = row.values["marks"]
    segments = _flat_segments(results, {(mark["word"], mark["phone"]) for mark in marks})
    if segments is None:
        return replace(row, left_out=(*row.left_out, *map(_name_of, results)))
    heard = {
        (segment.get("word"), segment.get("phone"), kind): sound
        for segment in segments
        for kind, sound in segment["marks"].items()
    }
    marks = [{**mark, "heard": heard.get((mark["word"], mark["phone"], mark["kind"]), "")} for mark in marks]
    left_out = row.left_out
    if sum(bool(mark["heard"]) for mark in marks) == left_out.count(TEXT_HEARD):
        left_out = tuple(name for name in left_out if name != TEXT_HEARD)
    return replace(row, values={**row.values, "segments": segments, "marks": marks}, left_out=left_out)


def _flat_segments(results: list[dict[str, Any]], marked: Collection[Place]) -> list[dict[str, Any]] | None:
    """Numbers belong to the regions of their times. Texts have none: there have to be as many as regions that can have
    one, of marks those that stand for a word or sound that is `marked` in the text. None where that does not tell it.
    """
    regions: list[dict[str, Any]] = [{TIER: result["value"]} for result in results if result["from_name"] == TIER]
    for name in (OF_WORD, OF_SOUND, LABEL, SEGMENT_MARKS):
        values = [result["value"] for result in results if result["from_name"] == name]
        timed = [value for value in values if "start" in value]
        for span in dict.fromkeys(map(_span, timed)):
            there = [region for region in regions if _span(region[TIER]) == span]
            if name == OF_SOUND:
                there = [region for region in there if region[TIER]["labels"] == [PHONES]]
            if not _given(name, [value for value in timed if _span(value) == span], there):
                return None
        left = [region for region in regions if name not in region]
        if name == SEGMENT_MARKS:
            left = [region for region in left if _place(region) in marked]
        if not _given(name, [value for value in values if "start" not in value], left):
            return None
    return [_segment(region) for region in regions]


def _given(name: str, values: list[dict[str, Any]], regions: list[dict[str, Any]]) -> bool:
    """Whether there is a value for each of the regions, which then have it, or none at all."""
    if values and len(values) != len(regions):
        return False
    for region, value in zip(regions, values, strict=False):
        region[name] = value
    return True


def _place(region: Mapping[str, Any]) -> Place:
    word, sound = (int(region[name]["number"]) - 1 if name in region else None for name in (OF_WORD, OF_SOUND))
    return word, sound


def _span(value: Mapping[str, Any]) -> tuple[Any, Any]:
    """Where it is: in the text, or in the time of the audio."""
    return value.get("start"), value.get("end")


def _row(place: str, data: Mapping[str, Any], annotation: Any, known: Collection[str]) -> Row:
    try:
        values: dict[str, Any] = {
            "recording_id": _recording(data),
            "evaluator": _person(annotation.get("completed_by")),
            "at": annotation.get("created_at") or "",
            "took_s": annotation.get("lead_time") or None,
        }
        left_out: list[str] = []
        stars: list[str] = []
        results = list(annotation["result"])
        regions: dict[str, dict[str, Any]] = {}
        for result in results:
            if not _taken(result, values, regions, known):
                left_out.append(_name_of(result))
            elif result["type"] == "rating":
                stars.append(result["from_name"])
        values["segments"] = [_segment(region) for region in regions.values() if TIER in region]
        values["marks"] = [mark for region in regions.values() if TIER not in region
                           for mark in _marks(region, str(data.get(TEXT) or ""))]  # fmt: skip
        if annotation.get("was_cancelled") and "action" not in values:
            values |= {"action": "skip", "reason": values.get("reason") or "skipped in Label Studio"}
        return Row(place, values, unscaled=tuple(stars), left_out=tuple(left_out))
    except _UNREADABLE as error:
        reason = said_by(error)
        return Row(place, {}, Message(N_("has an annotation that cannot be read ({reason})"), reason=reason))


def _taken(
    result: dict[str, Any], values: dict[str, Any], regions: dict[str, dict[str, Any]], known: Collection[str]
) -> bool:
    """Whether the result is part of the rating, and is now in `values` or `regions`."""
    name, kind, value = str(result.get("from_name") or ""), str(result.get("type") or ""), result.get("value") or {}
    is_of_text = isinstance(value.get("start"), int) and ("labels" not in value or isinstance(value.get("text"), str))
    if kind in ("number", "rating") and name in known:
        values[name] = value[kind]
    elif kind == "number" and name == SHARE_HEARD:
        values["heard"] = value[kind]
    elif kind == "choices" and name in known and _NUMBER.fullmatch(str(value["choices"][0])):
        values[name] = float(value["choices"][0])
    elif kind == "choices" and name in CHOICES:
        (values[name],) = value["choices"]
    elif kind == "textarea" and name in TEXTS:
        texts = value["text"] if isinstance(value["text"], list) else [value["text"]]
        values[TEXTS[name]] = "\n".join(map(str, texts))
    elif kind == "labels" and is_of_text and set(value["labels"]) <= KINDS:
        regions.setdefault(_region(result), {})[LABELS] = value
    elif name in (SOUND, WORD, HEARD) and is_of_text:
        regions.setdefault(_region(result), {})[name] = value
    elif name in OF_SEGMENTS and result.get("id"):
        regions.setdefault(str(result["id"]), {})[name] = value
    else:
        return False
    return True


def _marks(region: dict[str, Any], text: str) -> Iterator[dict[str, Any]]:
    """One mark for each label on a piece of the text: on the word in which the piece begins, unless the word's number
    is given."""
    if LABELS not in region:
        raise ValueError(Message(N_("a sound or word is given for no label")))
    value = region[LABELS]
    word = int(region[WORD]["number"]) - 1 if WORD in region else word_at(text, value["start"])
    sound = int(region[SOUND]["number"]) - 1 if SOUND in region else None
    heard = "\n".join(map(str, region[HEARD]["text"])) if HEARD in region else ""
    for kind in value["labels"]:
        yield {"word": word, "phone": sound, "kind": kind, "heard": heard}


def _segment(region: dict[str, Any]) -> dict[str, Any]:
    """A region of the audio as JSON has a segment."""
    value = region[TIER]
    (tier,) = value["labels"]
    segment = {"tier": tier, "start_s": value["start"], "end_s": value["end"], "label": _written(region.get(LABEL))}
    segment |= {
        key: int(region[name]["number"]) - 1 for key, name in (("word", OF_WORD), ("phone", OF_SOUND)) if name in region
    }
    marks = _lines(region.get(SEGMENT_MARKS))
    segment["marks"] = {kind: heard for kind, _sign, heard in (line.partition(MARK_HEARD) for line in marks)}
    return segment


def _written(value: Mapping[str, Any] | None) -> str:
    return " ".join(_lines(value))


def _lines(value: Mapping[str, Any] | None) -> list[str]:
    if value is None:
        return []
    return [str(line) for line in (value["text"] if isinstance(value["text"], list) else [value["text"]])]


def _joined(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With sounds and word numbers on the label of the same piece of text, in their order where each of its labels has
    one. Where only some of several have, nobody knows which: they are left out, and so are labels whose word cannot be
    known then."""
    labels = [result for result in results if result["type"] == "labels"]
    for number, label in enumerate(labels):
        label["id"] = str(number)
    for name in (SOUND, WORD):
        numbers = [result for result in results if result["from_name"] == name]
        for span in dict.fromkeys(_span(result["value"]) for result in numbers):
            given = [result for result in numbers if _span(result["value"]) == span]
            same = [label for label in labels if _span(label["value"]) == span]
            if len(same) == len(given):
                for label, result in zip(same, given, strict=True):
                    result["id"] = label["id"]
                continue
            for lost in (*given, *(same if name == WORD else ())):
                lost["value"] = {key: value for key, value in lost["value"].items() if key not in ("start", "end")}
    return results


def _region(result: dict[str, Any]) -> str:
    value = result["value"]
    return str(result.get("id") or f"{value['start']}-{value['end']}")


def _unfolded(name: str, value: Any, known: Collection[str]) -> list[dict[str, Any]]:
    """The results behind one value of JSON-MIN, which writes a single text or choice as it is and everything else as a
    list; none for what belongs to the task."""
    if name in TEXTS and isinstance(value, str) and value:
        return [{"from_name": name, "type": "textarea", "value": {"text": [value]}}]
    if name in CHOICES and isinstance(value, str) and value:
        return [{"from_name": name, "type": "choices", "value": {"choices": [value]}}]
    texts = value if isinstance(value, list) else [value]
    if name == HEARD and value:
        return [{"from_name": name, "type": "textarea", "value": {}} for _text in texts]
    if name in (LABEL, SEGMENT_MARKS) and value:
        values = (text if isinstance(text, dict) else {"text": [str(text)]} for text in texts)
        return [{"from_name": name, "type": "textarea", "value": text} for text in values]
    if name in known and isinstance(value, int | float | str) and value != "":
        return [{"from_name": name, "type": "choices", "value": {"choices": [value]}}]
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        return []
    kinds = {"number": "number", "rating": "rating", "choices": "choices", "labels": "labels", "text": "textarea"}
    named = ((next((kinds[key] for key in kinds if key in entry), ""), entry) for entry in value)
    return [{"from_name": name, "type": kind, "value": entry} for kind, entry in named if kind]


def _parsed(name: str, value: Any) -> Any:
    """A cell of CSV that holds a list as JSON is that list: of objects, or of texts."""
    if isinstance(value, str) and value.startswith(("[{", '["') if name in (HEARD, LABEL, SEGMENT_MARKS) else "[{"):
        try:
            return artifacts.loads(value)
        except ValueError:
            return value
    return value


def _recording(data: Mapping[str, Any]) -> str:
    """Its id, else the path of its audio, as in an address of Label Studio's local files or of an upload."""
    if data.get("recording_id"):
        return str(data["recording_id"])
    address = urlsplit(str(data.get(AUDIO) or data.get("id") or ""))
    (path,) = parse_qs(address.query).get("d") or [unquote(address.path)]
    return path.removeprefix("/data/upload/").lstrip("/")


def _person(completed_by: Any) -> str:
    """Empty where nobody is named."""
    if isinstance(completed_by, dict):
        known = (completed_by.get(key) for key in ("username", "email", "first_name", "id"))
        return str(next((value for value in known if value), ""))
    return "" if completed_by is None else str(completed_by)


def _name_of(result: dict[str, Any]) -> str:
    kind, name = str(result.get("type") or "result"), result.get("from_name")
    return f"{kind} {name}" if name else kind


def counted(left_out: Iterable[str]) -> list[str]:
    """Each kind of result once, with how often it was left out."""
    counts: dict[str, int] = {}
    for name in left_out:
        counts[name] = counts.get(name, 0) + 1
    return [f"{name} ({n})" for name, n in sorted(counts.items())]
