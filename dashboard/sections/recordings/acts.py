"""What can be done with the recordings that are ticked in the list."""

from collections.abc import Sequence

import streamlit as st

from dashboard import state
from pipeline.corpus.sets import RecordingSet
from pipeline.i18n import _, ngettext, number
from pipeline.labels.recording_list import ListedRecording
from pipeline.people.access import Action, Identity
from pipeline.projects.project import Project


def draw(marked: Sequence[ListedRecording], chosen: RecordingSet, project: Project | None, me: Identity) -> None:
    if not marked:
        st.caption(_("Tick a recording on the left of its row to open it."))
        return
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", key="recordings-acts")
    if len(marked) == 1:
        _open(row, marked[0], chosen, project, me)
    else:
        row.caption(
            ngettext("{n} recording ticked", "{n} recordings ticked", len(marked)).format(n=number(len(marked)))
        )


def _open(
    row: st.delta_generator.DeltaGenerator, marked: ListedRecording, chosen: RecordingSet, project: Project | None,
    me: Identity,
) -> None:  # fmt: skip
    """Addresses that open this very recording."""
    where = {state.PROJECT: project.name} if project is not None else {state.SET: chosen.name}
    query = {**where, state.RECORDING: marked.id, **({state.RATER: me.name} if state.chosen(state.RATER) else {})}
    if me.may(Action.RATE) and row.button(_("Open on Label"), icon=":material/rate_review:", type="primary"):
        st.switch_page("views/label.py", query_params=query)
    if project is not None and me.may(Action.SEE_RATINGS) and row.button(_("Open on Review"), icon=":material/gavel:"):
        st.switch_page("views/review.py", query_params=query)
