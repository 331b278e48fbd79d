"""The progress of every project."""

from datetime import datetime

import streamlit as st

from dashboard.components.page import errors_in_words
from dashboard.sections.projects.kinds import KIND_LABELS
from dashboard.services import projects
from dashboard.services.projects import ProjectState
from pipeline.i18n import _, day, number
from pipeline.projects.project import Project


@st.fragment(run_every=5.0)
@errors_in_words()
def draw() -> None:
    """Live."""
    config = st.column_config
    st.dataframe(
        [_row(state) for state in projects.project_states()],
        hide_index=True,
        key="projects",
        column_config={
            _("Project"): config.Column(pinned=True),
            _("Progress"): config.ProgressColumn(format="%.0f%%", max_value=100, width="small"),
            _("Ratings"): config.Column(help=_("Of a pair project: answers.")),
            _("Working now"): config.Column(help=_("Experts who have a recording of the project open.")),
        },
    )


def _row(state: ProjectState) -> dict[str, object]:
    project, progress = state.project, state.progress
    of = _("{done} of {total}")
    return {
        _("Project"): project.title or project.name,
        _("Progress"): 100.0 * progress.share if progress.needed else 0.0,
        _("Ratings"): of.format(done=number(progress.done), total=number(progress.needed)),
        _("Recordings"): of.format(done=number(progress.finished), total=number(progress.items)),
        _("Working now"): number(progress.at_work),
        _("Deadline"): day(datetime.fromisoformat(project.deadline)) if project.deadline else "",
        _("Status"): _status(project),
        _("Kind"): _(KIND_LABELS[project.kind]),
        _("Set"): " ".join(filter(None, [project.set, project.part])),
    }


def _status(project: Project) -> str:
    if project.closed:
        return _("closed")
    return _("deadline passed") if project.is_over else _("open")
