"""One expert's queue in one project: what comes next, and saving it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

from pipeline.errors import AccessError, LabelError, UnknownNameError
from pipeline.i18n import N_
from pipeline.labels.index import Index
from pipeline.labels.result_file import ResultFile
from pipeline.labels.store import LabelStore
from pipeline.people.access import Action, Identity
from pipeline.people.names import same_person
from pipeline.projects.leases import Lease, Leases
from pipeline.projects.order import order_of
from pipeline.projects.progress import states
from pipeline.projects.project import Project
from pipeline.records import Purpose, RatingAction, RatingEvent, Recording
from pipeline.settings import Settings

CHUNK = 64
SOME = 8
REPEAT_AFTER = 10  # other recordings between a rating and its repeat


@dataclass(frozen=True)
class QueueItem:
    """A recording to rate, reserved under `lease`. Whether it is work, gold or a repeat, the expert does not see."""

    recording: Recording
    purpose: Purpose
    lease: Lease


@dataclass(frozen=True)
class EmptyQueue:
    """Why there is no next recording: `done` (this expert has rated all of theirs), `wait` (others have the last ones
    open, the first of them for at most `seconds` more), or `over` (the project is closed or past its deadline)."""

    reason: str
    seconds: float | None = None


class Queue:
    """Every method is safe from several processes. Raises AccessError for somebody who is no expert of the project."""

    def __init__(
        self, settings: Settings, project: Project, identity: Identity, now: Callable[[], float] = time.time
    ) -> None:
        identity.require(Action.RATE)
        if not project.includes(identity.name):
            raise AccessError(
                N_("{name} is not among the experts of {project}."),
                name=identity.name,
                project=project.title or project.name,
            )
        self._settings, self._project, self._me, self._now = settings, project, identity.name, now
        self._identity = identity
        self._index = Index(settings)
        self._store = LabelStore(settings)
        self._leases = Leases(settings, now)

    def next(self) -> QueueItem | EmptyQueue:
        """What is open already (after a reload), else the next; reserved for this expert from now on."""
        if self._project.is_over:
            return EmptyQueue("over")
        self._index.ensure()  # a save that was cut short must count, else it would be asked for again
        held = self._leases.of(self._project.name, self._me)
        if held is not None and self._is_open(held.recording_id, Purpose(held.purpose)):
            self._leases.renew(held)
            return self._item(held)
        candidates = self._candidates()
        # A few at a time: what is looked up before the claim does not hold up the others' claims.
        while some := list(islice(candidates, SOME)):
            lease = self._leases.claim(self._project.name, self._me, some, self._is_open)
            if lease is not None:
                return self._item(lease)
        others = [held for held in self._leases.held(self._project.name) if held.evaluator != self._me]
        waiting = [held for held in others if held.purpose == "" and self._is_open(held.recording_id, Purpose.WORK)]
        return EmptyQueue("wait", max(0.0, waiting[0].expires_at - self._now())) if waiting else EmptyQueue("done")

    def renew(self, item: QueueItem) -> bool:
        """Whether it is still reserved."""
        return self._leases.renew(item.lease)

    def leave(self) -> None:
        """Give back what is open."""
        held = self._leases.of(self._project.name, self._me)
        if held is not None:
            self._leases.release(held)

    def save(self, item: QueueItem, event: RatingEvent) -> ResultFile:
        """Keep a rating, skip or flag of this expert; when this returns, it is on disk. A rating counts even if its
        reservation has ended meanwhile: work is never thrown away.

        Raises AccessError for somebody else's name, LabelError for what cannot be saved.
        """
        if not same_person(event.evaluator, self._me):
            raise AccessError(
                N_("{name} cannot rate in the name of {evaluator}."), name=self._me, evaluator=event.evaluator
            )
        if event.action not in (RatingAction.RATE, RatingAction.SKIP, RatingAction.FLAG):
            raise AccessError(N_("An expert rates, skips or flags; {action} is a reviewer's."), action=event.action)
        try:
            recording = self._index.recording(item.recording.id)
        except UnknownNameError as error:
            self._leases.release(item.lease)
            raise LabelError(
                N_(
                    "{text!r} was taken out of the set meanwhile; there is nothing to rate any "
                    "more. The next one comes now."
                ),
                text=item.recording.text,
            ) from error
        took_s = round(max(0.0, self._now() - item.lease.taken_at), 1)
        saved = self._store.add(
            recording,
            replace(event, project=self._project.name, purpose=item.purpose, took_s=took_s),
            self._identity,
        )
        self._leases.release(item.lease)
        return saved

    def n_rated(self) -> int:
        """How many ratings, skips and flags this expert has given in the project."""
        return sum(self._counts().values())

    def _item(self, lease: Lease) -> QueueItem:
        return QueueItem(self._index.recording(lease.recording_id), Purpose(lease.purpose), lease)

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
        return not row["review"] and not row["mine"] and row["n"] < row["needed"]

    def _states(self, ids: list[str]) -> list[dict[str, Any]]:
        return states(self._index, self._project, ids, self._me)

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
