"""One expert's queue in one project: what comes next, saving it, and how far everybody is."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

from pipeline import artifacts
from pipeline.corpus.sets import get_set
from pipeline.errors import AccessError, LabelError, UnknownNameError
from pipeline.labels.index import Index
from pipeline.labels.result_file import ResultFile, event_from_json
from pipeline.labels.store import LabelStore
from pipeline.people.access import Action, Identity
from pipeline.people.names import same_person
from pipeline.projects.leases import Lease, Leases
from pipeline.projects.order import order_of
from pipeline.projects.project import Project
from pipeline.records import Purpose, RatingAction, RatingEvent, Recording
from pipeline.rubrics import RUBRICS
from pipeline.settings import Settings

CHUNK = 64
SOME = 8
REPEAT_AFTER = 10  # so many others lie between a rating and its repeat
STATE_SQL = """
    SELECT r.id, r.review, r.requested,
        (SELECT count(*) FROM ratings WHERE recording_id = r.id AND action = 'rate' AND source = 'human') AS n,
        (SELECT max(score) - min(score) FROM ratings
            WHERE recording_id = r.id AND action = 'rate' AND source = 'human') AS spread,
        EXISTS (SELECT 1 FROM ratings WHERE recording_id = r.id AND evaluator = ?) AS mine
    FROM recordings r WHERE r.id IN (SELECT value FROM json_each(?))
"""
# The same rule as `Queue._needed`, over all recordings at once.
PROGRESS_SQL = """
    SELECT count(*) AS items, sum(n >= needed) AS finished, sum(needed) AS needed, sum(min(n, needed)) AS done FROM (
        SELECT coalesce(c.n, 0) AS n, max(
            ? + r.requested,
            CASE WHEN coalesce(c.n, 0) >= ? AND c.spread > ? THEN min(c.n + 1, ?) ELSE 0 END
        ) AS needed
        FROM recordings r LEFT JOIN (
            SELECT recording_id, count(*) AS n, max(score) - min(score) AS spread FROM ratings
            WHERE set_name = ? AND action = 'rate' AND source = 'human' GROUP BY recording_id
        ) c ON c.recording_id = r.id
        WHERE r.set_name = ? AND (? = '' OR r.part = ?) AND r.review = ''
        AND r.id NOT IN (SELECT value FROM json_each(?))
    )
