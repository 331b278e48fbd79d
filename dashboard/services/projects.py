"""What the Projects page asks for: projects with their progress and changes, and saving one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from pipeline.errors import ProjectError
from pipeline.i18n import _
from pipeline.people.access import Action, Role
from pipeline.projects import known_answers
from pipeline.projects import project as projects
from pipeline.projects.pace import ExpertPace, ProjectPace, expert_paces, pace_of
from pipeline.projects.pairs import queue as pairs
from pipeline.projects.progress import ProjectProgress, progress_of
from pipeline.projects.project import PAIRS, Project
from pipeline.records import Problem


@dataclass(frozen=True)
class ProjectState:
    """A project as the Projects page shows it."""

    project: Project
    progress: ProjectProgress | None  # None for raters, to whom it would tell which of their items counted
    pace: ProjectPace | None  # of pairs, none is measured


@asks(Action.SEE_PROJECTS)
def project_states() -> list[ProjectState]:
    """Every project by name; with its progress for who may see ratings: known answers and repeats do not count in it,
    so that a rater's own save would tell what it was of."""
    shared.open_index()
    settings = shared.settings()
    sees_ratings = identity.allowed(Action.SEE_PROJECTS).may(Action.SEE_RATINGS)
    states = []
    for project in projects.list_projects(settings):
        if not sees_ratings:
            states.append(ProjectState(project, None, None))
            continue
        if project.kind == PAIRS:
            states.append(ProjectState(project, pairs.progress_of(settings, project), None))
            continue
        progress = progress_of(settings, project)
        states.append(ProjectState(project, progress, pace_of(settings, project, progress)))
    return states


@asks(Action.SEE_NAMES)
def experts_of(name: str) -> tuple[ExpertPace, ...]:
    """How far each expert of a project has come, and how fast they rate."""
    settings, project = shared.settings(), shared.project(name)
    return expert_paces(settings, project)


@asks(Action.SEE_PROJECTS)
def damaged_projects() -> list[Problem]:
    """Projects that cannot be read, and why."""
    return projects.damaged_projects(shared.settings())


@asks(Action.MANAGE_PROJECTS)
def add_known_answers(name: str, ids: Sequence[str], *, calibrate: bool = False) -> Project:
    """Raises ProjectError naming recordings that nobody has rated or decided."""
    me = identity.allowed(Action.MANAGE_PROJECTS)
    return known_answers.add_known_answers(shared.settings(), shared.project(name), ids, me, calibrate=calibrate)


@asks(Action.MANAGE_PROJECTS)
def remove_known_answers(name: str, ids: Sequence[str]) -> Project:
    me = identity.allowed(Action.MANAGE_PROJECTS)
    return known_answers.remove_known_answers(shared.settings(), shared.project(name), ids, me)


@asks(Action.MANAGE_PROJECTS)
def assign(name: str, ids: Sequence[str], people: Sequence[str]) -> Project:
    """Give recordings to these experts; to everybody again where there are none."""
    me = identity.allowed(Action.MANAGE_PROJECTS)
    return known_answers.assign(shared.settings(), shared.project(name), ids, people, me)


@asks(Action.MANAGE_PROJECTS)
def experts_to_choose(name: str) -> list[str]:
    """Whom a recording can be given to: the project's experts, else everybody who may rate, else all who have."""
    project = shared.project(name)
    if project.experts:
        return list(project.experts)
    listed = [p.name for p in identity.people().all() if p.active and Role.EXPERT in p.roles]
    return listed or shared.open_index().evaluators()


@asks(Action.MANAGE_PROJECTS)
def changes_of(name: str) -> list[dict[str, Any]]:
    """Every change of a project, oldest first: at, by, changed (setting to before and after)."""
    return projects.changes(shared.settings(), name)


@asks(Action.MANAGE_PROJECTS)
def save(project: Project, *, new: bool) -> Project:
    """Keep it. Raises ProjectError where a new one has the name of another."""
    if new and project.name in shared.project_names():
        raise ProjectError(
            _("There is a project “{name}” already. Choose it above to change it.").format(name=project.name)
        )
    return projects.save_project(shared.settings(), project, identity.allowed(Action.MANAGE_PROJECTS))
