"""Labels as tables for other programs: CSV and JSON lines."""

import io
import json
from pathlib import Path
from typing import Literal

from pipeline import artifacts
from pipeline.errors import LabelError
from pipeline.labels.index import Index
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit

Format = Literal["csv", "jsonl"]
Table = Literal["ratings", "consensus"]
# A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_labels(
    index: Index, set: str | None, fmt: Format, table: Table = "ratings", by: Identity | None = None
) -> tuple[int, bytes]:
    """`ratings`: a row a recording and evaluator; `consensus`: a row a recording, of one set. UTF-8; CSV with a byte
    order mark, which spreadsheets need for Turkish letters, and text cells that look like formulas quoted.

    Returns the number of rows and the file's content. Raises LabelError where there is nothing to export, AccessError
    for who may not export.
    """
    permit(index.settings, by, Action.EXPORT)
    if table == "consensus" and set is None:
        raise LabelError("The consensus is exported a set at a time: name one with --set.")
    frame = index.labels(set) if table == "ratings" or set is None else index.consensus_scores(set)
    if frame.empty:
        raise LabelError(f"There are no labels to export{f' in {set!r}' if set else ''}. Label recordings first.")
    if fmt == "csv":
        buffer = io.StringIO()
        frame.map(_defused).to_csv(buffer, index=False)
        return len(frame), b"\xef\xbb\xbf" + buffer.getvalue().encode("utf-8")
    records = json.loads(frame.to_json(orient="records", force_ascii=False, double_precision=6))
    for record in records:
        for key in ("dimensions", "evaluators", "marks"):
            if isinstance(record.get(key), str):
                record[key] = json.loads(record[key])
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    return len(frame), lines.encode("utf-8")


def write_export(path: Path, content: bytes) -> None:
    """Raises LabelError where the file cannot be written."""
    try:
        artifacts.write_bytes(path, content)
    except OSError as error:
        raise LabelError(f"{path} cannot be written ({error.strerror or error}).") from error


def _defused(cell: object) -> object:
    return "'" + cell if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