"""


@dataclass(frozen=True)
class Task:
    """A recording to rate, reserved under `lease`. Whether it is work, gold or a repeat, the expert does not see."""

    recording: Recording
    purpose: Purpose
    lease: Lease


@dataclass(frozen=True)
class Nothing:
    """Why nothing comes: `done` (all that is this expert's), `wait` (others have the last ones, the first of them for
    at most `seconds` more), or `over` (the project is closed or past its deadline)."""

    reason: str
    seconds: float | None = None


@dataclass(frozen=True)
class ProjectProgress:
    """`done` of `needed` ratings are there, on `finished` of `items` recordings; `mine` were given by this expert."""

    items: int
    finished: int
    needed: int
    done: int
    mine: int
    at_work: int


class Queue:
    """Every method is safe from several processes. Raises AccessError for somebody who is no expert of the project."""

    def __init__(
        self, settings: Settings, project: Project, identity: Identity, now: Callable[[], float] = time.time
    ) -> None:
        identity.require(Action.RATE)
        if not project.includes(identity.name):
            raise AccessError(f"{identity.name} is not among the experts of {project.title or project.name}.")
        self._settings, self._project, self._me, self._now = settings, project, identity.name, now
        self._identity = identity
        self._index = Index(settings)
        self._store = LabelStore(settings)
        self._leases = Leases(settings, now)

    def next(self) -> Task | Nothing:
        """What is on the desk already (after a reload), else the next; reserved for this expert from now on."""
        if self._project.is_over:
            return Nothing("over")
        self._index.ensure()  # a save that was cut short must count, else it would be asked for again
        held = self._leases.of(self._project.name, self._me)
        if held is not None and self._is_open(held.recording_id, Purpose(held.purpose)):
            self._leases.renew(held)
            return self._task(held)
        candidates = self._candidates()
        # A few at a time: what is looked up before the claim does not hold up the others' claims.
        while some := list(islice(candidates, SOME)):
            lease = self._leases.claim(self._project.name, self._me, some, self._is_open)
            if lease is not None:
                return self._task(lease)
        others = [held for held in self._leases.held(self._project.name) if held.evaluator != self._me]
        waiting = [held for held in others if held.purpose == "" and self._is_open(held.recording_id, Purpose.WORK)]
        return Nothing("wait", max(0.0, waiting[0].expires_at - self._now())) if waiting else Nothing("done")

    def renew(self, task: Task) -> bool:
        """Whether it is still reserved."""
        return self._leases.renew(task.lease)

    def leave(self) -> None:
        """Give back what is on the desk."""
        held = self._leases.of(self._project.name, self._me)
        if held is not None:
            self._leases.release(held)

    def save(self, task: Task, event: RatingEvent) -> ResultFile:
        """Keep a rating, skip or flag of this expert; when this returns, it is on disk. A rating counts even if its
        reservation has ended meanwhile: work is never thrown away.

        Raises AccessError for somebody else's name, LabelError for what cannot be saved.
        """
        if not same_person(event.evaluator, self._me):
            raise AccessError(f"{self._me} cannot rate in the name of {event.evaluator}.")
        if event.action not in (RatingAction.RATE, RatingAction.SKIP, RatingAction.FLAG):
            raise AccessError(f"An expert rates, skips or flags; {event.action} is a reviewer's.")
        try:
            recording = self._index.recording(task.recording.id)
        except UnknownNameError as error:
            self._leases.release(task.lease)
            raise LabelError(
                f"{task.recording.text!r} was taken out of the set meanwhile; there is nothing to rate any more. The "
                "next one comes now."
            ) from error
        took_s = round(max(0.0, self._now() - task.lease.taken_at), 1)
        saved = self._store.add(
            recording,
            replace(event, project=self._project.name, purpose=task.purpose, took_s=took_s),
            self._identity,
        )
        self._leases.release(task.lease)
        return saved

    def progress(self) -> ProjectProgress:
        project = self._project
        values = [
            project.overlap, project.overlap, project.max_spread, project.overlap + project.extra, project.set,
            project.set, project.part, project.part, json.dumps(list(project.gold)),
        ]  # fmt: skip
        (row,) = self._index.rows(PROGRESS_SQL, values)
        return ProjectProgress(
            items=row["items"],
            finished=row["finished"] or 0,
            needed=row["needed"] or 0,
            done=row["done"] or 0,
            mine=sum(self._counts().values()),
            at_work=len(self._leases.held(project.name)),
        )

    def _task(self, lease: Lease) -> Task:
        return Task(self._index.recording(lease.recording_id), Purpose(lease.purpose), lease)

    def _candidates(self) -> Iterator[tuple[str, Purpose]]:
        project = self._project
        special = project.calibration or project.gold_every or project.repeat_every
        counts = self._counts() if special else {}
        order = _order(self._settings, self._index, project, self._me)
        if counts.get(Purpose.CALIBRATION, 0) < project.calibration:
            known = self._seen(Purpose.CALIBRATION)
            yield from ((key, Purpose.CALIBRATION) for key in order if key in project.gold and key not in known)
        turn = 1 + sum(n for purpose, n in counts.items() if purpose is not Purpose.CALIBRATION)
        if project.gold_every and turn % project.gold_every == 0:
            known = self._seen(Purpose.GOLD)
            yield from ((key, Purpose.GOLD) for key in order if key in project.gold and key not in known)
        if project.repeat_every and turn % project.repeat_every == 0:
            known = self._seen(Purpose.REPEAT)
            before = self._rated()[:-REPEAT_AFTER]
            yield from ((key, Purpose.REPEAT) for key in before if key not in known)
        for start in range(0, len(order), CHUNK):
            chunk = [key for key in order[start : start + CHUNK] if key not in project.gold]
            states = {row["id"]: row for row in self._states(chunk)}
            wanted = [key for key in chunk if key in states and self._wants(states[key])]
            # What others have begun comes first, else ratings of a large set stay too thin for long to compare anybody.
            yield from ((key, Purpose.WORK) for key in sorted(wanted, key=lambda key: not states[key]["n"]))

    def _is_open(self, recording_id: str, purpose: Purpose) -> bool:
        if purpose is not Purpose.WORK:
            return recording_id not in self._seen(purpose)
        states = self._states([recording_id])
        return bool(states) and self._wants(states[0])

    def _wants(self, row: dict[str, Any]) -> bool:
        return not row["review"] and not row["mine"] and int(row["n"]) < self._needed(row)

    def _needed(self, row: dict[str, Any]) -> int:
        """How many ratings the recording takes: more where they lie apart, or a reviewer asked for one."""
        project, n = self._project, int(row["n"])
        needed = project.overlap + int(row["requested"])
        spread = float(row["spread"] or 0.0)
        if project.max_spread is not None and n >= project.overlap and spread > project.max_spread:
            needed = max(needed, min(n + 1, project.overlap + project.extra))
        return needed

    def _states(self, ids: list[str]) -> list[dict[str, Any]]:
        return self._index.rows(STATE_SQL, [self._me, json.dumps(ids)])

    def _counts(self) -> dict[Purpose, int]:
        """This expert's standing ratings, skips and flags in the project, by purpose."""
        sql = """
            SELECT purpose, count(DISTINCT recording_id) AS n FROM events WHERE project = ? AND evaluator = ? AND stands
            AND action IN ('rate', 'skip', 'flag') GROUP BY purpose
        """
        return {Purpose(row["purpose"]): row["n"] for row in self._index.rows(sql, [self._project.name, self._me])}

    def _seen(self, purpose: Purpose) -> set[str]:
        sql = "SELECT recording_id FROM events WHERE project = ? AND evaluator = ? AND purpose = ? AND stands"
        rows = self._index.rows(sql, [self._project.name, self._me, str(purpose)])
        return {row["recording_id"] for row in rows}

    def _rated(self) -> list[str]:
        """What this expert rated as work, oldest first."""
        sql = """
            SELECT recording_id FROM events WHERE project = ? AND evaluator = ? AND purpose = '' AND stands
            AND action = 'rate' GROUP BY recording_id ORDER BY min(at)
        """
        return [row["recording_id"] for row in self._index.rows(sql, [self._project.name, self._me])]


