"""Projects: who rates which recordings, how often, and their progress."""

import streamlit as st

from dashboard import identity
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.markup import message
from dashboard.sections.projects import people, progress, rubrics, setup
from dashboard.services import projects, shared
from pipeline.i18n import _
from pipeline.people.access import Action
from pipeline.projects.project import RATINGS


@errors_in_words()
def render() -> None:
    header(_("Projects"), _("Who rates what and how often, and who works here."))
    me = identity.allowed(Action.SEE_PROJECTS)
    for problem in projects.damaged_projects():
        st.warning(message(problem.message), icon=":material/folder_off:")
    names = shared.project_names()
    there_are_projects = bool(names)
    if there_are_projects:
        progress.draw()
        rated = [name for name in names if shared.project(name).kind == RATINGS]
        if rated and me.may(Action.SEE_NAMES):
            progress.draw_experts(rated)
    else:
        empty_state(
            _(
                "There is no project yet. Without a project, every expert can rate every recording of a set on the "
                "Label page. A project distributes the recordings, mixes in known answers and repeats, and lets "
                "reviewers decide."
            )
        )
    if me.may(Action.MANAGE_PROJECTS):
        with st.expander(_("Set up or change a project"), icon=":material/edit:", expanded=not there_are_projects):
            setup.draw()
        with st.expander(_("Rubrics"), icon=":material/rule:"):
            rubrics.draw(me)
    if me.may(Action.MANAGE_PEOPLE):
        with st.expander(_("People"), icon=":material/group:"):
            people.draw(me)


if __name__ == "__main__":
    render()
