"""Label Studio's JSON: one task a recording, one annotation a person.

A rating's values are `number` results named after the rubric's dimensions, notes a `textarea`, marks a `textarea` with
one JSON object a line; a skip is a cancelled annotation. Task ids are our own, people stand as `username`.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pipeline import artifacts
from pipeline.errors import LabelError
from pipeline.labels.exchange.rating_rows import Row
from pipeline.records import RatingAction, RatingEvent, Recording

AUDIO = "audio"
NOTES, MARKS = "notes", "marks"


def to_label_studio(rated: Iterable[tuple[Recording, str, dict[str, RatingEvent]]]) -> bytes:
    """`rated` has each recording with its audio's path and everybody's current rating, skip or flag."""
    tasks = [
        {
            "id": number,
            "data": {
                "recording_id": recording.id, "audio": audio, "text": recording.text, "speaker": recording.speaker,
            },
            "annotations": [_annotation(name, event) for name, event in sorted(ratings.items())],
        }
        for number, (recording, audio, ratings) in enumerate(rated, start=1)
    ]  # fmt: skip
    return (json.dumps(tasks, ensure_ascii=False, indent=1) + "\n").encode()


def from_label_studio(content: bytes) -> list[Row]:
    """Raises LabelError where it is no export of tasks; a single broken annotation becomes a row that says so."""
    try:
        tasks = artifacts.loads(content)
        if not isinstance(tasks, list):
            raise ValueError("expected a list of tasks")
    except ValueError as error:
        raise LabelError(f"This is not a JSON export of Label Studio: {error}.") from error
    rows: list[Row] = []
    for number, task in enumerate(tasks, start=1):
        place = f"task {task.get('id', number) if isinstance(task, dict) else number}"
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            rows.append(Row(place, {}, "is no task with data"))
            continue
        for annotation in task.get("annotations") or task.get("completions") or ():
            rows.append(_row(place, task["data"], annotation))
    return rows


def _annotation(name: str, event: RatingEvent) -> dict[str, Any]:
    values = event.dimensions or ({} if event.score is None else {"score": event.score})
    result: list[dict[str, Any]] = [
        {"from_name": key, "to_name": AUDIO, "type": "number", "value": {"number": value}}
        for key, value in values.items()
    ]
    texts = {NOTES: [event.notes] if event.notes else [], MARKS: [json.dumps(asdict(m)) for m in event.marks]}
    result += [
        {"from_name": key, "to_name": AUDIO, "type": "textarea", "value": {"text": lines}}
        for key, lines in texts.items()
        if lines
    ]
    if event.action is not RatingAction.RATE:
        reason = {"text": [f"{event.action}: {event.reason}"]}
        result.append({"from_name": "reason", "to_name": AUDIO, "type": "textarea", "value": reason})
    return {
        "completed_by": {"username": name}, "created_at": event.at, "lead_time": event.took_s,
        "was_cancelled": event.action is not RatingAction.RATE, "result": result,
    }  # fmt: skip


def _row(place: str, data: dict[str, Any], annotation: Any) -> Row:
    try:
        values: dict[str, Any] = {
            "recording_id": data.get("recording_id") or data.get("id") or data.get("audio"),
            "evaluator": _person(annotation.get("completed_by")),
            "at": annotation.get("created_at") or "",
            "took_s": annotation.get("lead_time"),
            "action": "skip" if annotation.get("was_cancelled") else "rate",
        }
        stars: list[str] = []
        for result in annotation["result"]:
            name, value = str(result["from_name"]), result["value"]
            if result["type"] in ("number", "rating"):
                values[name] = value.get("number", value.get("rating"))
                stars += [name] if result["type"] == "rating" else []
            elif result["type"] == "textarea":
                texts = [str(text) for text in value["text"]]
                if name == MARKS:
                    values[MARKS] = [artifacts.loads(text) for text in texts]
                elif name == "reason":
                    values["action"], _, values["reason"] = texts[0].partition(": ")
                else:
                    values[name] = "\n".join(texts)
        return Row(place, values, unscaled=tuple(stars))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return Row(place, {}, f"has an annotation that cannot be read ({error})")


def _person(completed_by: Any) -> str:
    """Empty where nobody is named."""
    if isinstance(completed_by, dict):
        known = (completed_by.get(key) for key in ("username", "email", "first_name", "id"))
        return str(next((value for value in known if value), ""))
    return "" if completed_by is None else str(completed_by)
