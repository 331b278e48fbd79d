"""Labels as tables for other programs: CSV and JSON lines."""

from pathlib import Path
from typing import Literal

from pipeline import artifacts, csvfile, jsonl
from pipeline.errors import LabelError
from pipeline.labels.index import Index
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit

Format = Literal["csv", "jsonl"]
Table = Literal["ratings", "consensus"]


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
        raise LabelError("The consensus can be exported for one set at a time. Name it with --set.")
    frame = index.labels(set) if table == "ratings" or set is None else index.consensus_scores(set)
    if frame.empty:
        raise LabelError(f"There are no ratings to export{f' in {set!r}' if set else ''}. Rate recordings first.")
    if fmt == "csv":
        return len(frame), (csvfile.BYTE_ORDER_MARK + csvfile.of_frame(frame)).encode("utf-8")
    records = artifacts.loads(frame.to_json(orient="records", force_ascii=False, double_precision=6))
    for record in records:
        for key in ("dimensions", "evaluators", "marks"):
            if isinstance(record.get(key), str):
                record[key] = artifacts.loads(record[key])
    return len(frame), b"".join(map(jsonl.dumps, records))


def write_export(path: Path, content: bytes) -> None:
    """Raises LabelError where the file cannot be written."""
    try:
        artifacts.write_bytes(path, content)
    except OSError as error:
        raise LabelError(f"{path} cannot be written ({error.strerror or error}).") from error
