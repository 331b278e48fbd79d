"""From Label Studio: its JSON, JSON-MIN and CSV exports, those of our own tasks and those of other projects.

Numbers, star ratings and choices that are named as a rubric's values are values; texts and choices named as the
fields of a rating are those fields; labels on the text are marks, and our regions of the audio segments. Whatever else
an annotation holds (relations, other regions, results of other names) is left out and told. JSON-MIN and CSV do not say
to which region a text belongs, so there segments and the sound that was heard in place of a marked one are left out.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
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
from pipeline.rubrics import MARKS, RUBRICS, Rubric
from pipeline.tablefile import read_table

KINDS = {kind for kind, _meaning in MARKS}
OF_SEGMENTS = (TIER, LABEL, OF_WORD, OF_SOUND, SEGMENT_MARKS)
FLAT_KEYS = {"annotation_id", "annotator"}  # of JSON-MIN and CSV
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
            results += _unfolded(name, _parsed(value), known)
        results = _joined(results)
        annotation = {
            "completed_by": record.get("annotator"), "created_at": record.get("created_at"),
            "lead_time": record.get("lead_time"), "result": results,
        }  # fmt: skip
        return _row(place, record, annotation, known)
    except _UNREADABLE as error:
        return Row(place, {}, Message(N_("cannot be read ({reason})"), reason=said_by(error)))


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
    """With sounds and word numbers on the label of the same piece of text. Where several labels are on it, nobody knows
    to which they belong: they are left out, and so are labels whose word cannot be known then."""
    labels = [result for result in results if result["type"] == "labels" and result["from_name"] != TIER]
    for number, label in enumerate(labels):
        label["id"] = str(number)
    for result in results:
        if result["from_name"] not in (SOUND, WORD):
            continue
        same = [label for label in labels if _span(label) == _span(result)]
        if len(same) == 1:
            result["id"] = same[0]["id"]
            continue
        for lost in (result, *(same if result["from_name"] == WORD else ())):
            lost["value"] = {key: value for key, value in lost["value"].items() if key not in ("start", "end")}
    return results


def _span(result: dict[str, Any]) -> tuple[Any, Any]:
    return result["value"].get("start"), result["value"].get("end")


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
    if name in (HEARD, LABEL, SEGMENT_MARKS) and value:
        return [{"from_name": name, "type": "textarea", "value": {}}]
    if name in known and isinstance(value, int | float | str) and value != "":
        return [{"from_name": name, "type": "choices", "value": {"choices": [value]}}]
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        return []
    kinds = {"number": "number", "rating": "rating", "choices": "choices", "labels": "labels", "text": "textarea"}
    named = ((next((kinds[key] for key in kinds if key in entry), ""), entry) for entry in value)
    return [{"from_name": name, "type": kind, "value": entry} for kind, entry in named if kind]


def _parsed(value: Any) -> Any:
    """A cell of CSV that holds a list as JSON is that list."""
    if isinstance(value, str) and value.startswith("[{"):
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
