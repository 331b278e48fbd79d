"""Lines of `metrics.jsonl`, all at once or as they come.

A run of days logs a hundred thousand steps; a page that shows it each second must read only what is new.
"""

from __future__ import annotations

import math
import threading
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from pipeline import jsonl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STEP = "step"
LARGEST = 1e300
Row = dict[str, Any]


def read_lines(path: Path, offset: int = 0) -> tuple[list[Row], int]:
    """The complete lines from byte `offset`, and the offset after them; a half-written last line is left out, and so
    are lines that a full disk cut short."""
    rows, end = jsonl.read_from(path, offset)
    return [row for row in rows if isinstance(row, dict)], end


def is_number(value: Any) -> TypeGuard[float]:
    """Whether what a line holds is a number that can be drawn, whoever wrote it."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


class MetricsReader:
    """Follows one growing file: `refresh` reads what was added, steps are kept as columns, other events as rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._offset = 0
        self._n_steps = 0
        self._columns: dict[str, array[float]] = {}
        self._rows: list[Row] = []

    def refresh(self) -> MetricsReader:
        """Safe to call from several threads; a file that was replaced by a shorter one is read anew."""
        with self._lock:
            size = self._path.stat().st_size if self._path.is_file() else 0
            if size < self._offset:
                self._offset = self._n_steps = 0
                self._columns, self._rows = {}, []
            if size > self._offset:
                rows, self._offset = read_lines(self._path, self._offset)
                for row in rows:
                    self._add(row)
        return self

    def rows(self, event: str) -> list[Row]:
        """Those of `event` other than steps, in order."""
        with self._lock:
            return [row for row in self._rows if row.get("event") == event]

    def steps(self, column: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The steps that have `column`, and its values."""
        import numpy as np  # every page and command knows of runs; few draw their curves

        with self._lock:
            values = np.array(self._columns.get(column, ()), dtype=np.float64)
            numbers = np.array(self._columns.get(STEP, ())[: len(values)], dtype=np.float64)
        there = np.isfinite(values)
        return numbers[there], values[there]

    def columns(self) -> list[str]:
        with self._lock:
            return [name for name in self._columns if name != STEP]

    def _add(self, row: Row) -> None:
        if row.get("event") != STEP:
            self._rows.append(row)
            return
        for name, value in row.items():
            if is_number(value):
                column = self._columns.setdefault(name, array("d"))
                column.extend([math.nan] * (self._n_steps - len(column)))
                column.append(float(value))
        self._n_steps += 1
