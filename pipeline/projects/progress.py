"""How many ratings each recording of a project needs, and its progress: one rule, for the queue and the pages."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.labels.index import Index
from pipeline.projects.leases import Leases
from pipeline.projects.project import Project
from pipeline.settings import Settings

# A recording needs `overlap` ratings and those that reviewers requested; where ratings differ by over `max_spread`,
# one more than there are, up to `overlap + extra`. The values are those of `_rule`, then those of the condition.
_STATES = """
    SELECT id, review, n, max(
        ? + requested, CASE WHEN n >= ? AND spread > ? THEN min(n + 1, ?) ELSE 0 END
    ) AS needed
    FROM (
        SELECT r.id, r.review, r.requested, count(t.recording_id) AS n, max(t.score) - min(t.score) AS spread
        FROM recordings r
        LEFT JOIN ratings t ON t.recording_id = r.id AND t.action = 'rate' AND t.source = 'human'
        WHERE {condition} GROUP BY r.id
    )
"""


@dataclass(frozen=True)
class ProjectProgress:
    """`done` of `needed` ratings are there, on `finished` of `items` recordings; `at_work` experts have one open."""

    items: int
    finished: int
    needed: int
    done: int
    at_work: int

    @property
    def share(self) -> float:
        return self.done / self.needed if self.needed else 1.0


def states(index: Index, project: Project, ids: Sequence[str], evaluator: str) -> list[dict[str, Any]]:
    """Of these recordings: id, review, n (ratings there are), needed, and mine (whether `evaluator` has one)."""
    inner = _STATES.format(condition="r.id IN (SELECT value FROM json_each(?))")
    sql = f"""
        SELECT *, EXISTS (SELECT 1 FROM ratings WHERE recording_id = s.id AND evaluator = ?) AS mine FROM ({inner}) s
    """  # noqa: S608
    return index.rows(sql, [evaluator, *_rule(project), json.dumps(list(ids))])


def progress_of(settings: Settings, project: Project) -> ProjectProgress:
    """Over all recordings of the project but those with known answers and those that were decided or excluded."""
    inner = _STATES.format(
        condition="""
            r.set_name = ? AND (? = '' OR r.part = ?) AND r.review = ''
            AND r.id NOT IN (SELECT value FROM json_each(?))
        """
    )
    sql = f"""
        SELECT count(*) AS items, coalesce(sum(n >= needed), 0) AS finished, coalesce(sum(needed), 0) AS needed,
            coalesce(sum(min(n, needed)), 0) AS done
        FROM ({inner})
    """  # noqa: S608
    values = [project.set, project.part, project.part, json.dumps(list(project.gold))]
    (row,) = Index(settings).rows(sql, [*_rule(project), *values])
    return ProjectProgress(**row, at_work=len(Leases(settings).held(project.name)))


def _rule(project: Project) -> list[float | None]:
    return [project.overlap, project.overlap, project.max_spread, project.overlap + project.extra]
