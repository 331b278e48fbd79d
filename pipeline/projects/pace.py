"""How fast the experts of a project rate, and how long the rest will take at that pace."""

from dataclasses import dataclass

import numpy as np

from pipeline.labels.index import Index
from pipeline.people.names import name_key
from pipeline.projects.assignment import Assignment
from pipeline.projects.progress import ProjectProgress, open_rows
from pipeline.projects.project import Project
from pipeline.records import Seconds
from pipeline.settings import Settings

MIN_FOR_PACE = 5  # ratings, below which a median says nothing
MOST_MEASURED = 2000  # latest ratings of a project


@dataclass(frozen=True)
class ExpertPace:
    """One expert in a project. `left` is how many ratings are still theirs: of an assignment or a quota; None where the
    rest is everybody's. `median_s` is the time from opening a recording to saving, None below MIN_FOR_PACE ratings."""

    name: str
    rated: int
    left: int | None
    quota: int | None
    median_s: Seconds | None

    @property
    def seconds_left(self) -> Seconds | None:
        return None if self.left is None or self.median_s is None else self.left * self.median_s


@dataclass(frozen=True)
class ProjectPace:
    """Over all experts: `seconds_left` is the work that is left for all of them together. Both are None below
    MIN_FOR_PACE ratings."""

    median_s: Seconds | None
    seconds_left: Seconds | None


def pace_of(settings: Settings, project: Project, progress: ProjectProgress) -> ProjectPace:
    median_s = _median([value for listed in _times(settings, project).values() for value in listed])
    rest = max(0, progress.needed - progress.done)
    return ProjectPace(median_s, None if median_s is None else rest * median_s)


def expert_paces(settings: Settings, project: Project) -> tuple[ExpertPace, ...]:
    """Of everybody who rated in the project or was asked to, by name."""
    index, times = Index(settings), _times(settings, project)
    counted = """
        SELECT evaluator, count(DISTINCT recording_id) AS n FROM events
        WHERE project = ? AND purpose = '' AND stands AND action = 'rate' GROUP BY evaluator
    """
    rated = {row["evaluator"]: row["n"] for row in index.rows(counted, [project.name])}
    names: dict[str, str] = {}
    for name in (*rated, *project.experts, *project.shares, *project.quotas, *project.assigned):
        names.setdefault(name_key(name), name)
    return tuple(
        ExpertPace(
            name, rated.get(name, 0), _left(index, project, name, rated.get(name, 0)), project.quota_of(name),
            _median(times.get(name, [])),
        )
        for name in sorted(names.values(), key=name_key)
    )  # fmt: skip


def _times(settings: Settings, project: Project) -> dict[str, list[Seconds]]:
    """By expert: how long their latest ratings took."""
    sql = """
        SELECT evaluator, json_extract(body, '$.took_s') AS took_s FROM events
        WHERE project = ? AND stands AND action = 'rate' ORDER BY at DESC LIMIT ?
    """
    times: dict[str, list[Seconds]] = {}
    for row in Index(settings).rows(sql, [project.name, MOST_MEASURED]):
        if row["took_s"] is not None:
            times.setdefault(row["evaluator"], []).append(float(row["took_s"]))
    return times


def _left(index: Index, project: Project, name: str, rated: int) -> int | None:
    assignment = Assignment(project)
    quota = project.quota_of(name)
    of_quota = None if quota is None else max(0, quota - rated)
    if assignment.is_empty:
        return of_quota
    key = name_key(name)
    theirs = sum(key in assignment.people_of(row["id"]) for row in open_rows(index, project, name))
    return theirs if of_quota is None else min(theirs, of_quota)


def _median(times: list[float]) -> Seconds | None:
    return float(np.median(times)) if len(times) >= MIN_FOR_PACE else None
