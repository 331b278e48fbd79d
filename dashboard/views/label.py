"""Label: a rater listens, rates, goes on, all by keyboard; nothing is called saved before it is on disk."""

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import identity, state
from dashboard.components.filters import choose_set
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections.label import finished, form, pairs, project_info
from dashboard.services import label, shared
from dashboard.services.pairs import PairLabelling
from pipeline.i18n import N_, _
from pipeline.people.access import Action, Identity
from pipeline.projects.project import PAIRS, Project
from pipeline.projects.queue import EmptyQueue

WHOLE_SET = N_("Whole set")
LEFT = "left"


@errors_in_words()
def render() -> None:
    choices = header(_("Label"), _("Listen, rate, next."))
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
    if state.recall(LEFT) == key:
        resume()
        return
    if project is not None and project.kind == PAIRS:
        pairs.draw(me, project, key, lambda desk: leave(desk, key, choices), choices)
        return
    labelling = label.labelling(chosen.name, me, project)
    session: label.Session = state.recall(key, label.Session())
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
    if project is not None:
        project_info.calibration(project, me)


def choose_rater() -> Identity | None:
    """Who the installation knows to sit here; else one of the known names or a new one, kept in the URL."""
    if not identity.is_open():
        return identity.allowed(Action.RATE)
    current = state.chosen(state.RATER)
    names = sorted({*label.known_raters(), *([current] if current else [])})
    name = st.selectbox(
        _("Your name"), names, index=None, key=state.RATER, bind="query-params", accept_new_options=True,
        placeholder=_("Your name"), label_visibility="collapsed", width=150,
    )  # fmt: skip
    return identity.people().identify(name) if name else None


def choose_project(me: Identity | None) -> Project | None:
    """One that is open to this rater, or the whole set; None for the latter. Not drawn where there is no project."""
    names = [name for name in shared.project_names() if me is None or shared.project(name).includes(me.name)]
    if not names:
        return None
    if state.chosen(state.PROJECT) not in [WHOLE_SET, *names]:
        # A link to a set means that set.
        state.choose(state.PROJECT, WHOLE_SET if state.chosen(state.SET) else names[0])
    chosen = st.selectbox(
        _("Project"), [*names, WHOLE_SET], key=state.PROJECT, bind="query-params", label_visibility="collapsed",
        format_func=lambda name: _(name) if name == WHOLE_SET else name, width=140,
    )  # fmt: skip
    return None if chosen == WHOLE_SET else shared.project(chosen)


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