@dataclass(frozen=True)
class Compared:
    """An expert's own rating of a recording beside its known answer, both 0-100."""

    text: str
    own: float
    known: float


def own_calibration(settings: Settings, project: Project, identity: Identity) -> list[Compared]:
    """This expert's calibration in the project, in the order they rated it; silent gold stays silent."""
    index = Index(settings)
    sql = """
        SELECT e.body, r.id, r.text FROM events e JOIN recordings r ON r.id = e.recording_id
        WHERE e.project = ? AND e.evaluator = ? AND e.purpose = 'calibration' AND e.action = 'rate' AND e.stands
        ORDER BY e.at
    """
    rubric = RUBRICS[get_set(settings, project.set).rubric]
    return [
        Compared(row["text"], float(event.score), rubric.overall_score(project.gold[row["id"]]))
        for row in index.rows(sql, [project.name, identity.name])
        if (event := event_from_json(artifacts.loads(row["body"]))).score is not None and row["id"] in project.gold
    ]


def visible_history(settings: Settings, identity: Identity, recording: Recording) -> list[RatingEvent]:
    """What this person may see of a recording's history: all of it with the right to, else their own part."""
    events = list(LabelStore(settings).history(recording))
    if identity.may(Action.SEE_RATINGS):
        return events
    return [event for event in events if same_person(event.evaluator, identity.name)]


def _order(settings: Settings, index: Index, project: Project, evaluator: str) -> tuple[str, ...]:
    """All recordings of the project in the expert's order; worked out anew only where something has changed."""
    stamp = 0.0
    if project.order != "random":
        files = list((settings.predictions_root / project.set).glob("*.jsonl"))
        stamp = max((file.stat().st_mtime for file in files), default=0.0)
    return _cached_order(
        settings, project.set, project.part, project.order, project.random_share, project.seed, evaluator,
        index.ids_digest(project.set), stamp,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _cached_order(
    settings: Settings, set_name: str, part: str, order: str, share: float, seed: int, evaluator: str, digest: str,
    stamp: float,
) -> tuple[str, ...]:  # fmt: skip
    sql = "SELECT id FROM recordings WHERE set_name = ? AND (? = '' OR part = ?) ORDER BY id"
    ids = [row["id"] for row in Index(settings).rows(sql, [set_name, part, part])]
    project = Project("order", set_name, order=order, random_share=share, seed=seed)
    return tuple(order_of(settings, project, evaluator, ids))
