"""What every page has: a title, one line on its purpose, and errors told in words at this one place."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.markup import message
from pipeline.errors import PronlabError
from pipeline.optional import missing_package
from pipeline.runs.failures import of_the_system

log = logging.getLogger(__name__)


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Show a PronlabError as its message, and a failure of the system (a full disk, a file that may not be read) in
    words; anything else is a defect and keeps its traceback.

    Use as a decorator on `render()` and on every fragment (fragments rerun without their page).
    """
    try:
        yield
    except PronlabError as error:
        st.error(message(error), icon=":material/error:")
    except OSError as error:
        log.warning("The system refused", exc_info=True)  # not shown
        st.error(message(of_the_system(error)), icon=":material/error:")
    except ModuleNotFoundError as error:
        needed = missing_package(error)
        if needed is None:
            raise
        st.info(message(needed), icon=":material/download:")


def header(title: str, purpose: str) -> DeltaGenerator:
    """One slim row: title, purpose, and on the right (on a phone: below) the page's choices, which go into what this
    returns.

    with header(_("Compare"), _("Scorers and experts on the same recordings.")):
        chosen = choose_set()
    """
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", key="page-header")
    row.title(title, width="content", anchor=False)
    row.caption(purpose, width="stretch")
    return row.container(horizontal=True, vertical_alignment="center", gap="small", width="content")


def empty_state(words: str, *, page: str | None = None, page_label: str = "") -> None:
    """Nothing to show yet: say what to do next, with a link where another page does it."""
    with st.container(border=True):
        st.markdown(words)
        if page is not None:
            st.page_link(f"views/{page}.py", label=page_label, icon=":material/arrow_forward:")
