"""Words of Streamlit's own that it has in English only, in the language of the page: CSS puts others in their place."""

import streamlit as st

from pipeline.i18n import _

DROPZONE = "[data-testid=stFileUploaderDropzone]"  # not shown


def translate() -> None:
    """For the whole page, once."""
    choose, drop = _("Choose a file"), _("or drop it here")
    st.html(
        "<style>"  # not shown
        f"{DROPZONE} button p {{visibility: hidden; font-size: 0;}}"  # not shown
        f'{DROPZONE} button p::after {{content: "{choose}"; visibility: visible; font-size: 0.875rem;}}'  # not shown
        "@media (min-width: 769px) {"  # not shown; a phone drops nothing
        f'{DROPZONE}::after {{content: "{drop}"; align-self: center; opacity: 0.65; font-size: 0.875rem;}}'  # not shown
        "}"
        "</style>"
    )
