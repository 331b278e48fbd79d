"""A background run as a page shows it: status, progress, log, stop. It only reads the run directory.

While the run is active the panel redraws itself each second without its page; when the run ends, the page is drawn
once more so that everything else on it shows the new state.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from dashboard.components.page import errors_in_words, plain
from dashboard.services import settings
from pipeline.jobs.launcher import RESUMABLE, go_on
from pipeline.runs import ACTIVE, RunDirectory, RunState

STATUS_WORDS = {
    "queued": ("Waiting to start", "hourglass_empty", "gray"),
    "running": ("Running", "sync", "blue"),
    "stopping": ("Stopping after the current step", "front_hand", "orange"),
    "finished": ("Finished", "check_circle", "green"),
    "stopped": ("Stopped on request", "stop_circle", "orange"),
    "failed": ("Failed", "error", "red"),
    "lost": ("Lost: no sign of life", "help", "red"),
}

Details = Callable[[RunDirectory, RunState], None]


def job_panel(run: RunDirectory, details: Details | None = None) -> RunState:
    """Draw the run, live while it is active; `details` draws what is special to its kind (curves, reports)."""
    state = run.state
    if state.status in ACTIVE:
        _live(run, details)
    else:
        _draw(run, state, details)
    return state


@st.fragment(run_every=1.0)
@errors_in_words()
def _live(run: RunDirectory, details: Details | None) -> None:
    state = run.state
    if state.status not in ACTIVE:
        st.rerun()
    _draw(run, state, details)
    if st.button("Stop", icon=":material/stop:", key=f"stop-{run.id}", disabled=state.status == "stopping"):
        run.request_stop()
        st.toast("Asked to stop; it ends after its current step and keeps what it has.")


def _draw(run: RunDirectory, state: RunState, details: Details | None) -> None:
    words, icon, colour = STATUS_WORDS[state.status]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(words, icon=f":material/{icon}:", color=colour)
        st.markdown(f"**{state.name}** · {state.kind} · {_elapsed(state)}")
    if state.status in ACTIVE:
        st.progress(min(1.0, max(0.0, state.progress or 0.0)), text=state.message or "Starting …")
    elif state.message:
        st.caption(state.message)
    if state.error:
        st.error(plain(state.error), icon=":material/error:")
    over = state.kind in RESUMABLE and state.status in ("stopped", "failed", "lost")
    if over and st.button(
        "Go on", icon=":material/play_arrow:", key=f"resume-{run.id}", help="From its last checkpoint."
    ):
        go_on(settings(), run)
        st.rerun()
    if details is not None:
        details(run, state)
    log = run.log_tail()
    if log:
        with st.expander("Log", icon=":material/notes:", expanded=state.status in ("failed", "lost")):
            st.code(log, language=None, height=240)


def _elapsed(state: RunState) -> str:
    """How long the run has lasted, or lasted until its end."""
    start = datetime.fromisoformat(state.created_at)
    end = datetime.fromisoformat(state.ended_at) if state.ended_at else datetime.now(UTC)
    if state.status == "lost":
        end = datetime.fromisoformat(state.heartbeat_at)
    seconds = max(0, round((end - start).total_seconds()))
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
