"""What pages say about runs beside those that they list: folders that cannot be read, and a run that was deleted."""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from dashboard.components.choices import pick
from dashboard.components.run_actions import offer_deletion
from dashboard.markup import message, plain
from pipeline.errors import JobError
from pipeline.i18n import _, ngettext, number
from pipeline.model_names import short_names
from pipeline.runs import DamagedRun, RunDirectory

log = logging.getLogger(__name__)
SHOWN = 5


def say_damaged(damaged: Sequence[DamagedRun], *, deletable: bool = False) -> None:
    """How many there are, in one line that opens: which folder, why, and what to do; with a button for each where they
    are `deletable`."""
    if not damaged:
        return
    n = len(damaged)
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
    title = ngettext("{n} run cannot be read", "{n} runs cannot be read", n).format(n=number(n))
    with st.expander(title, icon=":material/folder_off:"):
        st.markdown("\n".join(f"- {line}" for line in lines))
        with st.container(horizontal=True):
            for folder in damaged[:SHOWN] if deletable else ():
                offer_deletion(RunDirectory(folder.path), _("Delete {folder}").format(folder=folder.path.name))


def choose_run(label: str, run_ids: Collection[str], where: DeltaGenerator) -> str:
    """Draw the choice of a run in `where`, by its short name; one that the URL asks for and that no longer exists is
    named, and the newest chosen."""
    asked = state.watched(state.RUN)
    if asked is not None and asked not in run_ids:
        st.info(
            plain(_("The run {run} no longer exists, or its folder cannot be read.").format(run=asked)),
            icon=":material/delete:",
        )
    with where:
        return pick(label, short_names(run_ids), key=state.RUN)


@contextmanager
def stored(title: str) -> Iterator[None]:
    """Draw what a run left in a file. Where the file is damaged or another version wrote it, that is said in words
    (JobError); the traceback goes to the log of the server."""
    try:
        yield
    except (FileNotFoundError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        log.warning("%s could not be drawn", title, exc_info=True)  # not shown
        reason = f"{type(error).__name__}: {error}"
        raise JobError(
            _(
                "{what} cannot be shown: its file is damaged or from another version ({reason}). The run itself is "
                "unchanged; start it again to write the file anew."
            ).format(what=title, reason=reason)
        ) from error
