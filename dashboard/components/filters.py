"""The choice of a set, and filters by participant, text and rater, that several pages share."""

from collections.abc import Sequence
from contextlib import nullcontext

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from dashboard.components.page import empty_state
from dashboard.markup import plain
from dashboard.services import shared as services
from pipeline.corpus.sets import RecordingSet
from pipeline.i18n import _
from pipeline.records import RubricName


def choose_set(rubric: RubricName | None = None, where: DeltaGenerator | None = None) -> RecordingSet | None:
    """Draw the choice of a recording set, kept in the URL; None, with words on what to do, where there is none. `where`
    is a page's header, which has room for the choice but not for words.

    The options are the sets' names, as a bound widget writes what it shows into the URL.
    """
    sets = {set_.name: set_ for set_ in services.sets() if rubric is None or set_.rubric == rubric}
    if not sets:
        kind = f" of {rubric}s" if rubric else ""
        empty_state(
            f"There is no recording set{kind} yet. Import a folder of recordings, or install the synthetic demo.",
            page="data",
            page_label="Import recordings on the Data page",
        )
        return None
    asked = state.chosen(state.SET)
    if asked not in sets:
        if asked is not None and rubric is None:
            st.warning(f"There is no set “{plain(asked)}” here; another one is shown.", icon=":material/link_off:")
        state.choose(state.SET, next(iter(sets)))
    with where or nullcontext():
        chosen = sets[
            st.selectbox(
                _("Recording set"), list(sets), key=state.SET, bind="query-params", width=130 if where else "stretch",
                label_visibility="collapsed" if where else "visible",
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
    return st.multiselect(label, values, key=key, placeholder=f"All {len(values)}")
