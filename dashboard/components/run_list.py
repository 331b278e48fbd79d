"""What pages say of runs beside those that they list: folders that cannot be read, and a run that is gone."""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from dashboard import state
from dashboard.markup import message, plain
from pipeline.errors import JobError
from pipeline.runs import DamagedRun

log = logging.getLogger(__name__)
SHOWN = 5


def say_damaged(damaged: Sequence[DamagedRun]) -> None:
    """One line each: which folder, why, and what to do."""
    lines = [message(one.text) for one in damaged[:SHOWN]]
    if len(damaged) > SHOWN:
        lines.append(f"{len(damaged) - SHOWN} more folders cannot be read: `pronlab runs list` names all of them.")
    if lines:
        st.warning("  \n".join(lines), icon=":material/folder_off:")


def choose_first_if_gone(run_ids: Collection[str]) -> None:
    """Before the list of runs is drawn: a chosen run that is not there any more is named, and the newest chosen."""
    chosen = state.chosen(state.RUN)
    if chosen in run_ids:
        return
    if chosen is not None:
        st.info(
            plain(f"The run {chosen} is gone: its folder was deleted, or it cannot be read."), icon=":material/delete:"
        )
    state.choose(state.RUN, next(iter(run_ids)))


@contextmanager
def stored(what: str) -> Iterator[None]:
    """Draw what a run left in a file. Where the file was damaged, or another version wrote it, that is said in words
    (JobError); the traceback goes to the log of the server."""
    try:
        yield
    except (FileNotFoundError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        log.warning("%s could not be drawn", what, exc_info=True)
        raise JobError(
            f"{what} cannot be shown: its file is damaged or of another version ({type(error).__name__}: {error}). "
            "The run itself is untouched; run it again to have it written anew."
        ) from error
