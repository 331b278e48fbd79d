"""Review: decide between ratings, see how reliably experts rate, and download the consensus."""

import streamlit as st

from dashboard import identity, state
from dashboard.components.choices import pick
from dashboard.components.filters import choose_rater, tell_unknown_project
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections.review import consensus, disputes, experts, pair_scale, set_aside
from dashboard.services import review, shared
from pipeline.i18n import N_, _
from pipeline.people.access import Action, Identity
from pipeline.projects.project import PAIRS, Project
from pipeline.projects.review import ProjectReview

PARTS = {"disputes": N_("Disputes"), "aside": N_("Set aside"), "experts": N_("Experts"), "consensus": N_("Consensus")}


@errors_in_words()
def render() -> None:
    choices = header(_("Review"), _("Decide between ratings."))
    with choices:
        if identity.is_open():  # elsewhere the sidebar has the name
            choose_rater()
    me = identity.allowed(Action.SEE_RATINGS)
    names = shared.project_names()
    if not names:
        _no_project(may_set_up=me.may(Action.MANAGE_PROJECTS))
        return
    tell_unknown_project(names)
    with choices:
        project = shared.project(pick(_("Project"), {name: name for name in names}, key=state.PROJECT))
        part = None if project.kind == PAIRS else st.segmented_control(
            _("Show"), list(PARTS), default="disputes", required=True, key="review-show", label_visibility="collapsed",
            format_func=lambda key: _(PARTS[key]), wrap=True,
        )  # fmt: skip
    if identity.is_open() and not state.chosen(state.RATER):
        st.info(_("Choose or type your name above: your decisions are saved under it."), icon=":material/badge:")
    if project.kind == PAIRS:
        pair_scale.draw(project, me)
        return
    reviewed = review.review_of(project)
    asked = state.watched(state.RECORDING)
    if asked is not None:
        _named_by_address(reviewed, asked, project, me)
    elif part == "experts":
        experts.draw(reviewed)
    elif part == "consensus":
        consensus.draw(reviewed, project)
    elif part == "aside":
        set_aside.draw(reviewed, me)
    else:
        disputes.draw(reviewed, project, me)


def _named_by_address(reviewed: ProjectReview, asked: str, project: Project, me: Identity) -> None:
    """The recording that the address names, whether its ratings differ or not."""
    if st.button(_("All disputes"), icon=":material/arrow_back:", key="review-all-disputes"):
        state.watch(state.RECORDING, None)
        st.rerun()
    disputes.draw_one(reviewed, reviewed.look(asked), project, me)


def _no_project(*, may_set_up: bool) -> None:
    words = _("There is no project to review yet. A project says who rates which recordings, and how often.")
    if may_set_up:
        empty_state(words, page="projects", page_label=_("Set up a project"))
    else:
        empty_state(words)


if __name__ == "__main__":
    render()
