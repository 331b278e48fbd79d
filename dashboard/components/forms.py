"""Forms whose fields are emptied once what was typed is kept, and left as they are where it was refused."""

from collections.abc import Sequence

import streamlit as st

from dashboard import state


def empty_if_kept(form: str, fields: Sequence[str]) -> None:
    """Called before the form is drawn: gives the widgets with the keys `fields` their first values again after
    `keep`."""
    if state.recall(f"{form}-kept"):
        state.forget(f"{form}-kept")
        for key in fields:
            state.reset(key)


def keep(form: str, toast: str) -> None:
    """Called once what was typed in `form` is kept: say so, and draw the page anew with an empty form."""
    state.remember(f"{form}-kept", True)
    st.toast(toast)
    st.rerun()
