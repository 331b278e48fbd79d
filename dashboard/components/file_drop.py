"""Files that a person chooses or drops, taken out of Streamlit's memory once they are kept elsewhere. The only module
that knows where Streamlit holds them."""

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import state


def file_drop(label: str, *, key: str) -> list[UploadedFile]:
    """Draw it; what it returns stays in memory, and chosen, until `empty`."""
    return st.file_uploader(label, accept_multiple_files=True, key=key_of_file_drop(key))


def key_of_file_drop(key: str) -> str:
    """What Streamlit knows it by: a new one whenever it was emptied."""
    return f"{key}-{state.recall(f'{key}-drops', 0)}"


def empty(files: Sequence[UploadedFile], *, key: str) -> None:
    """Forget the files, which would fill the memory until the visitor leaves, and draw an empty one next time."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in files:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    state.remember(f"{key}-drops", state.recall(f"{key}-drops", 0) + 1)
