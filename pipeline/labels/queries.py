"""Questions to the index that pages, training and evaluation ask: coverage, progress, labels as tables."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline import artifacts
from pipeline.corpus.sets import recording_from_json
from pipeline.labels.result_file import event_from_json
from pipeline.records import Problem, RatingEvent, RatingSource, Recording, problem_from

if TYPE_CHECKING:
    import pandas


Values = Sequence[Any] | Mapping[str, Any]  # of a query, in order or by name


@dataclass(frozen=True)
class LabelProgress:
    """How far one evaluator has come in one set."""

    total: int
    rated: int
    skipped: int
    flagged: int

    @property
    def left(self) -> int:
        return self.total - self.rated - self.skipped - self.flagged


@dataclass(frozen=True)
class SetOverview:
    """`n_labelled` counts recordings with at least one rating, whoever gave it (None where it is not told); `hours` is
    of audio."""

    name: str
    title: str
    synthetic: bool
    n_recordings: int
    n_speakers: int
    n_labelled: int | None
    hours: float
    n_problems: int
    ratings_by_evaluator: dict[str, int]

    def for_rater(self) -> "SetOverview":
        """As raters see it: their own save of a known answer or a repeat often adds no labelled recording, so that the
        figure would tell what it was."""
        return replace(self, n_labelled=None, ratings_by_evaluator={})


class IndexQueries(ABC):
    """The asking half of `Index`; it needs only a way to run a query."""

    @abstractmethod
    def rows(self, sql: str, values: Values = ()) -> list[dict[str, Any]]: ...

    @abstractmethod
    def frame(self, sql: str, values: Sequence[Any] = ()) -> "pandas.DataFrame": ...

    def progress(self, set: str, evaluator: str) -> LabelProgress:
        sql = "SELECT action, count(*) AS n FROM ratings WHERE evaluator = ? AND set_name = ? GROUP BY action"
        counts = {row["action"]: row["n"] for row in self.rows(sql, [evaluator, set])}
        total = self.rows("SELECT count(*) AS n FROM recordings WHERE set_name = ?", [set])[0]["n"]
        return LabelProgress(total, *(counts.get(str(action), 0) for action in ("rate", "skip", "flag")))

    def label_counts(self, set: str) -> dict[str, int]:
        """Current ratings by evaluator."""
        sql = "SELECT evaluator, count(*) AS n FROM ratings WHERE set_name = ? AND action = 'rate' GROUP BY 1"
        return {row["evaluator"]: row["n"] for row in self.rows(sql, [set])}

    def recent(self, set: str, evaluator: str, limit: int) -> list[tuple[Recording, RatingEvent]]:
        """The evaluator's own last rating, skip or flag of each recording, newest first, repeats included."""
        sql = """
            SELECT e.body AS event, r.body AS body FROM events e JOIN recordings r ON r.id = e.recording_id
            WHERE e.evaluator = ? AND e.set_name = ? AND e.stands AND e.action IN ('rate', 'skip', 'flag')
            AND NOT EXISTS (
                SELECT 1 FROM events l WHERE l.recording_id = e.recording_id AND l.evaluator = e.evaluator
                AND l.number > e.number AND l.stands AND l.action IN ('rate', 'skip', 'flag')
            )
            ORDER BY e.at DESC, e.recording_id LIMIT ?
        """
        return [
            (recording_from_json(artifacts.loads(row["body"])), event_from_json(artifacts.loads(row["event"])))
            for row in self.rows(sql, [evaluator, set, limit])
        ]

    def n_recent(self, set: str, evaluator: str) -> int:
        """How many recordings `recent` can list."""
        sql = """
            SELECT count(DISTINCT recording_id) AS n FROM events
            WHERE evaluator = ? AND set_name = ? AND stands AND action IN ('rate', 'skip', 'flag')
        """
        return int(self.rows(sql, [evaluator, set])[0]["n"])

    def last_of(self, recording_id: str, evaluator: str) -> RatingEvent | None:
        """The evaluator's last rating, skip or flag of a recording that stands, repeats included."""
        sql = """
            SELECT body FROM events WHERE recording_id = ? AND evaluator = ? AND stands
            AND action IN ('rate', 'skip', 'flag') ORDER BY number DESC LIMIT 1
        """
        rows = self.rows(sql, [recording_id, evaluator])
        return event_from_json(artifacts.loads(rows[0]["body"])) if rows else None

    def has_standing_events(self, set: str) -> bool:
        """Whether a rating, skip, flag or decision stands in the set: what was undone does not count."""
        return bool(self.rows("SELECT 1 FROM events WHERE set_name = ? AND stands LIMIT 1", [set]))

    def overview(self) -> list[SetOverview]:
        """One entry a set, by name."""
        sql = """
            SELECT name, title, synthetic, count(id) AS n_recordings, count(DISTINCT speaker) AS n_speakers,
                count(score) AS n_labelled, coalesce(sum(duration_s), 0) / 3600.0 AS hours
            FROM sets LEFT JOIN recordings ON set_name = name GROUP BY name ORDER BY name
        """
        counted = (
            "SELECT set_name, evaluator, count(*) AS n FROM ratings WHERE action = 'rate' GROUP BY 1, 2 ORDER BY 1, 2"
        )
        by_evaluator: dict[str, dict[str, int]] = {}
        for row in self.rows(counted):
            by_evaluator.setdefault(row["set_name"], {})[row["evaluator"]] = row["n"]
        problems = {
            row["set_name"]: row["n"]
            for row in self.rows("SELECT set_name, count(*) AS n FROM problems GROUP BY set_name")
        }
        return [
            SetOverview(
                **{**row, "synthetic": bool(row["synthetic"])},
                n_problems=problems.get(row["name"], 0),
                ratings_by_evaluator=by_evaluator.get(row["name"], {}),
            )
            for row in self.rows(sql)
        ]

    def labels(self, set: str | None = None) -> "pandas.DataFrame":
        """One row a recording and evaluator: their current rating, skip or flag. `dimensions` is JSON, `rubric` the
        version that a rating names."""
        return self.frame(
            """
            SELECT recording_id, r.set_name AS "set", speaker, text, part, evaluator, r.source, action, r.score,
                dimensions, r.rubric, at, notes, reason, marks
            FROM ratings r JOIN recordings ON id = recording_id WHERE ? IS NULL OR r.set_name = ?
            ORDER BY recording_id, evaluator
            """,
            [set, set],
        )

    def consensus_scores(self, set: str) -> "pandas.DataFrame":
        """One row a labelled recording: recording_id, speaker, text, part, score (0-100), n_raters, source and
        evaluators (JSON)."""
        return self.frame(
            """
            SELECT id AS recording_id, speaker, text, part, score, n_raters, source, evaluators
            FROM recordings WHERE set_name = ? AND score IS NOT NULL ORDER BY id
            """,
            [set],
        )

    def problems(self, set: str | None = None) -> list[Problem]:
        """What is wrong with recordings and label files; `path` is relative to the set's root."""
        return [problem for _name, problem in self.problems_by_set(set)]

    def problems_by_set(self, set: str | None = None) -> list[tuple[str, Problem]]:
        """As `problems`, each with the name of its set."""
        sql = """
            SELECT set_name, body FROM problems WHERE ? IS NULL OR set_name = ? ORDER BY severity, set_name, path
        """
        return [(row["set_name"], problem_from(artifacts.loads(row["body"]))) for row in self.rows(sql, [set, set])]

    def texts(self, set: str) -> list[str]:
        """The different words or sentences of the set."""
        sql = "SELECT DISTINCT text FROM recordings WHERE set_name = ? ORDER BY text"
        return [row["text"] for row in self.rows(sql, [set])]

    def parts(self, set: str) -> list[str]:
        """The corpus's own partitions of the set, where it has any."""
        sql = "SELECT DISTINCT part FROM recordings WHERE set_name = ? AND part != '' ORDER BY part"
        return [row["part"] for row in self.rows(sql, [set])]

    def evaluators(self, sources: Sequence[RatingSource] = (RatingSource.HUMAN,)) -> list[str]:
        """Everybody who has rated, by name; by default people, not a corpus's experts or a synthesiser."""
        listed = json.dumps([str(source) for source in sources])
        sql = (
            "SELECT DISTINCT evaluator FROM ratings WHERE source IN (SELECT value FROM json_each(?)) ORDER BY evaluator"
        )
        return [row["evaluator"] for row in self.rows(sql, [listed])]
