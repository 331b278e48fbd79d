"""Label: a rater listens, rates, goes on, all by keyboard; nothing is called saved before it is on disk."""

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import identity, state
from dashboard.components import discussion
from dashboard.components.filters import choose_project, choose_rater, choose_set
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.markup import message
from dashboard.sections.label import finished, form, pairs, project_info
from dashboard.services import label
from dashboard.services.pairs import PairLabelling
from pipeline.errors import PronlabError
from pipeline.i18n import _
from pipeline.people.access import Action, Identity
from pipeline.projects.project import PAIRS
from pipeline.projects.queue import EmptyQueue

LEFT = "left"


@errors_in_words()
def render() -> None:
    choices = header(_("Label"), _("Listen, rate, next."))
    open_set_of_address()
    with choices:
        me = choose_rater()
        project = choose_project(me)
    chosen = label.set_of(project) if project is not None else choose_set(where=choices)
    if chosen is None:
        return
    if me is None:
        empty_state(
            _(
                "Choose or type your name above to begin: your ratings are saved under it. Other people's ratings and "
                "machine scores stay hidden here."
            )
        )
        return
    key = f"label/{chosen.name}/{'' if project is None else project.name}/{me.name}"
    if state.recall(LEFT) == key and state.watched(state.RECORDING) is None:
        resume()
        return
    if project is not None and project.kind == PAIRS:
        pairs.draw(me, project, key, lambda desk: leave(desk, key, choices), choices)
        return
    labelling = label.labelling(chosen.name, me, project)
    session = opened_by_address(labelling, key)
    progress = labelling.progress()
    if project is not None and progress is not None:
        project_info.instructions(project, beside=choices, is_new=progress.done == 0)
    current = labelling.open_recording(session)
    if isinstance(current, EmptyQueue):
        finished.nothing_left(chosen, me, project, progress, current)
    else:
        session = replace(session, item=current.item)
        state.remember(key, session)
        form.draw(labelling, chosen, me, session, current, project, progress, key)
        if current.item is not None:
            leave(labelling, key, choices)
            keep_reserved(labelling, me, key)
        discussion.draw(current.recording)
    if project is not None:
        project_info.calibration(project, me)


def open_set_of_address() -> None:
    """An address that names a recording and nothing else means the set of that recording."""
    recording = state.watched(state.RECORDING)
    if recording and not state.chosen(state.SET) and not state.chosen(state.PROJECT):
        state.choose(state.SET, recording.partition("/")[0])


def opened_by_address(labelling: label.Labelling, key: str) -> label.Session:
    """The session, with the recording that the address names open until something is done with it."""
    session: label.Session = state.recall(key, label.Session())
    asked = state.watched(state.RECORDING)
    if asked is None or session.reopened == asked:
        return session
    state.forget(LEFT)
    try:
        session = labelling.go_to(session, asked)
    except PronlabError as error:
        st.warning(message(error), icon=":material/link_off:")
        state.watch(state.RECORDING, None)
        return session
    state.remember(key, session)
    return session


def leave(labelling: label.Labelling | PairLabelling, key: str, where: DeltaGenerator) -> None:
    if where.button(_("Leave"), icon=":material/logout:", help=_("Release this recording for other raters.")):
        labelling.leave()
        state.forget(key)
        state.remember(LEFT, key)
        st.rerun()


def resume() -> None:
    """Drawn after `leave`."""
    st.success(_("The recording is free for others again. Your ratings are saved."), icon=":material/check:")
    if st.button(_("Continue rating"), type="primary", icon=":material/play_arrow:"):
        state.forget(LEFT)
        st.rerun()


@st.fragment(run_every=120.0)
@errors_in_words()
def keep_reserved(labelling: label.Labelling, me: Identity, key: str) -> None:
    """While the page is open, nobody else gets the recording."""
    if identity.is_still(me, Action.RATE):
        labelling.keep(state.recall(key, label.Session()))


if __name__ == "__main__":
    render()
