"""What the Recordings page asks for: the recordings of a set or project, a page at a time, and what becomes of those
that are ticked."""

from collections.abc import Sequence
from dataclasses import replace

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from pipeline.labels.recording_list import (
    TEAM_FILTERS,
    TEAM_SORTS,
    Filter,
    ListPage,
    ListQuery,
    Sort,
    ids_of,
    list_recordings,
    speakers_of,
)
from pipeline.people.access import Action
from pipeline.projects.assignment import Assignment
from pipeline.projects.project import Project
from pipeline.projects.review import DISPUTED_FROM


@asks(Action.RATE, Action.SEE_RATINGS)
def page_of(query: ListQuery, project: Project | None) -> ListPage:
    """What matches, for whoever sits here; of a project, only its part of the corpus."""
    me = identity.allowed(Action.RATE, Action.SEE_RATINGS)
    query = replace(query, disputed_from=DISPUTED_FROM)
    if project is not None:
        query = replace(
            query, part=project.part or query.part, known=frozenset(project.gold),
            disputed_from=project.max_spread or DISPUTED_FROM,
        )  # fmt: skip
        if query.filter is Filter.CHOSEN:
            query = replace(query, chosen=_assigned(project, me.name))
    return list_recordings(shared.open_index(), query, me)


@asks(Action.RATE, Action.SEE_RATINGS)
def filters(project: Project | None) -> list[Filter]:
    """Those that whoever sits here may use."""
    sees = identity.allowed(Action.RATE, Action.SEE_RATINGS).may(Action.SEE_RATINGS)
    hidden = set() if sees else set(TEAM_FILTERS)
    if project is None:
        hidden.add(Filter.KNOWN)
    if project is None or Assignment(project).is_empty:
        hidden.add(Filter.CHOSEN)
    return [entry for entry in Filter if entry not in hidden]


@asks(Action.RATE, Action.SEE_RATINGS)
def sorts() -> list[Sort]:
    """Those that whoever sits here may use."""
    sees = identity.allowed(Action.RATE, Action.SEE_RATINGS).may(Action.SEE_RATINGS)
    return [entry for entry in Sort if sees or entry not in TEAM_SORTS]


@asks(Action.RATE, Action.SEE_RATINGS)
def speakers(set_name: str) -> Sequence[str]:
    return speakers_of(shared.open_index(), set_name)


@asks(Action.RATE, Action.SEE_RATINGS)
def parts(set_name: str) -> Sequence[str]:
    return shared.open_index().parts(set_name)


def _assigned(project: Project, name: str) -> frozenset[str]:
    """The recordings of this person, those that are everybody's included."""
    assignment = Assignment(project)
    ids = ids_of(shared.open_index(), project.set)
    return frozenset(key for key in ids if assignment.is_theirs(name, key))
