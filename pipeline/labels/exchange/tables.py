"""Labels as tables: CSV, an Excel workbook, JSON lines."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipeline import csvfile, jsonl
from pipeline.csvfile import COMMA, Dialect
from pipeline.errors import LabelError
from pipeline.i18n import N_
from pipeline.labels.exchange.rating_rows import DIMENSIONS, SHEETS, TableName
from pipeline.labels.exchange.recordings import LabelledRecording, Labels
from pipeline.labels.segments import segment_to_json
from pipeline.optional import require
from pipeline.records import RatingEvent

MAX_CELL = 32_767  # characters, in Excel


def table_rows(labels: Labels, table: TableName) -> list[dict[str, Any]]:
    """`ratings`: one row per event that stands; `consensus`: one row per recording that has a consensus or was
    excluded. Marks and evaluators are lists; a value that is missing is None."""
    if table == "consensus":
        decided = [r for r in labels.recordings if r.consensus is not None or r.is_excluded]
        return [_consensus_row(labelled) for labelled in decided]
    given = dict.fromkeys(
        key for labelled in labels.recordings for event in labelled.events for key in event.dimensions
    )
    shipped = DIMENSIONS if given.keys() & set(DIMENSIONS) else ()
    dimensions = [*shipped, *(key for key in given if key not in DIMENSIONS)]
    return [
        _rating_row(labelled, event, dimensions)
        for labelled in labels.recordings
        for event in sorted(labelled.events, key=lambda event: event.evaluator)
    ]


def to_csv(rows: Sequence[Mapping[str, Any]], dialect: Dialect = COMMA) -> bytes:
    """With a byte order mark, which spreadsheets need for Turkish letters."""
    return csvfile.download(csvfile.of_records(rows[0] if rows else (), map(_flat, rows), dialect))


def to_jsonl(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(map(jsonl.dumps, rows))


def to_xlsx(labels: Labels) -> bytes:
    """A workbook with both tables. Texts are cells of text, so that none is run as a formula, and are defused as in
    CSV, as which people save workbooks again. Raises LabelError where openpyxl is missing."""
    require(N_("An Excel file"), ("openpyxl",), LabelError)
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    for table in SHEETS:
        sheet = book.create_sheet(table)
        sheet.freeze_panes = "A2"
        rows = table_rows(labels, table)
        sheet.append(list(rows[0] if rows else ()))
        for row in map(_flat, rows):
            cells: list[Any] = []
            for value in row.values():
                if isinstance(value, str):
                    text = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", csvfile.defused(value))
                    if len(text) > MAX_CELL:
                        raise LabelError(
                            N_(
                                "{recording} has a text of {n} characters, and a cell in Excel holds {most}. Export as "
                                "CSV."
                            ),
                            recording=row["recording_id"],
                            n=len(text),
                            most=MAX_CELL,
                        )
                    value = WriteOnlyCell(sheet, text)
                    value.data_type = "s"
                cells.append(value)
            sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _rating_row(labelled: LabelledRecording, event: RatingEvent, dimensions: Sequence[str]) -> dict[str, Any]:
    agreed = labelled.consensus
    return {
        **_recording_columns(labelled),
        "evaluator": event.evaluator, "action": str(event.action), "purpose": str(event.purpose),
        "score": event.score, **{name: event.dimensions.get(name) for name in dimensions},
        "notes": event.notes, "reason": event.reason, "marks": [asdict(mark) for mark in event.marks],
        "segments": [segment_to_json(segment) for segment in event.segments],
        "at": event.at, "took_s": event.took_s, "heard": event.heard,
        "project": event.project, "source": str(event.source), "rubric": event.rubric, "experts": list(event.experts),
        "counts": labelled.counts(event), "consensus": None if agreed is None else agreed.score,
        "excluded": labelled.is_excluded,
    }  # fmt: skip


def _consensus_row(labelled: LabelledRecording) -> dict[str, Any]:
    agreed, verdict = labelled.consensus, labelled.review.verdict
    return {
        **_recording_columns(labelled),
        "score": None if agreed is None else agreed.score,
        "n_raters": 0 if agreed is None else agreed.n,
        "spread": None if agreed is None else agreed.spread,
        "method": "" if agreed is None else agreed.method,
        "source": "" if agreed is None else str(agreed.source),
        "evaluators": [] if agreed is None else list(agreed.evaluators),
        "excluded": labelled.is_excluded,
        "decided_by": "" if verdict is None else verdict.evaluator,
        "decided_at": "" if verdict is None else verdict.at,
        "reason": "" if verdict is None else verdict.reason or verdict.notes,
        "requested": labelled.review.requested,
    }


def _recording_columns(labelled: LabelledRecording) -> dict[str, Any]:
    recording = labelled.recording
    return {
        "recording_id": recording.id, "set": recording.set, "speaker": recording.speaker,
        "text": recording.text, "part": recording.part or "",
    }  # fmt: skip


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """With lists as JSON, an empty one as an empty cell, and yes and no as true and false."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, list):
            value = json.dumps(value, ensure_ascii=False) if value else ""
        flat[key] = str(value).lower() if isinstance(value, bool) else value
    return flat
