"""What pages ask of pair projects: the next pair and the answers on the Label page, the scale and the raters elsewhere.

Nothing here draws. An action carries a nonce, so that a double press or a rerun never saves twice.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from dashboard.services.label import Answer
from pipeline import csvfile
from pipeline.errors import ProjectError, PronlabError
from pipeline.i18n import N_, _
from pipeline.labels.history import LATER
from pipeline.people.access import Action, Identity
from pipeline.projects.pairs import judgements
from pipeline.projects.pairs.judgements import Judgement
from pipeline.projects.pairs.queue import PairItem, PairProgress, PairQueue
from pipeline.projects.pairs.results import PairResults, scale_table
from pipeline.projects.project import PAIRS, Project, list_projects
from pipeline.projects.queue import EmptyQueue
from pipeline.records import to_json

SKIP_REASONS = (
    N_("I am not sure"), N_("I know the speaker"), N_("Wrong word"), N_("Nothing to hear"), N_("Too noisy"), LATER,
)  # fmt: skip


@dataclass(frozen=True)
class PairSession:
    """Where a rater is in a pair project. `turn` changes with every new pair; `previous` is what was taken back."""

    turn: int = 0
    item: PairItem | None = None
    previous: Judgement | None = None
    last_nonce: str = ""
    answer: Answer | None = None


@asks(Action.RATE)
def pair_labelling(project: Project, me: Identity) -> "PairLabelling":
    return PairLabelling(PairQueue(shared.settings(), project, me))


@asks(Action.SEE_RATINGS)
def results_of(project: Project) -> PairResults:
    """For whoever sits here: they may look; saving ratings asks again."""
    return PairResults(shared.settings(), project, identity.allowed(Action.SEE_RATINGS))


@asks(Action.SEE_RATINGS)
def pair_projects_of(set_name: str) -> list[Project]:
    """The pair projects of a set, by name."""
    return [p for p in list_projects(shared.settings()) if p.kind == PAIRS and p.set == set_name]


@asks(Action.EXPORT)
def scale_csv(project: Project, method: str, dialect: csvfile.Dialect) -> bytes:
    """The scale as a table, for a download."""
    return csvfile.download(csvfile.of_frame(scale_table(_exported(project).scale(method=method)), dialect))


@asks(Action.EXPORT)
def answers_csv(project: Project, dialect: csvfile.Dialect) -> bytes:
    """Every answer and skip that stands as a table, for a download."""
    return csvfile.download(csvfile.of_frame(_exported(project).table(), dialect))


@asks(Action.EXPORT)
def figures_json(project: Project, method: str) -> str:
    """The scale and the raters' consistency, for a download."""
    results = _exported(project)
    return json.dumps(to_json({"scale": results.scale(method=method), "raters": results.raters()}), indent=2)


def _exported(project: Project) -> PairResults:
    return PairResults(shared.settings(), project, identity.allowed(Action.EXPORT))


@asks(Action.IMPORT_DATA)
def save_as_ratings(project: Project, method: str) -> int:
    """Add the scores of the scale to the label files; how many were new."""
    results = PairResults(shared.settings(), project, identity.allowed(Action.IMPORT_DATA))
    return results.save_as_ratings(method=method)


class PairLabelling:
    """One rater in one pair project."""

    def __init__(self, queue: PairQueue) -> None:
        self._queue = queue

    def open_pair(self) -> PairItem | EmptyQueue:
        return self._queue.next()

    def progress(self) -> PairProgress:
        return self._queue.progress()

    def can_undo(self) -> bool:
        return self._queue.can_undo()

    def keep(self, session: PairSession) -> None:
        """Keep the open pair reserved for this rater."""
        if session.item is not None:
            self._queue.renew(session.item)

    def leave(self) -> None:
        """Release the open pair for other raters."""
        self._queue.leave()

    def act(self, session: PairSession, action: dict[str, Any]) -> PairSession:
        """The session after `action`; an action that was seen before changes nothing."""
        nonce, kind = str(action["nonce"]), str(action["kind"])
        if nonce == session.last_nonce:
            return session
        fresh = PairSession(session.turn + 1, last_nonce=nonce)
        try:
            if kind == "undo":
                _item, last = self._queue.undo()
                return replace(fresh, previous=last, answer=Answer(nonce, True, _("Your last answer is undone.")))
            if session.item is None:
                raise ProjectError(_("This pair is no longer open. The next one comes now."))
            self._save(session.item, kind, action)
        except PronlabError as error:
            return replace(session, last_nonce=nonce, answer=Answer(nonce, False, error.words))
        message = _("Skipped") if kind == judgements.Answer.SKIP else _("Saved")
        return replace(fresh, answer=Answer(nonce, True, message))

    def _save(self, item: PairItem, kind: str, action: dict[str, Any]) -> None:
        left, right = (min(1.0, max(0.0, float(share))) for share in action.get("heard") or (0.0, 0.0))
        reason = str(action.get("reason") or "")
        self._queue.save(item, judgements.Answer(kind), heard=(left, right), reason=reason)
