"""What a task is: where its items come from, what is measured on each, and what is to be predicted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.i18n import N_
from pipeline.parallel import Progress
from pipeline.registry import Registry
from pipeline.settings import Settings


@dataclass(frozen=True)
class Row:
    """One item. `group` is who made it: folds keep groups together. `content` is what two items must not share (a text,
    or the digest of a recording), `size` its length in the task's unit, `label` None where nobody gave one."""

    id: str
    group: str
    content: str
    size: float
    label: float | None


class Task(Protocol):
    """`smallest` is the least size of a usable item, in `unit`; labels lie in 0-100."""

    name: str
    title: str
    unit: str
    smallest: float

    def rows(self, settings: Settings, source: str) -> list[Row]:
        """Every item of a source (a set, a file; "" for the installation's own). Raises TrainingError."""
        ...

    def feature_names(self, settings: Settings) -> tuple[str, ...]: ...

    def unmeasured(self) -> str:
        """Which features cannot be measured here and why, for people; "" where all can."""
        ...

    def features(
        self, settings: Settings, source: str, rows: Sequence[Row], progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """[n, d], one row each, finite."""
        ...

    def baseline(self, settings: Settings, source: str, rows: Sequence[Row]) -> tuple[str, NDArray[np.float64]] | None:
        """The name and the scores [n] of the rule that a model must beat, None where there is none."""
        ...


TASKS: Registry[Task] = Registry(N_("task"))
