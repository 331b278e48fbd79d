"""Files that a person chooses or drops, taken out of Streamlit's memory once they are kept elsewhere. The only module
that knows where Streamlit holds them."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import state


def file_drop(label: str, *, key: str, folder: bool = False) -> list[UploadedFile]:
    """Draw it; what it returns stays in memory, and chosen, until `empty`."""
    many: Literal[True, "directory"] = "directory" if folder else True
    return st.file_uploader(
        label, accept_multiple_files=many, key=f"{key}-{state.recall(f'{key}-drops', 0)}", label_visibility="collapsed"
    )


def empty(files: Sequence[UploadedFile], *, key: str) -> None:
    """Forget the files: another visitor's page would wait for their memory until this session ends."""
    context = get_script_run_ctx()
    if context is not None:
        for file in files:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    state.remember(f"{key}-drops", state.recall(f"{key}-drops", 0) + 1)
