"""What the Label page does for a rater: which recording is next, and what happens to an action.

Nothing here draws. An action carries a nonce, so that a double press or a rerun never saves twice; what another
rater or a machine said about a recording is never read here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from pipeline.corpus.sets import RecordingSet, get_set, result_path
from pipeline.errors import LabelError, PronlabError, said_by
from pipeline.i18n import N_, _
from pipeline.labels.history import LATER
from pipeline.labels.index import Index
from pipeline.labels.marked_words import marked_words
from pipeline.labels.queries import LabelProgress
from pipeline.labels.segments import checked_marks, mark_from_json, segments_from_json
from pipeline.labels.store import LabelStore
from pipeline.people.access import Action, Identity
from pipeline.projects.calibration import CalibrationResult, calibration_results
from pipeline.projects.project import Project, list_projects
from pipeline.projects.queue import EmptyQueue, Queue, QueueItem, QueueProgress, check_heard
from pipeline.records import RATINGS, RatingAction, RatingEvent, Recording
from pipeline.rubrics import MARKS, Rubric
from pipeline.rubrics.library import RubricLibrary
from pipeline.rubrics.rubric import SCORE
from pipeline.settings import Settings
from pipeline.times import now_iso

KINDS = dict(MARKS)
UNREADABLE = N_("Cannot be read")
# What is stored as a reason, in English whatever the rater's language is; shown by `shown_reason`.
REASONS: Mapping[str, tuple[str, ...]] = {
    "skip": (N_("I am not sure"), N_("I know the speaker"), N_("Not my dialect"), LATER),
    "flag": (N_("Wrong word"), N_("Nothing to hear"), N_("Too noisy"), N_("Cut off"), N_("Several speakers")),
}
_KNOWN_REASONS = {UNREADABLE, *(reason for reasons in REASONS.values() for reason in reasons)}


@asks(Action.RATE, Action.SEE_RATINGS)
def shown_reason(reason: str) -> str:
    """A stored reason in the reader's language; as it is where somebody wrote it."""
    return _(reason) if reason in _KNOWN_REASONS else reason


@dataclass(frozen=True)
class Answer:
    """What became of the last action: `nonce` is the action's, `message` tells the rater."""

    nonce: str
    ok: bool
    message: str


@dataclass(frozen=True)
class Session:
    """Where a rater is in a set. `place` counts back from the queue's next recording (0) into the rater's own earlier
    ones; `turn` changes with every new form."""

    place: int = 0
    turn: int = 0
    reopened: str | None = None
    previous: RatingEvent | None = None
    item: QueueItem | None = None
    last_nonce: str = ""
    answer: Answer | None = None


@dataclass(frozen=True)
class OpenRecording:
    """The recording to rate now, the rater's own rating of it where there is one, and the rubric to rate it with;
    `item` where it came from a project's queue."""

    recording: Recording
    previous: RatingEvent | None
    rubric: Rubric
    item: QueueItem | None = None


@asks(Action.RATE)
def labelling(set_name: str, me: Identity, project: Project | None) -> "Labelling":
    return Labelling(shared.settings(), set_name, me, project)


@asks(Action.RATE)
def known_raters() -> list[str]:
    """Names to choose from, where there is no list of people."""
    return shared.open_index().evaluators() if identity.is_open() else []


@asks(Action.RATE)
def progress_in_set(set_name: str, me: Identity) -> LabelProgress:
    """How much of a set somebody has rated."""
    return shared.open_index().progress(set_name, me.name)


@asks(Action.RATE)
def calibration_of(project: Project, me: Identity) -> list[CalibrationResult]:
    return calibration_results(shared.settings(), project, me)


@asks(Action.SEE_SETS)
def set_of(project: Project) -> RecordingSet:
    return get_set(shared.settings(), project.set)


