"""What is known of every file of an upload, one line each, appended as the work goes on."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline import artifacts, jsonl
from pipeline.records import AudioReport, Problem, problem_from, problem_row


class Kind(StrEnum):
    RECORDING = "recording"
    TEXT = "text"  # of one recording, beside it
    TABLE = "table"
    LABELS = "labels"  # a label file of another installation
    ARCHIVE = "archive"
    DATA = "data"  # other files of corpora: Kaldi's tables, TIMIT's words and phones
    OTHER = "other"


@dataclass(frozen=True)
class Received:
    """A file as it came, not yet looked at. `drop` counts the times that somebody sent files."""

    number: int
    drop: int
    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class StagedFile:
    """A file that was looked at. `path` is where it lies below the upload's folder of files, "" where it was not kept;
    `name` is what it was called, behind the archive that it came in."""

    number: int
    drop: int
    name: str
    size: int
    kind: Kind
    sha256: str = ""
    path: str = ""
    report: AudioReport | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def faults(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")


def append(file: Path, entry: Received | StagedFile) -> None:
    problems = [_row_of(problem) for problem in getattr(entry, "problems", ())]
    report = getattr(entry, "report", None)
    row = {**vars(entry), **({"problems": problems} if problems else {})}
    if report is not None:
        row["report"] = {**vars(report), "problems": [_row_of(problem) for problem in report.problems]}
    jsonl.append(file, {key: value for key, value in row.items() if value not in (None, (), "")})


def received(file: Path) -> list[Received]:
    return [Received(**row) for row in _rows(file)]


def staged(file: Path) -> dict[str, StagedFile]:
    """By name; what came later stands for what came before."""
    return dict(_staged(file, artifacts.stamp_of(file)))


@lru_cache(maxsize=2)  # a page asks at every click, for up to 20,000 files
def _staged(file: Path, _stamp: str) -> dict[str, StagedFile]:
    files: dict[str, StagedFile] = {}
    for row in _rows(file):
        entry = _staged_file(row)
        files.pop(entry.name, None)
        files[entry.name] = entry
    return files


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    return iter(jsonl.read_from(file)[0])


def _staged_file(row: dict[str, Any]) -> StagedFile:
    report = row.get("report")
    if report is not None:
        report = AudioReport(**{"snr_db": None, **report, "problems": tuple(map(problem_from, report["problems"]))})
    problems = tuple(map(problem_from, row.get("problems", ())))
    return StagedFile(**{**row, "kind": Kind(row["kind"]), "report": report, "problems": problems})


def _row_of(problem: Problem) -> dict[str, Any]:
    return {key: value for key, value in problem_row(problem).items() if value is not None}
