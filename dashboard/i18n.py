"""Which language a visitor reads: what they chose, else what this browser remembers, else what it asks for.

The choice is kept in a cookie of the browser, written by a component without a frame.
"""

from functools import cache
from pathlib import Path

import streamlit as st

from dashboard import state
from pipeline import i18n
from pipeline.i18n import _

COOKIE = "pronlab-language"
SCRIPT = Path(__file__).parent / "components" / "language" / "language.js"


def chosen_language() -> str:
    """Of the visitor of this thread; English where there is none. Every string asks, so that it is looked up once a
    session: a session's cookies and headers are those it began with."""
    chosen = state.recall("language") or state.recall("browser-language")
    if chosen is None:
        chosen = i18n.nearest(st.context.cookies.get(COOKIE) or st.context.locale)
        state.remember("browser-language", chosen)
    return str(chosen)


def selector() -> None:
    """The choice, in the sidebar."""
    known = i18n.languages()
    # Without a gap, as the component beneath the choice shows nothing.
    container = st.sidebar.container(gap=None)
    chosen = container.selectbox(
        _("Language"), list(known), index=list(known).index(chosen_language()), format_func=known.__getitem__,
        key="language", on_change=_remember, label_visibility="collapsed",
    )  # fmt: skip
    writer = st.components.v2.component("pronlab_language", js=_script())
    picked = state.recall("language") is not None
    with container:
        writer(key="language-cookie", data={"language": chosen, "cookie": COOKIE if picked else ""})


@cache
def _script() -> str:
    return SCRIPT.read_text(encoding="utf-8")


def _remember() -> None:
    state.remember("language", state.chosen("language"))


i18n.language_from(chosen_language)