class Labelling:
    """One rater in one set, or in a project of it, over the label store. Raises AccessError for somebody who may not
    rate."""

    def __init__(self, settings: Settings, set_name: str, identity: Identity, project: Project | None = None) -> None:
        identity.require(Action.RATE)
        self._settings, self._project = settings, project
        self._set = get_set(settings, set_name)
        self._evaluator, self._identity = identity.name, identity
        self._index = Index(settings)
        self._store = LabelStore(settings)
        self._queue = None if project is None else Queue(settings, project, identity)

    def open_recording(self, session: Session) -> OpenRecording | EmptyQueue:
        """What to rate now, or why there is nothing: without a project only because the rater has dealt with every
        recording."""
        if session.reopened is not None:
            return self._opened(self._index.recording(session.reopened), session.previous, session.item)
        if session.place:
            recent = self._index.recent(self._set.name, self._evaluator, session.place)
            if len(recent) >= session.place:
                return self._opened(*recent[session.place - 1])
        if self._queue is not None:
            item = self._queue.next()
            return item if isinstance(item, EmptyQueue) else self._opened(item.recording, None, item)
        recording = self._index.next_recording(self._set.name, self._evaluator)
        return EmptyQueue("done") if recording is None else self._opened(recording, None)

    def ahead(self, session: Session, current: OpenRecording) -> Recording | None:
        """What is likely to come once `current` is saved, so that it can be fetched meanwhile. Nothing is reserved:
        what comes is decided when it is saved. None where the rater is among their earlier recordings."""
        if session.place or session.reopened is not None:
            return None
        if self._queue is not None:
            return None if current.item is None else self._queue.peek(current.item)
        return self._index.next_recording(self._set.name, self._evaluator, [current.recording.id])

    def go_to(self, session: Session, recording_id: str) -> Session:
        """The session with this very recording open: with the rater's values where they have dealt with it, else, in a
        project, reserved for them. Raises PronlabError, saying why, where it is not theirs to open."""
        recording = self._index.recording(recording_id)
        if recording.set != self._set.name:
            raise LabelError(N_("“{text}” is in another set: {set}."), text=recording.text, set=recording.set)
        item = None if self._queue is None else self._queue.held(recording)  # a repeat shows no earlier values
        earlier = None if item is not None else self._index.last_of(recording_id, self._evaluator)
        if item is None and earlier is None and self._queue is not None:
            item = self._queue.open(recording)
        return replace(
            session, place=0, turn=session.turn + 1, reopened=recording_id, previous=earlier, item=item, answer=None
        )

    def act(self, session: Session, action: dict[str, Any]) -> Session:
        """The session after `action`; an action that was seen before changes nothing."""
        nonce, kind = str(action["nonce"]), str(action["kind"])
        if nonce == session.last_nonce:
            return session
        if kind in ("previous", "next") and session.reopened is not None and session.previous is None:
            self.leave()  # what they chose and did not rate, else it would be what comes next
        fresh = replace(session, last_nonce=nonce, turn=session.turn + 1, answer=None)
        if kind in ("previous", "next"):
            position = session.place + 1 if kind == "previous" else max(0, session.place - 1)
            return replace(fresh, place=position, reopened=None, previous=None, answer=Answer(nonce, True, ""))
        try:
            if kind == "undo":
                return self._undo(fresh, nonce)
            recording = self._save(session, str(action["item"]), self._event(action))
        except PronlabError as error:
            # The same form stays, with the draft in it.
            return replace(session, last_nonce=nonce, answer=Answer(nonce, False, error.words))
        done = {"skip": _("Skipped: {text}"), "flag": _("Flagged: {text}")}
        message = (
            done[kind].format(text=recording.text)
            if kind in done
            else _("Saved: {file}").format(file=result_path(self._set, recording).name)
        )
        position = max(0, session.place - 1)
        return replace(
            fresh, item=None, place=position, reopened=None, previous=None, answer=Answer(nonce, True, message)
        )

    def keep(self, session: Session) -> None:
        """Keep the recording of a project's queue reserved for this rater."""
        if self._queue is not None and session.item is not None:
            self._queue.renew(session.item)

    def leave(self) -> None:
        """Release the recording of a project's queue for other raters."""
        if self._queue is not None:
            self._queue.leave()

    def progress(self) -> QueueProgress | None:
        """This rater's in the project; None without one."""
        return None if self._queue is None else self._queue.progress()

    def _opened(
        self, recording: Recording, previous: RatingEvent | None, item: QueueItem | None = None
    ) -> OpenRecording:
        rubric = self.rubric(recording, previous)
        RubricLibrary(self._settings).keep(rubric)  # what is in the form can be saved whatever becomes of the rubric
        return OpenRecording(recording, previous, rubric, item)

    def rubric(self, recording: Recording, previous: RatingEvent | None = None) -> Rubric:
        """An earlier rating is changed with the rubric it was given with; else the project's, or the set's."""
        if previous is not None and previous.action is RatingAction.RATE:
            known = RubricLibrary(self._settings).of_event(previous, recording.rubric)
            if known is not None:
                return known
        if self._queue is not None:
            return self._queue.rubric(recording)
        return RubricLibrary(self._settings).of_set(self._set, recording.rubric)

    def _save(self, session: Session, item: str, event: RatingEvent) -> Recording:
        queued = session.item
        if self._queue is not None and queued is not None and queued.recording.id == item:
            self._queue.save(queued, _on_words(event, queued.recording))
            return queued.recording
        recording = self._index.recording(item)  # not what the queue gave: whoever sends it may have made it up
        undone = session.previous if session.reopened == item else None
        earlier = undone or self._index.last_of(item, self._evaluator)
        if recording.set != self._set.name or (earlier is None and self._queue is not None):
            raise LabelError(N_("This recording is not open here any more. Load the page again."))
        if earlier is not None:  # a change of mind: it stays in its project, with its purpose and the time it took
            heard = max((share for share in (event.heard, earlier.heard) if share is not None), default=None)
            event = replace(event, project=earlier.project, purpose=earlier.purpose, took_s=earlier.took_s, heard=heard)
            project = self._open_project_of(earlier)
            if project is not None:
                check_heard(project, event)
        rubric = self.rubric(recording, earlier)
        if event.rubric and event.rubric.partition("@")[0] != rubric.name:
            raise LabelError(_("This recording is rated with another rubric now. Load the page again."))
        event = replace(event, rubric=event.rubric or rubric.reference)
        self._store.add(recording, _on_words(event, recording), self._identity)
        return recording

    def _open_project_of(self, event: RatingEvent) -> Project | None:
        """The project in which the rating was given, whatever the page shows now; None where there is none. Raises
        LabelError where it is closed."""
        project = next((p for p in list_projects(self._settings) if event.project and p.name == event.project), None)
        if project is not None and project.is_over:
            raise LabelError(N_("{project} is closed."), project=project.title or project.name)
        return project

    def n_earlier(self) -> int:
        """How many recordings of the set this rater can go back to, calibration included."""
        return self._index.n_recent(self._set.name, self._evaluator)

    def _undo(self, fresh: Session, nonce: str) -> Session:
        """Undo the newest rating, skip or flag, and open that recording again with its values."""
        recent = self._index.recent(self._set.name, self._evaluator, 1)
        if not recent:  # taken back in another tab meanwhile
            raise LabelError(N_("You have nothing left to undo here."))
        recording, event = recent[0]
        self._open_project_of(event)
        self._store.undo(recording, self._evaluator, self._identity, last=event)
        message = _("Undone: {text}").format(text=recording.text)
        item = None if self._queue is None else self._queue.reopen(recording, event)
        return replace(
            fresh, place=0, reopened=recording.id, previous=event, item=item, answer=Answer(nonce, True, message)
        )

    def _event(self, action: dict[str, Any]) -> RatingEvent:
        """Raises LabelError for what no form sends."""
        try:
            json.dumps(action, ensure_ascii=False).encode()  # half of a sign could be written nowhere
            event = self._event_of(action)
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError) as error:
            raise LabelError(N_("What was sent is no rating: {reason}."), reason=said_by(error)) from error
        if event.action not in RATINGS:
            raise LabelError(N_("What was sent is no rating: {reason}."), reason=str(event.action))
        return event

    def _event_of(self, action: dict[str, Any]) -> RatingEvent:
        values = {str(key): float(value) for key, value in (action.get("dimensions") or {}).items()}
        rubric, heard = str(action.get("rubric") or ""), action.get("heard")
        is_score = bool(rubric) and RubricLibrary(self._settings).version(rubric).is_score
        return RatingEvent(
            evaluator=self._evaluator,
            action=RatingAction(str(action["kind"])),
            at=now_iso(),
            score=values.get(SCORE) if is_score else None,
            dimensions={} if is_score else values,
            notes=str(action.get("notes") or ""),
            reason=str(action.get("reason") or ""),
            heard=None if heard is None else min(1.0, max(0.0, float(heard))),
            marks=tuple(mark_from_json(mark, KINDS) for mark in action.get("marks") or ()),
            segments=segments_from_json(action.get("segments") or (), KINDS),
            rubric=rubric,
        )


def _on_words(event: RatingEvent, recording: Recording) -> RatingEvent:
    """Raises LabelError for marks on words that the recording does not have."""
    return replace(event, marks=checked_marks(event.marks, len(marked_words(recording))))
