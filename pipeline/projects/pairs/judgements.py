"""The answers of a pair project: append-only JSON lines in the project's folder, one per act."""

import math
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline import jsonl
from pipeline.errors import ProjectError
from pipeline.i18n import N_
from pipeline.locks import locked
from pipeline.people.names import name_key
from pipeline.projects.project import JUDGEMENTS, folder_of
from pipeline.records import Purpose, Seconds
from pipeline.settings import Settings
from pipeline.write_errors import not_written


class Answer(StrEnum):
    """Which side is better, or neither; that the pair was skipped; that the expert's last act is taken back."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"
    SKIP = "skip"
    UNDO = "undo"


PREFERENCE: Mapping[Answer, float] = {Answer.LEFT: 1.0, Answer.TIE: 0.5, Answer.RIGHT: 0.0}


@dataclass(frozen=True)
class Judgement:
    """What one expert did with one pair, shown as `left` and `right` (ids of recordings); `at` is ISO 8601 in UTC.
    `heard` are the shares (0-1) of the left and the right recording that were played, `took_s` is how long the pair was
    open. `purpose` is empty or a repeat."""

    evaluator: str
    left: str
    right: str
    answer: Answer
    at: str
    reason: str = ""
    purpose: Purpose = Purpose.WORK
    took_s: Seconds | None = None
    heard: tuple[float, float] | None = None

    @cached_property
    def pair(self) -> frozenset[str]:
        return frozenset((self.left, self.right))

    @property
    def better(self) -> str | None:
        """The id of the recording that was preferred; None for a tie or a skip."""
        return {Answer.LEFT: self.left, Answer.RIGHT: self.right}.get(self.answer)


class Judgements:
    """Of one project. Every method is safe from several processes. What writes is called by `PairQueue`, which has
    asked who may."""

    def __init__(self, settings: Settings, project: str) -> None:
        self._settings = settings
        self._file = folder_of(settings, project) / JUDGEMENTS

    def add(self, make: Callable[[list[Judgement]], Judgement]) -> Judgement:
        """Append what `make` says of those that stand, while nobody else adds any; when this returns, it is on disk.
        Raises ProjectError where the file cannot be written, and for shares heard that are no numbers, which no reader
        would take."""
        with locked(self._settings, self._file, ProjectError):
            judgement = make(self.standing())
            if judgement.heard is not None and not all(map(math.isfinite, judgement.heard)):
                raise ProjectError(N_("The shares heard must be numbers, got {value}."), value=str(judgement.heard))
            try:
                jsonl.append(self._file, judgement, durable=True)
            except OSError as error:
                raise ProjectError(
                    not_written(N_("{path} cannot be written ({reason}); the answer was not saved."), self._file, error)
                ) from error
        return judgement

    def standing(self) -> list[Judgement]:
        """Answers and skips that their expert has not taken back, oldest first."""
        with _lock:
            if self._file not in _read:
                _read[self._file] = _Ledger(self._file)
            return _read[self._file].standing()


class _Ledger:
    """What was read of a file so far; only what was added since is read again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._inode, self._offset, self._n = -1, 0, 0
        self._kept: dict[int, Judgement] = {}
        self._of: defaultdict[str, list[int]] = defaultdict(list)

    def standing(self) -> list[Judgement]:
        try:
            state = self._file.stat()
        except FileNotFoundError:
            return []
        if state.st_ino != self._inode or state.st_size < self._offset:  # another file under the same name
            self._inode, self._offset = state.st_ino, 0
            self._kept.clear()
            self._of.clear()
        rows, self._offset = jsonl.read_from(self._file, self._offset)
        for judgement in filter(None, map(_judgement, rows)):
            mine = self._of[name_key(judgement.evaluator)]
            if judgement.answer is not Answer.UNDO:
                self._n += 1
                self._kept[self._n] = judgement
                mine.append(self._n)
            elif mine:
                del self._kept[mine.pop()]
        return list(self._kept.values())


_lock = threading.Lock()
_read: dict[Path, _Ledger] = {}


def _judgement(row: Any) -> Judgement | None:
    """None for a line that is no judgement: a damaged line loses itself alone."""
    try:
        heard = row.get("heard")
        return Judgement(
            evaluator=str(row["evaluator"]),
            left=str(row["left"]),
            right=str(row["right"]),
            answer=Answer(row["answer"]),
            at=str(row["at"]),
            reason=str(row.get("reason") or ""),
            purpose=Purpose(row.get("purpose") or ""),
            took_s=None if row.get("took_s") is None else float(row["took_s"]),
            heard=None if heard is None else (float(heard[0]), float(heard[1])),
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
