"""Review: decide between ratings, see how experts work, and take the consensus away."""

import streamlit as st

from dashboard import identity
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections import review as sections
from dashboard.services import shared as services
from pipeline.people.access import Action
from pipeline.projects.review import Panel


@errors_in_words()
def render() -> None:
    header("Review", "Recordings on which the experts differ, how each expert works, and the consensus.")
    me = identity.allowed(Action.SEE_RATINGS)
    project = sections.choose_project()
    if project is None:
        empty_state(
            "There is no project to review yet. A project says who rates which recordings, and how often.",
            page="projects",
            page_label="Set up a project",
        )
        return
    panel = Panel(services.settings(), project, me)
    shown = st.segmented_control(
        "Show", ["Disputes", "Experts", "Consensus"], default="Disputes", required=True, key="review-show",
        label_visibility="collapsed",
    )  # fmt: skip
    if shown == "Experts":
        sections.experts(panel)
    elif shown == "Consensus":
        sections.consensus(panel, project)
    else:
        sections.disputes(panel, project, me)


if __name__ == "__main__":
    render()
