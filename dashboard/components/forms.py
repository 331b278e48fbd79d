"""Forms whose fields are emptied once what was typed is kept, and left as they are where it was refused."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import state


def empty_if_kept(form: str, fields: Mapping[str, Any]) -> None:
    """Called before the form is drawn: gives the widgets with the keys `fields` these values after `keep`. A value that
    is only forgotten here would stay in the browser."""
    if state.recall(f"{form}-kept"):
        state.forget(f"{form}-kept")
        for key, value in fields.items():
            state.choose(key, value)


def keep(form: str, toast: str) -> None:
    """Called once what was typed in `form` is kept: say so, and draw the page anew with an empty form."""
    state.remember(f"{form}-kept", True)
    st.toast(toast)
    st.rerun()
