"""The choice of a set, and filters where choosing nothing means everything, that several pages share."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import identity, state
from dashboard.components.choices import pick
from dashboard.components.page import empty_state
from dashboard.components.widths import box_width
from dashboard.markup import message, plain
from dashboard.services import label, shared
from pipeline.corpus.sets import RecordingSet
from pipeline.i18n import N_, _
from pipeline.people.access import Action, Identity
from pipeline.projects.project import KINDS, Project
from pipeline.records import RubricName

WHOLE_SET = N_("Whole set")


def choose_rater() -> Identity | None:
    """Who the installation knows to sit here; else one of the known names or a new one, kept in the URL."""
    if not identity.is_open():
        return identity.allowed(Action.RATE)
    current = state.chosen(state.RATER)
    names = sorted({*label.known_raters(), *([current] if current else [])})
    name = st.selectbox(
        _("Your name"), names, index=None, key=state.RATER, bind="query-params", accept_new_options=True,
        placeholder=_("Your name"), label_visibility="collapsed",
        width=box_width([_("Your name"), *names], clears=True),
    )  # fmt: skip
    return identity.people().identify(name) if name else None


def choose_project(me: Identity | None, kinds: Sequence[str] = KINDS) -> Project | None:
    """One that is open to this rater, or the whole set; None for the latter. Not drawn where there is no project."""
    projects = [shared.project(name) for name in shared.project_names()]
    names = [p.name for p in projects if p.kind in kinds and (me is None or p.includes(me.name))]
    if not names:
        return None
    tell_unknown_project([*names, WHOLE_SET])
    if state.watched(state.PROJECT) is None and state.chosen(state.SET):  # a link to a set means that set
        state.watch(state.PROJECT, WHOLE_SET)
    options = {**{name: name for name in names}, WHOLE_SET: _(WHOLE_SET)}
    chosen = pick(_("Project"), options, key=state.PROJECT)
    return None if chosen == WHOLE_SET else shared.project(chosen)


def tell_unknown_project(names: Sequence[str]) -> None:
    """Where the address names a project that is none of these, so that nobody takes another one for it."""
    asked = state.watched(state.PROJECT)
    if asked is not None and asked not in names:
        words = _("There is no project “{name}” for you here. Another one is shown; choose it above.")
        st.toast(message(words.format(name=asked)), icon=":material/link_off:", duration="long")


def choose_set(rubric: RubricName | None = None, where: DeltaGenerator | None = None) -> RecordingSet | None:
    """Draw the choice of a recording set, kept in the URL; None, with a hint on what to do, where there is no set.

    The options are the sets' names, as a bound widget writes what it shows into the URL. `where` is the right of a
    page's header: the choice is drawn there without its label, with a short badge.
    """
    sets = {set_.name: set_ for set_ in shared.sets() if rubric is None or set_.rubric == rubric}
    if not sets:
        empty_state(
            _no_set(rubric),
            page="data",
            page_label=_("Import recordings on the Data page"),
        )
        return None
    asked = state.chosen(state.SET)
    if asked not in sets:
        if asked is not None and rubric is None:
            st.warning(
                _("There is no set “{name}”; another set is shown.").format(name=plain(asked)),
                icon=":material/link_off:",
            )
        state.choose(state.SET, next(iter(sets)))
    label = _("Recording set")
    if where is None:
        chosen = sets[st.selectbox(label, list(sets), key=state.SET, bind="query-params")]
        if chosen.synthetic:
            st.badge(_("synthetic speech and labels"), icon=":material/science:", color="orange")
        return chosen
    with where:
        chosen = sets[
            st.selectbox(
                label, list(sets), key=state.SET, bind="query-params", label_visibility="collapsed",
                width=box_width(sets),
            )
        ]  # fmt: skip
        if chosen.synthetic:
            st.badge(
                _("synthetic"), icon=":material/science:", color="orange",
                help=_("The speech and the labels of this set were made by a program."),
            )  # fmt: skip
    return chosen


def choose_some(label: str, values: Sequence[str], key: str) -> list[str]:
    """A multiple choice where choosing nothing means everything."""
    return st.multiselect(label, values, key=key, placeholder=_("All ({n})").format(n=len(values)))


def _no_set(rubric: RubricName | None) -> str:
    if rubric is RubricName.WORD:
        return _("There is no recording set of words yet. Import a folder of recordings, or install the demo set.")
    if rubric is RubricName.SENTENCE:
        return _("There is no recording set of sentences yet. Import a folder of recordings, or install the demo set.")
    return _("There is no recording set yet. Import a folder of recordings, or install the synthetic demo set.")
