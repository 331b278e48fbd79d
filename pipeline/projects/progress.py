"""How many ratings each recording of a project needs, and its progress: one rule, for the queue and the pages."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.labels.history import LATER
from pipeline.labels.index import Index
from pipeline.labels.leases import Leases
from pipeline.projects.project import Project
from pipeline.settings import Settings

# A recording needs `overlap` ratings and those that reviewers requested; where ratings differ by over `max_spread`,
# one more than there are, up to `overlap + extra`. One that was reassigned needs a rating of each that it was given to.
# The values are those of `_rule`, then those of the condition.
_STATES = """
    SELECT id, review, n, assigned, CASE WHEN assigned <> '[]' THEN n - n_assigned + json_array_length(assigned)
        ELSE max(? + requested, CASE WHEN n >= ? AND spread > ? THEN min(n + 1, ?) ELSE 0 END) END AS needed
    FROM (
        SELECT r.id, r.review, r.requested, r.assigned, count(t.recording_id) AS n,
            max(t.score) - min(t.score) AS spread,
            coalesce(
                sum(
                    CASE WHEN r.assigned = '[]' THEN 0 ELSE t.evaluator IN (SELECT value FROM json_each(r.assigned)) END
                ), 0
            ) AS n_assigned
        FROM recordings r
        LEFT JOIN ratings t ON t.recording_id = r.id AND t.action = 'rate' AND t.source = 'human'
        WHERE {condition} GROUP BY r.id
    )
"""
# By CASE, as OR and AND of values work out both sides.
_FOR_ME = "CASE WHEN assigned = '[]' THEN 1 ELSE ? IN (SELECT value FROM json_each(assigned)) END"
_OF_PROJECT = """
    r.set_name = ? AND (? = '' OR r.part = ?) AND r.review = '' AND r.id NOT IN (SELECT value FROM json_each(?))
"""
_PUT_OFF = "(action = 'skip' AND reason = ?)"


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
    """Of these recordings: id, review, n (ratings there are), needed, mine (whether `evaluator` has dealt with it),
    put_off (whether they left it for later), and for_me (whether they may be given it)."""
    inner = _STATES.format(condition="r.id IN (SELECT value FROM json_each(?))")
    sql = f"""
        SELECT *,
            EXISTS (SELECT 1 FROM ratings WHERE recording_id = s.id AND evaluator = ? AND NOT {_PUT_OFF}) AS mine,
            EXISTS (SELECT 1 FROM ratings WHERE recording_id = s.id AND evaluator = ? AND {_PUT_OFF}) AS put_off,
            {_FOR_ME} AS for_me
        FROM ({inner}) s
    """  # noqa: S608
    return index.rows(sql, [evaluator, LATER, evaluator, LATER, evaluator, *_rule(project), json.dumps(list(ids))])


def outlook(index: Index, project: Project, evaluator: str) -> tuple[int, int]:
    """How many recordings are left to rate for `evaluator`, and how many ratings the others gave; both of the
    project's recordings but those with known answers."""
    inner = _STATES.format(condition=_OF_PROJECT)
    sql = f"""
        SELECT coalesce(sum(n < needed AND NOT mine AND for_me), 0) AS n_open,
            coalesce(sum(n - rated), 0) AS by_others
        FROM (
            SELECT *,
                EXISTS (SELECT 1 FROM ratings WHERE recording_id = s.id AND evaluator = ? AND NOT {_PUT_OFF}) AS mine,
                EXISTS (
                    SELECT 1 FROM ratings WHERE recording_id = s.id AND evaluator = ? AND action = 'rate'
                    AND source = 'human'
                ) AS rated,
                {_FOR_ME} AS for_me
            FROM ({inner}) s
        )
    """  # noqa: S608
    (row,) = index.rows(sql, [evaluator, LATER, evaluator, evaluator, *_rule(project), *_of_project(project)])
    return row["n_open"], row["by_others"]


def open_rows(index: Index, project: Project, evaluator: str) -> list[dict[str, Any]]:
    """id, n, needed, begun (whether anybody has dealt with it) and reassigned (by a reviewer) of the recordings that
    `evaluator` could still rate, but those with known answers."""
    inner = _STATES.format(condition=_OF_PROJECT)
    sql = f"""
        SELECT id, n, needed, EXISTS (SELECT 1 FROM ratings WHERE recording_id = s.id) AS begun,
            assigned <> '[]' AS reassigned
        FROM ({inner}) s WHERE n < needed AND NOT EXISTS (
            SELECT 1 FROM ratings WHERE recording_id = s.id AND evaluator = ? AND NOT {_PUT_OFF}
        ) AND {_FOR_ME}
    """  # noqa: S608
    return index.rows(sql, [*_rule(project), *_of_project(project), evaluator, LATER, evaluator])


def dealt_with(index: Index, ids: Sequence[str]) -> dict[str, list[str]]:
    """Who has rated, skipped or flagged these recordings, by id."""
    sql = "SELECT recording_id, evaluator FROM ratings WHERE recording_id IN (SELECT value FROM json_each(?))"
    people: dict[str, list[str]] = {}
    for row in index.rows(sql, [json.dumps(list(ids))]):
        people.setdefault(row["recording_id"], []).append(row["evaluator"])
    return people


def progress_of(settings: Settings, project: Project) -> ProjectProgress:
    """Over all recordings of the project but those with known answers and those that were decided or excluded."""
    inner = _STATES.format(condition=_OF_PROJECT)
    sql = f"""
        SELECT count(*) AS items, coalesce(sum(n >= needed), 0) AS finished, coalesce(sum(needed), 0) AS needed,
            coalesce(sum(min(n, needed)), 0) AS done
        FROM ({inner})
    """  # noqa: S608
    (row,) = Index(settings).rows(sql, [*_rule(project), *_of_project(project)])
    return ProjectProgress(**row, at_work=len(Leases(settings).held(project.name)))


def _of_project(project: Project) -> list[str]:
    return [project.set, project.part, project.part, json.dumps(list(project.gold))]


def _rule(project: Project) -> list[float | None]:
    return [project.overlap, project.overlap, project.max_spread, project.overlap + project.extra]
