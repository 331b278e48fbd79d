"""The word scorer as a table: recordings of a set, the 57 acoustic features, the consensus of people's scores."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.corpus.sets import audio_path, get_set, read_recordings
from pipeline.errors import TrainingError
from pipeline.features.catalogue import load_extractor
from pipeline.features.table import build_table
from pipeline.i18n import N_
from pipeline.labels.index import Index
from pipeline.parallel import Progress
from pipeline.records import Target
from pipeline.scoring.base import score_file
from pipeline.scoring.selection import load_scorer
from pipeline.settings import Settings
from pipeline.tabular.task import TASKS, Row

EXTRACTOR = "acoustic57"


class Words:
    name = "words"
    title = N_("Recordings of words")
    unit = "s"
    smallest = 0.15

    def rows(self, settings: Settings, source: str) -> list[Row]:
        if not source:
            raise TrainingError("Say which set of recordings to learn from (--source SET).")
        index = Index(settings)
        index.refresh_set(source)
        frame = index.consensus_scores(source)
        labels = dict(zip(frame["recording_id"], frame["score"].astype(float), strict=True))
        set_ = get_set(settings, source)
        found = []
        for one in read_recordings(settings, source):
            path = audio_path(set_, one)
            size = one.report.duration_s if one.report else 0.0
            found.append(Row(one.id, one.speaker, _content(path), size, labels.get(one.id)))
        return found

    def feature_names(self, settings: Settings) -> tuple[str, ...]:
        return tuple(load_extractor(settings, EXTRACTOR).feature_names)

    def features(
        self, settings: Settings, source: str, rows: Sequence[Row], progress: Progress | None = None
    ) -> NDArray[np.float32]:
        recordings = {one.id: one for one in read_recordings(settings, source)}
        table = build_table(settings, [recordings[row.id] for row in rows], EXTRACTOR, progress=progress)
        if table.problems:
            raise TrainingError(f"{len(table.problems)} recordings cannot be read: {table.problems[0].message}")
        return table.values

    def baseline(self, settings: Settings, source: str, rows: Sequence[Row]) -> tuple[str, NDArray[np.float64]]:
        """The heuristic rule; what it cannot score gets 0."""
        set_ = get_set(settings, source)
        scorer = load_scorer(settings, "heuristic", set_.rubric)
        recordings = {one.id: one for one in read_recordings(settings, source)}
        scores = []
        for row in rows:
            one = recordings[row.id]
            found = score_file(scorer, audio_path(set_, one), Target(one.text, set_.language, set_.rubric))
            scores.append(found.overall or 0.0)
        return "heuristic rule", np.array(scores)


def _content(path: Path) -> str:
    return artifacts.sha256_of(path) if path.is_file() else str(path)


TASKS.register("words")(Words())
