"""Written prompts scored 0-100 for quality, as a table: length, structure, readability, parts of speech."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.i18n import N_, Message
from pipeline.parallel import Progress
from pipeline.settings import Settings
from pipeline.tabular.prompts.features import feature_names, text_features, unmeasured
from pipeline.tabular.prompts.level0 import level0
from pipeline.tabular.prompts.store import Store, read_file
from pipeline.tabular.task import TASKS, Row


class Prompts:
    name = "prompts"
    title = N_("Written prompts")
    unit = "words"
    smallest = 3.0

    def rows(self, settings: Settings, source: str) -> list[Row]:
        prompts = read_file(Path(source)) if source else Store(settings).all()
        return [
            Row(prompt.id, prompt.author, prompt.text, float(len(prompt.text.split())), prompt.score)
            for prompt in prompts
        ]

    def feature_names(self, settings: Settings) -> tuple[str, ...]:
        return feature_names()

    def unmeasured(self) -> str:
        return unmeasured()

    def features(
        self, settings: Settings, source: str, rows: Sequence[Row], progress: Progress | None = None
    ) -> NDArray[np.float32]:
        values = []
        for number, row in enumerate(rows, start=1):
            values.append(text_features(row.content))
            if progress is not None and (number % 50 == 0 or number == len(rows)):
                progress(number, len(rows), Message(N_("features")))
        return np.stack(values)

    def baseline(self, settings: Settings, source: str, rows: Sequence[Row]) -> tuple[str, NDArray[np.float64]]:
        return "level 0 (rules)", np.array([level0(row.content).score for row in rows])


TASKS.register("prompts")(Prompts())
