"""A background run as a page shows it: status, progress, log, stop. It only reads the run directory.

While the run is active the panel redraws itself each second without its page; when the run ends, the page is drawn
once more so that everything else on it shows the new state.
"""

from collections.abc import Callable

import streamlit as st

from dashboard.charts import run_charts
from dashboard.components.page import errors_in_words
from dashboard.components.run_list import stored
from dashboard.markup import message, plain
from dashboard.services import shared as services
from pipeline.jobs.launcher import GRACE_S, RESUMABLE
from pipeline.runs import ACTIVE, RunDirectory, RunGone, RunState
from pipeline.runs.metrics import is_number

STATUS_WORDS = {
    "queued": ("Waiting to start", "hourglass_empty", "gray"),
    "running": ("Running", "sync", "blue"),
    "stopping": ("Stopping after the current step", "front_hand", "orange"),
    "finished": ("Finished", "check_circle", "green"),
    "stopped": ("Stopped on request", "stop_circle", "orange"),
    "failed": ("Failed", "error", "red"),
    "lost": ("Lost: no sign of life", "help", "red"),
}

USAGE = (
    ("cpu", "Processor (cores)"), ("memory_gb", "Memory (GB)"), ("gpu", "GPU (share of time)"),
    ("gpu_memory_gb", "GPU memory (GB)"),
)  # fmt: skip

Details = Callable[[RunDirectory, RunState], None]


def job_panel(run: RunDirectory, details: Details | None = None) -> RunState:
    """Draw the run, live while it is active; `details` draws what is special to its kind (curves, reports)."""
    state = services.work_state(run)
    if state.status in ACTIVE:
        _live(run, details)
    else:
        _draw(run, state, details)
    return state


@st.fragment(run_every=1.0)
@errors_in_words()
def _live(run: RunDirectory, details: Details | None) -> None:
    try:
        state = services.work_state(run)
    except RunGone:  # the page says so, and shows what is there
        st.rerun()
    if state.status not in ACTIVE:
        st.rerun()
    _draw(run, state, details)
    with st.container(horizontal=True):
        if st.button("Stop", icon=":material/stop:", key=f"stop-{run.id}", disabled=state.status == "stopping"):
            services.stop_work(run)
            st.toast("Asked to stop; it ends after its current step and keeps what it has.")
        asked = run.stop_requested_s_ago
        late = asked is not None and asked > GRACE_S
        if late and st.button("End it now", icon=":material/dangerous:", key=f"kill-{run.id}"):
            services.stop_work(run, now=True)
            st.rerun()
    if late:
        st.caption(
            "It was asked to stop and still works on a step. Ended now, it loses what it did since it last saved."
        )


def _draw(run: RunDirectory, state: RunState, details: Details | None) -> None:
    words, icon, colour = STATUS_WORDS[state.status]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(words, icon=f":material/{icon}:", color=colour)
        st.markdown(f"**{plain(state.name)}** · {plain(state.kind)} · {_elapsed(state)}")
    if state.status in ACTIVE:
        st.progress(min(1.0, max(0.0, state.progress or 0.0)), text=plain(state.message or "Starting …"))
    elif state.message:
        st.caption(plain(state.message))
    if state.error:
        st.error(message(state.error), icon=":material/error:")
    over = state.kind in RESUMABLE and state.status in ("stopped", "failed", "lost")
    if over and st.button(
        "Go on", icon=":material/play_arrow:", key=f"resume-{run.id}", help="From its last checkpoint."
    ):
        services.resume_work(run)
        st.rerun()
    if details is not None:
        with errors_in_words(), stored(f"What {run.id} has logged"):
            details(run, state)
    _usage(run)
    log = run.log_tail()
    if log:
        with st.expander("Log", icon=":material/notes:", expanded=state.status in ("failed", "lost")):
            st.code(log, language=None, height=240)


def _usage(run: RunDirectory) -> None:
    """Processor, memory and GPU of the last hour."""
    rows = [row for row in run.usage() if is_number(row.get("cpu")) and is_number(row.get("memory_gb"))]
    if len(rows) < 2:
        return
    last = rows[-1]
    words = f"{last['cpu']:.1f} cores, {last['memory_gb']:.1f} GB"
    if is_number(last.get("gpu")) and is_number(last.get("gpu_memory_gb")):
        words += f", GPU {last['gpu']:.0%}, {last['gpu_memory_gb']:.1f} GB"
    with st.expander(f"Processor, memory and GPU: {words}", icon=":material/memory:"):
        drawn = [(name, label) for name, label in USAGE if is_number(last.get(name))]
        for column, (name, label) in zip(st.columns(len(drawn)), drawn, strict=True):
            column.plotly_chart(run_charts.usage(rows, name, label), key=f"usage-{name}-{run.id}")


def _elapsed(state: RunState) -> str:
    seconds = round(state.elapsed_s)
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
