"""What the Label page does for an expert: which recording is next, and what happens to an action.

Nothing here draws. An action carries a nonce, so that a double press or a rerun never saves twice; what another
expert or a machine said about a recording is never read here.
"""

from dataclasses import dataclass, replace
from typing import Any

from pipeline.corpus.sets import get_set, result_path
from pipeline.errors import PronlabError
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.people.access import Action, Identity
from pipeline.projects.project import Project
from pipeline.projects.queue import Nothing, ProjectProgress, Queue, Task
from pipeline.records import Mark, RatingAction, RatingEvent, Recording
from pipeline.settings import Settings
from pipeline.times import now_iso

REASONS = {
    "skip": ("I am not sure", "I know the speaker", "Not my dialect", "Later"),
    "flag": ("Wrong word", "Nothing to hear", "Too noisy", "Cut off", "Several speakers"),
}


@dataclass(frozen=True)
class Answer:
    """What became of the last action: `nonce` is the action's, `message` says it to the expert."""

    nonce: str
    ok: bool
    message: str


@dataclass(frozen=True)
class Session:
    """Where one expert stands in one set. `place` counts back from the queue's next recording (0) into the expert's
    own earlier ones; `turn` changes with every new form."""

    place: int = 0
    turn: int = 0
    reopened: str | None = None
    before: RatingEvent | None = None
    task: Task | None = None
    last_nonce: str = ""
    answer: Answer | None = None


@dataclass(frozen=True)
class Shown:
    """The recording on the desk, and the expert's own rating of it where there is one; `task` where it came from a
    project's queue."""

    recording: Recording
    previous: RatingEvent | None
    task: Task | None = None


class Labelling:
    """One expert in one set, or in a project of it, over the label store. Raises AccessError for somebody who may not
    rate."""

    def __init__(self, settings: Settings, set_name: str, identity: Identity, project: Project | None = None) -> None:
        identity.require(Action.RATE)
        self._settings = settings
        self._set = get_set(settings, set_name)
        self._evaluator, self._identity = identity.name, identity
        self._index = Index(settings)
        self._store = LabelStore(settings)
        self._queue = None if project is None else Queue(settings, project, identity)

    def shown(self, session: Session) -> Shown | Nothing:
        """What to show now, or why there is nothing: without a project only because the expert has said something about
        every recording."""
        if session.reopened is not None:
            return Shown(self._index.recording(session.reopened), session.before)
        if session.place:
            recent = self._index.recent(self._set.name, self._evaluator, session.place)
            if len(recent) >= session.place:
                return Shown(*recent[session.place - 1])
        if self._queue is not None:
            task = self._queue.next()
            return task if isinstance(task, Nothing) else Shown(task.recording, None, task)
        found = self._index.next_recording(self._set.name, self._evaluator)
        return Nothing("done") if found is None else Shown(found, None)

    def act(self, session: Session, action: dict[str, Any]) -> Session:
        """The session after `action`; an action that was seen before changes nothing."""
        nonce, kind = str(action["nonce"]), str(action["kind"])
        if nonce == session.last_nonce:
            return session
        fresh = replace(session, last_nonce=nonce, turn=session.turn + 1, answer=None)
        if kind in ("previous", "next"):
            place = session.place + 1 if kind == "previous" else max(0, session.place - 1)
            return replace(fresh, place=place, reopened=None, before=None, answer=Answer(nonce, True, ""))
        try:
            if kind == "undo":
                return self._undo(fresh, nonce)
            recording = self._save(session, str(action["item"]), self._event(action))
        except PronlabError as error:
            # The same form stays, with the draft in it.
            return replace(session, last_nonce=nonce, answer=Answer(nonce, False, str(error)))
        message = f"Saved: {result_path(self._set, recording).name}"
        place = max(0, session.place - 1)
        fresh = replace(fresh, task=None)
        return replace(fresh, place=place, reopened=None, before=None, answer=Answer(nonce, True, message))

    def keep(self, session: Session) -> None:
        """Say that the expert still has the recording of a project's queue on the desk."""
        if self._queue is not None and session.task is not None:
            self._queue.renew(session.task)

    def leave(self) -> None:
        """Give back what a project's queue has put on the desk."""
        if self._queue is not None:
            self._queue.leave()

    def progress(self) -> ProjectProgress | None:
        """Of the project; None without one."""
        return None if self._queue is None else self._queue.progress()

    def _save(self, session: Session, item: str, event: RatingEvent) -> Recording:
        task = session.task
        if self._queue is not None and task is not None and task.recording.id == item:
            self._queue.save(task, event)
            return task.recording
        recording = self._index.recording(item)
        before = next((e for r, e in self._index.recent(self._set.name, self._evaluator, 200) if r.id == item), None)
        if before is not None:  # a change of mind: it was worked on for the same project, and as what it was then
            event = replace(event, project=before.project, purpose=before.purpose)
        self._store.add(recording, event, self._identity)
        return recording

    def can_undo(self) -> bool:
        return bool(self._index.recent(self._set.name, self._evaluator, 1))

    def _undo(self, fresh: Session, nonce: str) -> Session:
        """Take back the newest act and put that recording on the desk again, with what had been said."""
        recording, event = self._index.recent(self._set.name, self._evaluator, 1)[0]
        self._store.undo(recording, self._evaluator, self._identity)
        said = f"{event.score:g}" if event.score is not None else str(event.action)
        message = f"Taken back: {recording.text} ({said})"
        return replace(fresh, place=0, reopened=recording.id, before=event, answer=Answer(nonce, True, message))

    def _event(self, action: dict[str, Any]) -> RatingEvent:
        score = action.get("score")
        return RatingEvent(
            evaluator=self._evaluator,
            action=RatingAction(str(action["kind"])),
            at=now_iso(),
            score=None if score is None else float(score),
            dimensions={str(key): float(value) for key, value in (action.get("dimensions") or {}).items()},
            notes=str(action.get("notes") or ""),
            reason=str(action.get("reason") or ""),
            marks=tuple(
                Mark(int(mark["word"]), None if mark["phone"] is None else int(mark["phone"]), str(mark["kind"]))
                for mark in action.get("marks") or ()
            ),
        )
