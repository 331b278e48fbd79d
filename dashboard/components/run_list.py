"""What pages say about runs beside those that they list: folders that cannot be read, and a run that was deleted."""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from dashboard import state
from dashboard.markup import message, plain
from pipeline.errors import JobError
from pipeline.i18n import _, ngettext, number
from pipeline.runs import DamagedRun

log = logging.getLogger(__name__)
SHOWN = 5


def say_damaged(damaged: Sequence[DamagedRun]) -> None:
    """One line each: which folder, why, and what to do."""
    lines = [message(folder.text) for folder in damaged[:SHOWN]]
    more = len(damaged) - SHOWN
    if more > 0:
        lines.append(
            ngettext(
                "{n} more folder cannot be read: `pronlab runs list` lists all of them.",
                "{n} more folders cannot be read: `pronlab runs list` lists all of them.",
                more,
            ).format(n=number(more))
        )
    if lines:
        st.warning("  \n".join(lines), icon=":material/folder_off:")


def choose_first_if_gone(run_ids: Collection[str]) -> None:
    """Before the list of runs is drawn: name a chosen run that no longer exists, and choose the newest."""
    chosen = state.chosen(state.RUN)
    if chosen in run_ids:
        return
    if chosen is not None:
        st.info(
            plain(_("The run {run} no longer exists, or its folder cannot be read.").format(run=chosen)),
            icon=":material/delete:",
        )
    state.choose(state.RUN, next(iter(run_ids)))


@contextmanager
def stored(what: str) -> Iterator[None]:
    """Draw what a run left in a file. Where the file is damaged or another version wrote it, that is said in words
    (JobError); the traceback goes to the log of the server."""
    try:
        yield
    except (FileNotFoundError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        log.warning("%s could not be drawn", what, exc_info=True)  # not shown
        reason = f"{type(error).__name__}: {error}"
        raise JobError(
            _(
                "{what} cannot be shown: its file is damaged or from another version ({reason}). The run itself is "
                "unchanged; start it again to write the file anew."
            ).format(what=what, reason=reason)
        ) from error
