"""Segments in Label Studio's JSON-MIN and CSV, which say of texts neither their region nor their times."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpus.sets import RecordingSet
from pipeline.labels.exchange.incoming import check, read_ratings
from pipeline.labels.exchange.label_studio_tasks import tasks
from pipeline.labels.exchange.recordings import labels_of
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.records import AudioReport, RatingAction, RatingEvent, Recording, RubricName, Segment
from pipeline.settings import Settings
from tests.prepared import save_set

AT = "2026-01-01T10:00:00.000+00:00"
VALUES = {"accuracy": 5.0, "fluency": 6.0, "prosodic": 7.0, "total": 8.0}
WORDS = (Segment("words", 0.0, 0.3, "ev", 0), Segment("words", 0.4, 0.9, "in", 1, marks={"missing": ""}))
SOUNDS = (
    Segment("phones", 0.0, 0.1, "e", 0, 0, {"mispronounced": "ə", "stress": ""}),
    Segment("phones", 0.1, 0.3, '["v"', 0, 1, {"mispronounced": "w"}), Segment("phones", 0.4, 0.9, "i", 1, 0),
)  # fmt: skip
COMMENT = Segment("comments", 0.5, 0.5, "<b>breath</b>")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data_root=tmp_path / "data", models_root=tmp_path / "models")
    root = tmp_path / "audio"
    root.mkdir()
    report = AudioReport(1.0, 16000, 1, 0.5, 0.0, 0.0, None)
    recording = Recording("s/1", "s", "1.wav", "p", "ev in", RubricName.SENTENCE, "tr", report=report)
    save_set(settings, RecordingSet("s", "S", "manifest", root, tmp_path / "labels", RubricName.SENTENCE), [recording])
    Index(settings).rebuild()
    return settings


def rated(settings: Settings, segments: Sequence[Segment]) -> RatingEvent:
    """Eve's rating with these segments, as her label file has it."""
    recording = Index(settings).recording("s/1")
    store = LabelStore(settings)
    store.add(recording, RatingEvent("Eve", RatingAction.RATE, AT, dimensions=VALUES, segments=tuple(segments)))
    return store.history(recording)[-1]


def minimal(settings: Settings) -> list[dict[str, Any]]:
    """Our tasks as Label Studio's JSON-MIN has them: results by their name, a single text as it is."""
    records = []
    for task in json.loads(tasks(labels_of(settings, "s").recordings, Path("/"))):
        for annotation in task["annotations"]:
            outputs: dict[str, list[Any]] = {}
            for result in annotation["result"]:
                value, single = result["value"], {"textarea": "text", "choices": "choices"}.get(result["type"], "")
                is_single = single and len(value[single]) == 1
                outputs.setdefault(result["from_name"], []).append(value[single][0] if is_single else value)
            flat = {name: v[0] if len(v) == 1 and isinstance(v[0], str) else v for name, v in outputs.items()}
            records.append({**task["data"], "id": 1, **flat, "annotator": 1, "annotation_id": 1,
                            "created_at": annotation["created_at"], "lead_time": None})  # fmt: skip
    return records


def as_json(records: list[dict[str, Any]]) -> bytes:
    return json.dumps(records).encode()


def as_csv(records: list[dict[str, Any]]) -> bytes:
    """As Label Studio writes it: lists as JSON, nothing for what is not there."""
    text = io.StringIO()
    table = csv.DictWriter(text, sorted({key for record in records for key in record}))
    table.writeheader()
    for record in records:
        table.writerow({k: json.dumps(v, ensure_ascii=False) if isinstance(v, list) else v for k, v in record.items()})
    return text.getvalue().encode()


def read(settings: Settings, content: bytes) -> tuple[RatingEvent, list[str]]:
    """The rating that the file says, and what was told of it."""
    incoming = check(settings, "s", read_ratings(content).rows)
    assert incoming.problems == ()
    ((event,),) = incoming.ratings.values()
    return event, list(map(str, incoming.assumed))


@pytest.mark.parametrize("written", [as_json, as_csv])
@pytest.mark.parametrize(
    "segments", [WORDS, SOUNDS, (*WORDS, *SOUNDS, COMMENT), (COMMENT,), SOUNDS[:1], (Segment("noise", 0.0, 1.0),)]
)
def test_segments_come_back_where_the_order_tells_all(
    settings: Settings, segments: Sequence[Segment], written: Any
) -> None:
    given = rated(settings, segments)
    event, told = read(settings, written(minimal(settings)))
    assert told == []
    assert event.segments == given.segments
    assert event.marks == given.marks, "with the sounds that were heard"


@pytest.mark.parametrize("written", [as_json, as_csv])
@pytest.mark.parametrize(
    "segments",
    [
        (*WORDS, Segment("phones", 0.5, 0.6, "", 1, 0)),  # to which of three do two labels belong?
        (Segment("words", 0.0, 0.3, "ev", 0), Segment("noise", 0.0, 0.3, "hum")),  # to which of two the word?
        (Segment("words", 0.0, 0.3, "ev", 0), Segment("noise", 0.5, 0.6, "hum", marks={"tone": ""})),  # and the mark?
    ],
)
def test_segments_are_left_out_whole_and_told_where_it_does_not(
    settings: Settings, segments: Sequence[Segment], written: Any
) -> None:
    given = rated(settings, segments)
    event, told = read(settings, written(minimal(settings)))
    assert event.segments == ()
    assert event.marks == tuple(given.marks)
    assert any("labels segment_tier" in line for line in told)
    store, recording = LabelStore(settings), Index(settings).recording("s/1")
    assert store.add_from_corpus(recording, [event]) is None, "what is there keeps its segments"


def test_a_boundary_that_was_moved_there_is_a_further_rating(settings: Settings) -> None:
    rated(settings, WORDS)
    (record,) = minimal(settings)
    for name in ("segment_tier", "segment_word"):
        record[name][1]["start"] = 0.45
    event, _told = read(settings, as_json([record]))
    assert [(s.start_s, s.label) for s in event.segments] == [(0.0, "ev"), (0.45, "in")]
