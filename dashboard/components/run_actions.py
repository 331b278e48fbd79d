"""What may be done to a run that is over."""

import streamlit as st

from dashboard.components.confirm import confirm
from dashboard.markup import plain
from dashboard.services import shared as services
from pipeline.errors import JobError
from pipeline.runs import ACTIVE, RunDirectory


def offer_deletion(run: RunDirectory, label: str = "Delete") -> None:
    """A button with a second question; nothing while the run is active. One that cannot be read can be deleted."""
    try:
        if run.state.status in ACTIVE:
            return
    except JobError:
        if not run.path.is_dir():
            return
    size_mb = run.size_mb
    if confirm(
        plain(label),
        f"**{plain(run.id)}** goes for good, with its checkpoints and its model ({size_mb:.0f} MB). A model that was "
        "deployed from it stays in use.",
        answer="Yes, delete it",
        key=f"delete-{run.id}",
        icon=":material/delete:",
    ):
        services.delete_run(run)
        st.toast(f"{plain(run.id)} is deleted, {size_mb:.0f} MB are free.")
        st.rerun()
