"""What the Projects page asks for: projects with their progress and changes, and saving one."""

from dataclasses import dataclass
from typing import Any

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from pipeline.errors import ProjectError
from pipeline.i18n import _
from pipeline.people.access import Action
from pipeline.projects import project as projects
from pipeline.projects.pairs import queue as pairs
from pipeline.projects.progress import ProjectProgress, progress_of
from pipeline.projects.project import PAIRS, Project
from pipeline.records import Problem


@dataclass(frozen=True)
class ProjectState:
    project: Project
    progress: ProjectProgress


@asks(Action.SEE_PROJECTS)
def project_states() -> list[ProjectState]:
    """Every project with its progress, by name."""
    shared.open_index()
    settings = shared.settings()
    return [
        ProjectState(project, (pairs.progress_of if project.kind == PAIRS else progress_of)(settings, project))
        for project in projects.list_projects(settings)
    ]


@asks(Action.SEE_PROJECTS)
def damaged_projects() -> list[Problem]:
    """Projects that cannot be read, and why."""
    return projects.damaged_projects(shared.settings())


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
