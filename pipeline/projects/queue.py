"""One expert's queue in one project: what comes next, and saving it."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

from pipeline.errors import AccessError, LabelError, UnknownNameError
from pipeline.i18n import N_
from pipeline.labels.index import Index
from pipeline.labels.leases import Lease, Leases, slot_of
from pipeline.labels.result_file import ResultFile
from pipeline.labels.store import LabelStore
from pipeline.people.access import Action, Identity
from pipeline.people.names import same_person
from pipeline.projects.assignment import Assignment
from pipeline.projects.expert_history import ExpertHistory
from pipeline.projects.order import kept_order
from pipeline.projects.progress import dealt_with, open_rows, outlook, states
from pipeline.projects.project import Project, rubric_of
from pipeline.projects.quality import HEARD_WHOLE
from pipeline.projects.secret import secret_of
from pipeline.projects.turns import REPEAT_AFTER, falls, n_turns
from pipeline.records import Purpose, RatingAction, RatingEvent, Recording
from pipeline.rubrics import Rubric
from pipeline.settings import Settings
from pipeline.text import composed

CHUNK = 64
SOME = 8


@dataclass(frozen=True)
class QueueItem:
    """A recording to rate, reserved under `lease`. Whether it is work, gold or a repeat, the expert does not see."""

    recording: Recording
    purpose: Purpose
    lease: Lease


@dataclass(frozen=True)
class EmptyQueue:
    """Why there is no next recording: `done` (this expert has rated all of theirs), `quota` (as many as they were asked
    for), `wait` (others have the last ones open, the first of them for at most `seconds` more), or `over` (the project
    is closed or past its deadline)."""

    reason: str
    seconds: float | None = None


@dataclass(frozen=True)
class QueueProgress:
    """Of one expert in a project: what they have `rated`, `skipped` and `flagged`, items `left` for them, and ratings
    that the others gave (`by_others`)."""

    rated: int
    skipped: int
    flagged: int
    left: int
    by_others: int

    @property
    def done(self) -> int:
        return self.rated + self.skipped + self.flagged


def check_heard(project: Project, event: RatingEvent) -> None:
    """Raises LabelError for a rating of what was not heard to its end where the project wants that."""
    if project.hear_all and event.action is RatingAction.RATE and (event.heard or 0.0) < HEARD_WHOLE:
        raise LabelError(N_("Hear the whole recording once before you save your rating."))


class Queue:
    """Every method is safe from several processes. Raises AccessError for somebody who is no expert of the project."""

    def __init__(
        self, settings: Settings, project: Project, identity: Identity, now: Callable[[], float] = time.time
    ) -> None:
        project.require_expert(identity)
        self._settings, self._project, self._me, self._now = settings, project, identity.name, now
        self._identity = identity
        self._index = Index(settings)
        self._store = LabelStore(settings)
        self._leases = Leases(settings, now)
        self._assignment = Assignment(project)
        self._history = ExpertHistory(self._index, project, self._me)

    @cached_property
    def _secret(self) -> str:
        return secret_of(self._settings, self._project.name)

    def next(self) -> QueueItem | EmptyQueue:
        """What is open already (after a reload), else the next; reserved for this expert from now on."""
        if self._project.is_over:
            return EmptyQueue("over")
        self._index.ensure()  # a save that was cut short must count, else it would be asked for again
        held = self._leases.of(self._project.name, self._me)
        if held is not None and self._is_open(held.recording_id, Purpose(held.purpose)):
            self._leases.renew(held)
            return self._item(held)
        if held is not None:
            self._leases.release(held)
        if self._quota_left() == 0:
            return EmptyQueue("quota")
        candidates = self._candidates()
        # A few at a time: what is looked up before the claim does not hold up the others' claims.
        while some := list(islice(candidates, SOME)):
            lease = self._leases.claim(self._project.name, self._me, some, self._is_open)
            if lease is not None:
                return self._item(lease)
        others = [held for held in self._leases.held(self._project.name) if held.evaluator != self._me]
        waiting = [held for held in others if held.purpose == "" and self._is_open(held.recording_id, Purpose.WORK)]
        return EmptyQueue("wait", max(0.0, waiting[0].expires_at - self._now())) if waiting else EmptyQueue("done")

    def peek(self, item: QueueItem) -> Recording | None:
        """What comes once `item` is saved, as things stand, so that its sound can be fetched ahead. Nothing is
        reserved: another expert may be given it first, and then `next` answers otherwise."""
        if self._project.is_over:
            return None
        taken = {held.slot for held in self._leases.held(self._project.name)}
        for key, purpose in self._candidates(after=item):
            is_new = key != item.recording.id and slot_of(key, purpose, self._me) not in taken
            if is_new and self._is_open(key, purpose):
                return self._index.recording(key)
        return None

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

        Raises AccessError for somebody else's name, LabelError for what cannot be saved, and for a rating of what was
        not heard to its end where the project wants that.
        """
        if not same_person(event.evaluator, self._me):
            raise AccessError(
                N_("{name} cannot rate in the name of {evaluator}."), name=self._me, evaluator=event.evaluator
            )
        if event.action not in (RatingAction.RATE, RatingAction.SKIP, RatingAction.FLAG):
            raise AccessError(N_("An expert rates, skips or flags; {action} is a reviewer's."), action=event.action)
        check_heard(self._project, event)
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
        rubric = self.rubric(recording)
        if event.rubric and event.rubric.partition("@")[0] != rubric.name:
            raise LabelError(N_("This recording is rated with another rubric now. Load the page again."))
        took_s = round(max(0.0, self._now() - item.lease.taken_at), 1)
        saved = self._store.add(
            recording,
            replace(
                event,
                project=self._project.name,
                purpose=item.purpose,
                took_s=took_s,
                rubric=event.rubric or rubric.reference,
            ),
            self._identity,
        )
        self._leases.release(item.lease)
        return saved

    def rubric(self, recording: Recording) -> Rubric:
        """With which this recording is rated here."""
        return rubric_of(self._settings, self._project, recording.rubric)

    def reopen(self, recording: Recording, event: RatingEvent) -> QueueItem | None:
        """Reserve once more what this expert has taken back, with its purpose and the time it took before, so that
        nobody else is given it meanwhile; what else they had open is given back. None where the event is not of this
        project, or somebody else has the recording by now."""
        if event.project != self._project.name:
            return None
        wanted = [(recording.id, event.purpose)]
        lease = self._leases.claim(self._project.name, self._me, wanted, lambda *_: True, before_s=event.took_s or 0.0)
        return None if lease is None else self._item(lease)

    def held(self, recording: Recording) -> QueueItem | None:
        """This recording where the expert has it open, reserved anew."""
        lease = self._leases.of(self._project.name, self._me)
        if lease is None or lease.recording_id != recording.id or not self._leases.renew(lease):
            return None
        return self._item(lease)

    def open(self, recording: Recording) -> QueueItem:
        """Reserve this very recording, which the expert asked for; what else they had open is given back. What is
        open already stays as it is. Raises LabelError, saying why, where it is not theirs to rate now; what they had
        open stays open then.

        One with a known answer comes as if it were drawn, and only while it could be had as work and there is other
        work: which recordings can be opened tells nothing."""
        project = self._project
        if project.is_over:
            raise LabelError(N_("{project} is closed."), project=project.title or project.name)
        if recording.id not in set(self._order()):
            raise LabelError(N_("“{text}” is not in this project."), text=recording.text)
        if (item := self.held(recording)) is not None:
            return item  # whatever it is, by the address of what is open it stays open
        if self._n_to_calibrate(self._history.by_purpose()):
            raise LabelError(N_("Finish calibration first; then you can choose recordings yourself."))
        if self._quota_left() == 0:
            raise LabelError(N_("You have given as many ratings as you were asked for."))
        purpose = Purpose.GOLD if recording.id in project.gold else Purpose.WORK
        is_had = self._is_open(recording.id, Purpose.WORK) and (purpose is Purpose.WORK or self._n_open() > 0)
        is_had = is_had and recording.id not in self._history.seen(Purpose.CALIBRATION)  # whose answer they saw
        wanted = [(recording.id, purpose)] if is_had else []
        lease = self._leases.claim(project.name, self._me, wanted, self._is_open)
        if lease is None:
            raise LabelError(
                N_("“{text}” is not yours to rate now: it has the ratings that it needs, or another rater has it."),
                text=recording.text,
            )
        return self._item(lease)

    def progress(self) -> "QueueProgress":
        """How much this expert has done and has left, items with known answers and repeats included: every save makes
        it one fewer, whatever was saved. Of the others, what they gave on recordings to rate: a figure that this
        expert's own saves do not move, so that it tells nothing about them."""
        counts = self._history.by_purpose()
        n_open, by_others = outlook(self._index, self._project, self._me)
        if not self._assignment.is_empty:
            n_open = self._n_open()
        done = self._history.by_action()
        return QueueProgress(
            done[RatingAction.RATE], done[RatingAction.SKIP], done[RatingAction.FLAG], self._n_left(counts, n_open),
            by_others,
        )  # fmt: skip

    def _n_left(self, counts: Mapping[Purpose, int], n_open: int) -> int:
        """Calibration, then of all turns those that are not taken; what was put off is not dealt with yet."""
        project, quota_left = self._project, self._quota_left()
        n_work = n_open if quota_left is None else min(n_open, quota_left)
        put_off = self._history.put_off_here()
        dealt_with = Counter(counts)
        dealt_with.subtract(purpose for _key, purpose in put_off)
        n_calibrate = self._n_to_calibrate(counts)
        n_calibration = n_calibrate + counts.get(Purpose.CALIBRATION, 0) - dealt_with.pop(Purpose.CALIBRATION, 0)
        n_gold = len(self._gold_items(self._calibration_items()[:n_calibrate])) if project.gold_every else 0
        shown = self._history.seen(Purpose.CALIBRATION)
        # By address, known answers that calibration leaves out can be rated too.
        silent = self._history.seen(Purpose.GOLD) - shown - set(project.calibrate)
        n_done = dealt_with.total()
        n_all = n_turns(
            self._secret, project, self._me, n_work=dealt_with[Purpose.WORK] + n_work,
            n_gold=len(silent) + n_gold, n_done=n_done, after_work=n_work != quota_left,
        )  # fmt: skip
        is_more = n_work or any(purpose is not Purpose.WORK for _key, purpose in put_off)
        if not is_more and quota_left != 0:
            is_more = self._is_special(counts, len(self._history.rated()), n_gold)
        return n_calibration + (max(1, n_all - n_done) if is_more else 0)

    def _is_special(self, counts: Mapping[Purpose, int], n_rated: int, n_gold: int) -> bool:
        """Whether a known answer or a repeat comes now."""
        project, turn = self._project, _turn(counts)
        can_repeat = n_rated - REPEAT_AFTER > counts.get(Purpose.REPEAT, 0)
        return (n_gold > 0 and self._falls(Purpose.GOLD, project.gold_every, turn)) or (
            can_repeat and self._falls(Purpose.REPEAT, project.repeat_every, turn)
        )

    def _n_to_calibrate(self, counts: Mapping[Purpose, int]) -> int:
        """How many items of calibration are to come: no more than there are (a known answer can be of another part)."""
        wanted = self._project.calibration - counts.get(Purpose.CALIBRATION, 0)
        return min(wanted, len(self._calibration_items())) if wanted > 0 else 0

    def _quota_left(self) -> int | None:
        """How many ratings of work this expert may still give; None for no limit."""
        quota = self._project.quota_of(self._me)
        return None if quota is None else max(0, quota - len(self._history.rated()))

    def _n_open(self) -> int:
        """How many recordings of work are left for this expert, whatever their quota."""
        if self._assignment.is_empty:
            return outlook(self._index, self._project, self._me)[0]
        rows = open_rows(self._index, self._project, self._me)
        theirs, beyond = self._assignment.divided(self._me, rows)
        people = dealt_with(self._index, [row["id"] for row in beyond])
        open_to_me = sum(self._assignment.is_open_to(self._me, row, people.get(row["id"], ())) for row in beyond)
        return len(theirs) + open_to_me

    def _item(self, lease: Lease) -> QueueItem:
        return QueueItem(self._index.recording(lease.recording_id), Purpose(lease.purpose), lease)

    def _candidates(self, after: QueueItem | None = None) -> Iterator[tuple[str, Purpose]]:
        """What can come next, the first first; with `after`, as if that had been rated."""
        project = self._project
        special = project.calibration or project.gold_every or project.repeat_every
        counts = self._history.by_purpose() if special else {}
        if after is not None:
            counts[after.purpose] = counts.get(after.purpose, 0) + 1
        order = self._order()
        if counts.get(Purpose.CALIBRATION, 0) < project.calibration:
            yield from ((key, Purpose.CALIBRATION) for key in self._calibration_items())
        turn = _turn(counts)
        if self._falls(Purpose.GOLD, project.gold_every, turn):
            yield from ((key, Purpose.GOLD) for key in self._gold_items())
        if self._falls(Purpose.REPEAT, project.repeat_every, turn):
            repeated = self._history.seen(Purpose.REPEAT)
            rated = self._history.rated()
            if after is not None and after.purpose is Purpose.WORK:
                rated.append(after.recording.id)
            yield from ((key, Purpose.REPEAT) for key in rated[:-REPEAT_AFTER] if key not in repeated)
        apart = {*project.gold, *self._history.dealt_with()}
        for start in range(0, len(order), CHUNK):
            chunk = [key for key in order[start : start + CHUNK] if key not in apart]
            if not chunk:
                continue
            states = {row["id"]: row for row in self._states(chunk)}
            wanted = [key for key in chunk if key in states and self._wants(states[key])]
            # What others have begun comes first, else ratings of a large set stay too thin for long to compare anybody.
            yield from ((key, Purpose.WORK) for key in sorted(wanted, key=lambda key: not states[key]["n"]))
        # What was put off comes back at the end by itself, the longest put off first.
        yield from self._put_off()

    def _calibration_items(self) -> list[str]:
        """Recordings with known answers for calibration: each text once before any comes twice, and what this expert
        has met before last."""
        had, met, texts = self._history.seen(Purpose.CALIBRATION), self._history.met(), self._texts_of_gold()
        shown = {texts[key] for key in had if key in texts}
        chosen = set(self._project.calibrate) or texts.keys()
        left = [key for key in self._order() if key in texts and key in chosen and key not in had]
        return sorted(left, key=lambda key: (key in met, texts[key] in shown))

    def _gold_items(self, to_come: Sequence[str] = ()) -> list[str]:
        """Recordings with known answers that can come as if they were work: none that this expert has rated before or
        saw the answer of, in any project, which would measure memory; and those with
        a text that calibration used last. `to_come` counts as if calibration had used it already."""
        met, texts = self._history.met().union(to_come, self._project.calibrate), self._texts_of_gold()
        shown = {texts[key] for key in self._history.seen(Purpose.CALIBRATION).union(to_come) if key in texts}
        left = [key for key in self._order() if key in texts and key not in met]
        return sorted(left, key=lambda key: texts[key] in shown)

    def _texts_of_gold(self) -> dict[str, str]:
        sql = "SELECT id, text FROM recordings WHERE id IN (SELECT value FROM json_each(?))"
        rows = self._index.rows(sql, [json.dumps(list(self._project.gold))])
        return {row["id"]: composed(row["text"]).casefold() for row in rows}

    def _put_off(self) -> list[tuple[str, Purpose]]:
        """What this expert left for later, as what it was: a known answer comes back as one."""
        listed = self._history.put_off()
        states = {row["id"]: row for row in self._states([key for key, purpose in listed if purpose is Purpose.WORK])}
        mine = set(self._order())
        return [
            (key, purpose)
            for key, purpose in listed
            if key in mine and (purpose is not Purpose.WORK or (key in states and self._is_wanted(states[key])))
        ]

    def _falls(self, purpose: Purpose, every: int, turn: int) -> bool:
        return falls(self._secret, self._me, purpose, every, turn)

    def _is_open(self, recording_id: str, purpose: Purpose) -> bool:
        if purpose is not Purpose.WORK:
            return (
                recording_id not in self._history.seen(purpose)
                or (recording_id, purpose) in self._history.put_off_here()
            )
        states = self._states([recording_id])
        return bool(states) and self._is_wanted(states[0])

    def _wants(self, row: dict[str, Any]) -> bool:
        return self._is_wanted(row) and not row["put_off"]

    def _is_wanted(self, row: dict[str, Any]) -> bool:
        return not row["review"] and not row["mine"] and row["n"] < row["needed"] and self._is_for_me(row)

    def _is_for_me(self, row: dict[str, Any]) -> bool:
        """By a reviewer's reassignment of this recording where there is one, else by the project's plan."""
        if row["assigned"] != "[]":
            return bool(row["for_me"])
        if self._assignment.is_empty or self._assignment.is_theirs(self._me, row["id"]):
            return True
        people = dealt_with(self._index, [row["id"]])
        return self._assignment.is_open_to(self._me, row, people.get(row["id"], ()))

    def _order(self) -> tuple[str, ...]:
        return kept_order(self._settings, self._index, self._project, self._me, self._secret)

    def _states(self, ids: list[str]) -> list[dict[str, Any]]:
        return states(self._index, self._project, ids, self._me)


def _turn(counts: Mapping[Purpose, int]) -> int:
    """Which item comes next, counted from 1 after calibration."""
    return 1 + sum(n for purpose, n in counts.items() if purpose is not Purpose.CALIBRATION)


def visible_history(settings: Settings, identity: Identity, recording: Recording) -> list[RatingEvent]:
    """What this person may see of a recording's history: all of it with the right to, else their own part, in which
    known answers and repeats look like any other work; nothing of what is open to them as a repeat."""
    events = list(LabelStore(settings).history(recording))
    if identity.may(Action.SEE_RATINGS):
        return events
    if recording.id in Leases(settings).repeats_of(identity.name):
        return []
    hidden = (Purpose.GOLD, Purpose.REPEAT)
    return [
        replace(event, purpose=Purpose.WORK) if event.purpose in hidden else event
        for event in events
        if same_person(event.evaluator, identity.name)
    ]
