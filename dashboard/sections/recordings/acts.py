"""What can be done with the recordings that are ticked in the list."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from dashboard.components.page import errors_in_words
from dashboard.services import projects
from pipeline.i18n import _, ngettext, number
from pipeline.labels.recording_list import ListedRecording
from pipeline.people.access import Action, Identity
from pipeline.projects.project import Project


def draw(marked: Sequence[ListedRecording], project: Project | None, me: Identity) -> None:
    if not marked:
        st.caption(_("Tick a recording on the left of its row to open it."))
        return
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", key="recordings-acts")
    if len(marked) == 1:
        _open(row, marked[0], project, me)
    else:
        row.caption(
            ngettext("{n} recording ticked", "{n} recordings ticked", len(marked)).format(n=number(len(marked)))
        )
    if project is not None and me.may(Action.MANAGE_PROJECTS):
        ids = [entry.id for entry in marked]
        with row.popover(_("Known answers"), icon=":material/verified:"):
            _known_answers(project, marked, ids)
        with row.popover(_("Assign"), icon=":material/assignment_ind:"):
            _assign(project, ids)


def _open(row: DeltaGenerator, marked: ListedRecording, project: Project | None, me: Identity) -> None:
    """On Label and Review, whose address then names this very recording, with the project and the name."""
    query = {state.RECORDING: marked.id, state.PROJECT: "" if project is None else project.name}
    query |= {key: state.chosen(key) or "" for key in (state.RATER, state.SET)}
    query = {key: value for key, value in query.items() if value}
    if me.may(Action.RATE) and row.button(_("Open on Label"), icon=":material/rate_review:", type="primary"):
        st.switch_page("views/label.py", query_params=query)
    if project is not None and me.may(Action.SEE_RATINGS) and row.button(_("Open on Review"), icon=":material/gavel:"):
        st.switch_page("views/review.py", query_params=query)


def _known_answers(project: Project, marked: Sequence[ListedRecording], ids: list[str]) -> None:
    st.caption(_("The answer is the reviewer's decision, else the median of the ratings."))
    with errors_in_words():
        if st.button(_("Use as known answers"), icon=":material/add_task:", key="known-add"):
            projects.add_known_answers(project.name, ids)
            _saved()
        if st.button(
            _("Use for calibration only"), icon=":material/straighten:", key="known-calibrate",
            help=_("Calibration shows its answers afterwards, so these never come unannounced."),
        ):  # fmt: skip
            projects.add_known_answers(project.name, ids, calibrate=True)
            _saved()
        if any(entry.team is not None and entry.team.is_known for entry in marked) and st.button(
            _("Remove from known answers"), icon=":material/remove_done:", key="known-remove"
        ):
            projects.remove_known_answers(project.name, ids)
            _saved()


def _assign(project: Project, ids: list[str]) -> None:
    people = st.multiselect(
        _("Experts"), projects.experts_to_choose(project.name), key="assign-people", placeholder=_("Choose experts")
    )
    with errors_in_words():
        if st.button(_("Assign"), icon=":material/assignment_ind:", disabled=not people, key="assign-save"):
            projects.assign(project.name, ids, people)
            _saved()
        if st.button(_("Open to everybody"), icon=":material/group:", key="assign-free"):
            projects.assign(project.name, ids, ())
            _saved()


def _saved() -> None:
    st.toast(_("Saved."))
    st.rerun()
