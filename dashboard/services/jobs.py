"""What pages ask about work in the background: trainings, imports, scoring; its state, stopping, resuming, deleting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import identity
from dashboard.identity import asks
from dashboard.services.shared import settings
from pipeline.people.access import Action
from pipeline.runs.metrics import MetricsReader

if TYPE_CHECKING:
    from pipeline.runs import RunDirectory, RunState


@asks(Action.TRAIN, Action.IMPORT_DATA, Action.SCORE_SETS)
def job(run_id: str) -> RunDirectory:
    """Work in the background that is no training. Raises JobError where there is none with that id."""
    from pipeline.runs import RunDirectory

    return RunDirectory.open(settings().jobs_root, run_id)


def _needed_action(run: RunDirectory) -> Action:
    """What a person must be allowed to do to see and stop this work."""
    from pipeline.scoring.batch import SCORING_JOB

    return {"import": Action.IMPORT_DATA, SCORING_JOB: Action.SCORE_SETS}.get(run.state.kind, Action.TRAIN)


@asks(Action.TRAIN, Action.IMPORT_DATA, Action.SCORE_SETS)
def state_of(run: RunDirectory) -> RunState:
    """The state of the work; a cluster is asked whether the work still waits in its queue."""
    from pipeline.jobs.launcher import check_queue

    identity.allowed(_needed_action(run))
    check_queue(run)
    return run.state


@asks(Action.TRAIN, Action.IMPORT_DATA, Action.SCORE_SETS)
def stop(run: RunDirectory, *, now: bool = False) -> None:
    """Ask the work to end after its current step; `now` kills it."""
    from pipeline.jobs.launcher import end_now

    identity.allowed(_needed_action(run))
    if now:
        end_now(run)
    else:
        run.request_stop()


@asks(Action.TRAIN)
def resume(run: RunDirectory) -> None:
    """Resume a stopped, failed or lost run from its last checkpoint."""
    from pipeline.jobs import launcher

    launcher.resume(settings(), run, identity.allowed(Action.TRAIN))


@asks(Action.TRAIN)
def delete(run: RunDirectory) -> None:
    """Delete the folder of a run that is not active. Raises JobError."""
    run.delete()


@st.cache_resource(max_entries=32, show_spinner=False)
def _reader(metrics: Path) -> MetricsReader:
    return MetricsReader(metrics)


@asks(Action.TRAIN)
def metrics_of(run: RunDirectory) -> MetricsReader:
    """What the run has logged so far; only what is new since the last call is read."""
    return _reader(run.path / "metrics.jsonl").refresh()
