"""What the Label page does for an expert: which recording is next, and what happens to an action.

Nothing here draws. An action carries a nonce, so that a double press or a rerun never saves twice; what another
expert or a machine said about a recording is never read here.
"""

from dataclasses import dataclass, replace
from typing import Any

from dashboard.components.desk import Answer
from pipeline.corpus.sets import get_set, result_path
from pipeline.errors import PronlabError
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.records import Mark, RatingAction, RatingEvent, Recording
from pipeline.runs import now_iso
from pipeline.settings import Settings

REASONS = {
    "skip": ("I am not sure", "I know the speaker", "Not my dialect", "Later"),
    "flag": ("Wrong word", "Nothing to hear", "Too noisy", "Cut off", "Several speakers"),
}


@dataclass(frozen=True)
class Session:
    """Where one expert stands in one set. `place` counts back from the queue's next recording (0) into the expert's
    own earlier ones; `turn` changes with every new form."""

    place: int = 0
    turn: int = 0
    reopened: str | None = None
    before: RatingEvent | None = None
    last_nonce: str = ""
    answer: Answer | None = None


@dataclass(frozen=True)
class Shown:
    """The recording on the desk, and the expert's own rating of it where there is one."""

    recording: Recording
    previous: RatingEvent | None


class Labelling:
    """The queue of one expert in one set, over the label store."""

    def __init__(self, settings: Settings, set_name: str, evaluator: str) -> None:
        self._settings = settings
        self._set = get_set(settings, set_name)
        self._evaluator = evaluator
        self._index = Index(settings)
        self._store = LabelStore(settings)

    def shown(self, session: Session) -> Shown | None:
        """What to show now; None when the expert has said something about every recording."""
        if session.reopened is not None:
            return Shown(self._index.recording(session.reopened), session.before)
        if session.place:
            recent = self._index.recent(self._set.name, self._evaluator, session.place)
            if len(recent) >= session.place:
                return Shown(*recent[session.place - 1])
        found = self._index.next_recording(self._set.name, self._evaluator)
        return None if found is None else Shown(found, None)

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
            recording = self._index.recording(str(action["item"]))
            self._store.add(recording, self._event(action))
        except PronlabError as error:
            # The same form stays, with the draft in it.
            return replace(session, last_nonce=nonce, answer=Answer(nonce, False, str(error)))
        message = f"Saved: {result_path(self._set, recording).name}"
        place = max(0, session.place - 1)
        return replace(fresh, place=place, reopened=None, before=None, answer=Answer(nonce, True, message))

    def can_undo(self) -> bool:
        return bool(self._index.recent(self._set.name, self._evaluator, 1))

    def _undo(self, fresh: Session, nonce: str) -> Session:
        """Take back the newest act and put that recording on the desk again, with what had been said."""
        recording, event = self._index.recent(self._set.name, self._evaluator, 1)[0]
        self._store.undo(recording, self._evaluator)
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
