"""How far slow work on a page has come."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.markup import plain
from pipeline.parallel import Progress


@contextmanager
def progress_bar(text: str) -> Iterator[Progress]:
    """A bar that is gone once the work is done."""
    bar = st.progress(0.0, text=text)

    def progress(done: int, total: int, message: str = "") -> None:
        bar.progress(done / max(1, total), plain(message))

    yield progress
    bar.empty()
