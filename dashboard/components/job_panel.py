"""A background run as a page shows it: status, progress, curves, log, stop. It only reads the run directory.

While the run is active the panel redraws itself each second without its page; when the run ends, the page is drawn
once more so that everything else on it shows the new state.
"""

from collections.abc import Callable

import streamlit as st

from dashboard.charts import run_charts
from dashboard.components.page import errors_in_words
from dashboard.components.run_list import stored
from dashboard.components.run_words import STATUSES
from dashboard.markup import message, plain
from dashboard.services import jobs
from pipeline.i18n import N_, _, number, percent
from pipeline.jobs.launcher import GRACE_S, is_resumable
from pipeline.jobs.requirements import missing_for
from pipeline.runs import ACTIVE, RunDirectory, RunGone, RunState
from pipeline.runs.messages import translated
from pipeline.runs.metrics import is_number
from pipeline.runs.words import kind_name

USAGE = (
    ("cpu", N_("CPU (cores)")),
    ("memory_gb", N_("Memory (GB)")),
    ("gpu", N_("GPU (share of time)")),
    ("gpu_memory_gb", N_("GPU memory (GB)")),
)

Details = Callable[[RunDirectory, RunState], None]


def job_panel(run: RunDirectory, details: Details | None = None) -> RunState:
    """Draw the run, live while it is active; `details` draws what is special to its kind (curves, reports)."""
    state = jobs.state_of(run)
    if state.status in ACTIVE:
        _live(run, details)
    else:
        _draw(run, state, details)
    return state


@st.fragment(run_every=1.0)
@errors_in_words()
def _live(run: RunDirectory, details: Details | None) -> None:
    try:
        state = jobs.state_of(run)
    except RunGone:  # the page says so, and shows what is there
        st.rerun()
    if state.status not in ACTIVE:
        st.rerun()
    _draw(run, state, details)
    with st.container(horizontal=True):
        if st.button(_("Stop"), icon=":material/stop:", key=f"stop-{run.id}", disabled=state.status == "stopping"):
            jobs.stop(run)
            st.toast(_("Stopping after the current step. What it has saved is kept."))
        requested_s_ago = run.stop_requested_s_ago
        late = requested_s_ago is not None and requested_s_ago > GRACE_S
        if late and st.button(_("Stop now"), icon=":material/dangerous:", key=f"kill-{run.id}"):
            jobs.stop(run, now=True)
            st.rerun()
    if late:
        st.caption(_("The current step takes long. Stopping now loses what was done since the last save."))


def _draw(run: RunDirectory, state: RunState, details: Details | None) -> None:
    status = STATUSES[state.status]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(_(status.name), icon=f":material/{status.icon}:", color=status.colour)
        st.markdown(f"**{plain(state.name)}** · {plain(kind_name(state.kind))} · {_elapsed(state)}", help=plain(run.id))
    if state.status in ACTIVE:
        text = translated(state.message) if state.message else _("Starting …")
        st.progress(min(1.0, max(0.0, state.progress or 0.0)), text=plain(text))
    elif state.message and state.status != "finished":
        st.caption(plain(translated(state.message)))
    if state.error:
        st.error(message(translated(state.error)), icon=":material/error:")
    resumable = is_resumable(state)
    lacking = missing_for(state.kind) if resumable else None
    if resumable and st.button(
        _("Resume"), icon=":material/play_arrow:", key=f"resume-{run.id}", disabled=lacking is not None,
        help=_("From its last checkpoint.") if lacking is None else message(lacking),
    ):  # fmt: skip
        jobs.resume(run)
        st.rerun()
    if details is not None:
        with errors_in_words(), stored(_("The log of {run}").format(run=run.id)):
            details(run, state)
    _usage(run)
    log = run.log_tail()
    if log:
        with st.expander(_("Log"), icon=":material/notes:", expanded=state.status in ("failed", "lost")):
            st.code(log, language=None, height=240)


def _usage(run: RunDirectory) -> None:
    """CPU, memory and GPU of the last hour."""
    rows = [row for row in run.usage() if is_number(row.get("cpu")) and is_number(row.get("memory_gb"))]
    if len(rows) < 2:
        return
    last = rows[-1]
    words = _("CPU and memory: {cores} cores, {memory} GB").format(
        cores=number(last["cpu"], 1), memory=number(last["memory_gb"], 1)
    )
    if is_number(last.get("gpu")) and is_number(last.get("gpu_memory_gb")):
        words += _("; GPU: {share}, {memory} GB").format(
            share=percent(last["gpu"]), memory=number(last["gpu_memory_gb"], 1)
        )
    with st.expander(words, icon=":material/memory:"):
        drawn = [(name, _(label)) for name, label in USAGE if is_number(last.get(name))]
        for column, (name, label) in zip(st.columns(len(drawn)), drawn, strict=True):
            column.plotly_chart(run_charts.usage(rows, name, label), key=f"usage-{name}-{run.id}")


def _elapsed(state: RunState) -> str:
    seconds = round(state.elapsed_s)
    if seconds < 60:
        return _("{seconds} s").format(seconds=seconds)
    if seconds < 3600:
        return _("{minutes} min {seconds} s").format(minutes=seconds // 60, seconds=seconds % 60)
    return _("{hours} h {minutes} min").format(hours=number(seconds // 3600), minutes=seconds % 3600 // 60)
