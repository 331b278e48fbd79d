"""The progress of every project."""

import math
from datetime import datetime

import streamlit as st

from dashboard.components.formats import percent_format
from dashboard.components.page import errors_in_words
from dashboard.components.tables import data_table, fitted, without_empty
from dashboard.sections.projects.kinds import KIND_LABELS
from dashboard.services import projects
from dashboard.services.projects import ProjectState
from pipeline.i18n import _, day, number
from pipeline.projects.pace import ExpertPace, ProjectPace
from pipeline.projects.progress import ProjectProgress
from pipeline.projects.project import Project

PROGRESS_PX = 110


@st.fragment(run_every=5.0)
@errors_in_words()
def draw() -> None:
    """Live."""
    config = st.column_config
    data_table(
        without_empty([_row(state) for state in projects.project_states()]),
        key="projects",
        column_config={
            _("Project"): config.Column(pinned=True),
            _("Progress"): config.ProgressColumn(format=percent_format(), max_value=100, width=PROGRESS_PX),
            _("Ratings"): config.Column(help=_("Of a pair project: answers.")),
            _("Time left"): config.Column(
                help=_("Work that is left for all experts together, at the median time that a rating took so far.")
            ),
            _("Working now"): config.Column(help=_("Experts who have a recording of the project open.")),
        },
    )


def _row(state: ProjectState) -> dict[str, object]:
    project = state.project
    return {
        _("Project"): project.title or project.name,
        **({} if state.progress is None else _progress(state.progress, state.pace)),
        _("Deadline"): day(datetime.fromisoformat(project.deadline)) if project.deadline else "",
        _("Status"): _status(project),
        _("Kind"): _(KIND_LABELS[project.kind]),
        _("Set"): " ".join(filter(None, [project.set, project.part])),
    }


def _progress(progress: ProjectProgress, pace: ProjectPace | None) -> dict[str, object]:
    of = _("{done} of {total}")
    return {
        _("Progress"): 100.0 * progress.share if progress.needed else 0.0,
        _("Ratings"): of.format(done=number(progress.done), total=number(progress.needed)),
        _("Recordings"): of.format(done=number(progress.finished), total=number(progress.items)),
        _("Working now"): number(progress.at_work),
        _("Time left"): "" if pace is None else _duration(pace.seconds_left),
    }


def draw_experts(names: list[str]) -> None:
    """How far each expert of one project has come."""
    with st.expander(_("Experts and time left"), icon=":material/timer:"):
        experts = projects.experts_of(st.selectbox(_("Project"), names, key="pace-project"))
        if not experts:
            st.caption(_("Nobody has rated in this project yet."))
            return
        fitted(
            without_empty([_expert(expert) for expert in experts]),
            right=[_("Rated"), _("Left"), _("Quota"), _("Seconds per rating")],
            helps={
                _("Left"): _("What is assigned to the expert, or left of their quota. Empty: shared with the others."),
            },
        )  # fmt: skip


def _expert(expert: ExpertPace) -> dict[str, object]:
    return {
        _("Expert"): expert.name,
        _("Rated"): number(expert.rated),
        _("Left"): "" if expert.left is None else number(expert.left),
        _("Quota"): "" if expert.quota is None else number(expert.quota),
        _("Seconds per rating"): _("too few ratings yet") if expert.median_s is None else number(expert.median_s, 1),
        _("Time left"): "" if expert.left is None else _duration(expert.seconds_left),
    }


def _duration(seconds: float | None) -> str:
    """Rounded as an estimate is; a pace needs some ratings."""
    if seconds is None:
        return _("too few ratings yet")
    if seconds < 90 * 60:
        return _("{n} min").format(n=number(math.ceil(seconds / 60)))
    return _("{n} h").format(n=number(seconds / 3600, 1))


def _status(project: Project) -> str:
    if project.closed:
        return _("closed")
    return _("deadline passed") if project.is_over else _("open")
