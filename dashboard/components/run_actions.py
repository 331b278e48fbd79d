"""What may be done to a run that is over."""

import streamlit as st

from dashboard.components.confirm import confirm
from dashboard.markup import plain
from dashboard.services import jobs
from pipeline.errors import JobError
from pipeline.i18n import _, number
from pipeline.model_names import short_names
from pipeline.runs import ACTIVE, RunDirectory


def offer_deletion(run: RunDirectory, label: str | None = None) -> None:
    """A button with a second question; nothing while the run is active. One that cannot be read can be deleted."""
    try:
        if run.state.status in ACTIVE:
            return
    except JobError:
        if not run.path.is_dir():
            return
    size = number(run.size_mb)
    question = _(
        "**{run}** will be permanently deleted, with its checkpoints and its model ({size} MB). A model deployed from "
        "it stays deployed."
    )
    if confirm(
        plain(_("Delete") if label is None else label),
        question.format(run=plain(run.id), size=size),
        answer=_("Delete permanently"),
        key=f"delete-{run.id}",
        icon=":material/delete:",
    ):
        jobs.delete(run)
        st.toast(_("Deleted {run} and freed {size} MB.").format(run=plain(short_names([run.id])[run.id]), size=size))
        st.rerun()
