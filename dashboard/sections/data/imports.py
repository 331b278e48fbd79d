"""Import recordings: from this machine's disk or from the visitor's own, with the job that does it."""

import streamlit as st

from dashboard import state
from dashboard.components.job_panel import job_panel
from dashboard.sections.data import upload
from dashboard.services import data, jobs
from pipeline.i18n import _


def draw() -> None:
    job = state.watched(state.JOB)
    if job:
        with st.container(border=True):
            job_panel(jobs.job(job), upload.import_report)
    upload.from_browser()
    st.header(_("From the server"))
    with st.form("import"):
        path = st.text_input(
            _("Path on this machine"),
            placeholder="/home/me/corpus",
            help=_("A folder or a manifest that this server can read: a corpus as it is published, or your own."),
        )
        left, right = st.columns(2)
        name = left.text_input(_("Name of the set"), placeholder=_("name of the folder"))
        format_ = right.selectbox(_("Layout"), ["auto", *data.layouts()], format_func=_layout)
        submitted = st.form_submit_button(_("Import recordings"), type="primary", icon=":material/upload:")
    st.caption(_("The audio stays where it is. Importing the same path again adds what is new."))
    if submitted:
        run = data.launch_import(path, name.strip(), format_)
        state.watch(state.JOB, run.id)
        st.rerun()


def _layout(name: str) -> str:
    return _("Detect the layout") if name == "auto" else _(data.layouts()[name])
