"""Step 3: a training, live: loss, gradient, rate, and what the validation clips say."""

from typing import Any

import numpy as np
import streamlit as st

from dashboard.charts import run_charts
from dashboard.components.job_panel import job_panel
from dashboard.components.page import errors_in_words
from dashboard.components.run_actions import offer_deletion
from dashboard.components.run_list import stored
from dashboard.services import jobs
from pipeline import artifacts
from pipeline.runs import RunDirectory, RunState

STEPS = (("loss", "Training loss"), ("gradient_norm", "Gradient norm"), ("rate", "Learning rate"))
VALIDATION = (
    ("miss", "Words missed at 0 to 20 false alarms (%)", 100.0),
    ("ranking", "Ranking loss, by which weights are kept", 1.0),
)  # fmt: skip


def draw(run: RunDirectory) -> None:
    job_panel(run, details)
    report = run.path / "report.json"
    if report.is_file():
        with errors_in_words(), stored(f"The report of {run.id}"):
            _report(artifacts.read_json(report))
    offer_deletion(run)


def details(run: RunDirectory, state: RunState) -> None:
    metrics = jobs.metrics_of(run)
    if not metrics.columns():
        if state.status == "running":
            st.caption("Clips are checked and rendered first; curves follow with the first steps.")
        return
    for column, (name, label) in zip(st.columns(len(STEPS)), STEPS, strict=True):
        column.plotly_chart(
            run_charts.steps(metrics.steps(name), label, log=name == "gradient_norm"), key=f"wakeword-{name}"
        )
    rows = metrics.rows("validation")
    if not rows:
        return
    for column, (name, label, factor) in zip(st.columns(len(VALIDATION)), VALIDATION, strict=True):
        curves = {
            words: (np.array([row["at_step"] for row in some]), np.array([factor * row[key] for row in some]))
            for words, key in (("present weights", f"present_{name}"), ("averaged weights", f"averaged_{name}"))
            if (some := [row for row in rows if key in row])
        }
        column.plotly_chart(run_charts.overlay(curves, "Step", label), key=f"wakeword-validation-{name}")


def _report(report: dict[str, Any]) -> None:
    validation = report["validation"]
    columns = st.columns(4)
    columns[0].metric("Validation misses", f"{validation['miss_at_few_alarms']:.1%}")
    columns[1].metric("Validation words", validation["n_words"])
    columns[2].metric("Averaged weights of" if report["averaged"] else "Weights of", f"step {report['best_step']}")
    columns[3].metric("Training", f"{report['training_s'] / 60:.1f} min")
    st.caption(
        "Misses are the mean at 0 to 20 false alarms on the validation clips, by which weights were chosen. What the "
        "detector is worth, 4 Evaluation says on "
        "clips and hours that had no part in it."
        + ("" if report["sources_known"] else " The clips name no speakers: the same voice may be on both sides.")
    )
