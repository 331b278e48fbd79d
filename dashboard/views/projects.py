"""Projects: who rates which recordings, how often, and how far they are."""

import streamlit as st

from dashboard import identity
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.markup import message
from dashboard.sections import projects as sections
from dashboard.services import shared as services
from pipeline.people.access import Action


@errors_in_words()
def render() -> None:
    header("Projects", "Who rates which recordings, in what order and how often; and who works here.")
    me = identity.allowed(Action.SEE_PROJECTS)
    for problem in services.damaged_projects():
        st.warning(message(problem.message), icon=":material/folder_off:")
    if services.project_names():
        sections.progress()
    else:
        empty_state(
            "There is no project yet. Without one, every expert can rate every recording of a set on the Label page; "
            "with one, recordings are shared out, known answers and repeats come in silently, and reviewers decide."
        )
    if me.may(Action.MANAGE_PROJECTS):
        with st.expander("Set up or change a project", icon=":material/edit:", expanded=not services.project_names()):
            sections.edit(me)
    if me.may(Action.MANAGE_PEOPLE):
        with st.expander("Who works here", icon=":material/group:"):
            sections.who_works_here(me)


if __name__ == "__main__":
    render()
