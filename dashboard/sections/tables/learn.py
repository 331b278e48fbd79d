"""What can be learnt from, starting a training, and what trainings found."""

from typing import Any

import streamlit as st

from dashboard.charts import score_charts
from dashboard.components.confirm import confirm
from dashboard.components.page import empty_state, errors_in_words
from dashboard.components.run_list import say_damaged, stored
from dashboard.markup import message, plain
from dashboard.services import tables
from pipeline.metrics.regression import TARGETS
from pipeline.presets import build
from pipeline.runs import ACTIVE, RunDirectory
from pipeline.tabular.config import MODELS, SEARCHES, TabularConfig

EVERY_S = 1.0
SEARCH_WORDS = {"none": "none: as it comes", "grid": "grid: every combination of a few", "optuna": "Optuna: 20 trials"}
FIGURES = {"mae": "MAE", "rmse": "RMSE", "r2": "R²", "pcc": "PCC", "within_10": "Within 10 points", "n": "n"}


def clean(task: str, source: str) -> None:
    found = tables.cleaning(task, source)
    columns = st.columns(4)
    columns[0].metric("Items", f"{found.n:,}")
    columns[1].metric("Usable", f"{len(found.kept):,}")
    columns[2].metric("People", f"{found.n_groups:,}")
    columns[3].metric("Contradictions", f"{len(found.conflicts):,}")
    for warning in found.warnings:
        st.warning(message(warning), icon=":material/balance:")
    left, right = st.columns(2)
    with left:
        st.markdown("**Left out, and why**")
        if found.dropped:
            st.dataframe([{"It": why, "Items": n} for why, n in found.dropped.items()], hide_index=True)
        else:
            st.caption("Nothing.")
    with right:
        st.plotly_chart(
            score_charts.score_histogram({"labels": [row.label or 0.0 for row in found.kept]}), key="table-labels"
        )


def train(task: str, source: str) -> None:
    with st.form("table-train", border=False), errors_in_words():
        left, middle, right = st.columns(3)
        model = left.selectbox("Model", MODELS)
        search = middle.selectbox("Search for settings", SEARCHES, format_func=SEARCH_WORDS.__getitem__)
        folds = right.number_input("Folds, over people", 2, 20, 5)
        if st.form_submit_button("Train", type="primary", icon=":material/play_arrow:"):
            depth = 3 if model == "boosting" else 0
            values = {"task": task, "source": source, "model": model, "search": search, "folds": folds, "depth": depth}
            config = build(TabularConfig, {**values, "name": f"{task}-{model}"})
            st.toast(f"{plain(tables.start(config))} has started.")
    _watch(task)


@st.fragment(run_every=EVERY_S)
@errors_in_words()
def _watch(task: str) -> None:
    found = tables.runs(task)
    say_damaged(found.damaged)
    active = [run for run in found.records if run.state.status in ACTIVE]
    for run in active:
        st.progress(
            min(1.0, max(0.0, run.state.progress or 0.0)),
            text=plain(f"{run.directory.id}: {run.state.message or run.state.status}"),
        )
    if not active:
        newest = next(iter(found.records), None)
        if newest is None:
            st.caption("No training has run yet. One takes seconds to a minute.")
        elif newest.state.status in ("failed", "lost"):
            st.error(
                message(f"{newest.directory.id} {newest.state.status}: {newest.state.error}"), icon=":material/error:"
            )
        else:
            st.caption(plain(f"{newest.directory.id} is {newest.state.status}: see Results."))


def results(task: str) -> None:
    found = tables.runs(task)
    say_damaged(found.damaged)
    runs = {run.directory.id: run for run in found.records if tables.has_report(run.directory)}
    if not runs:
        empty_state("No training has finished yet. Start one under Train.")
        return
    chosen = st.selectbox("Run", list(runs), format_func=lambda name: f"{name} ({runs[name].state.created_at[:16]})")
    run = runs[chosen].directory
    with stored(f"The report of {run.id}"):
        _result(task, run, tables.report(run))


def _result(task: str, run: RunDirectory, report: dict[str, Any]) -> None:
    rows = {"this model": report["metrics"], **report["baselines"]}
    st.dataframe([{"Scorer": name, **_figures(found)} for name, found in rows.items()], hide_index=True)
    low, high = report["metrics"]["intervals"]["mae"]
    goals = next(target for target in TARGETS if target.metric == "mae")
    st.caption(
        f"Out of fold: nobody's items were learnt from and judged at once. MAE 95 %: {low:.1f} to {high:.1f} (over "
        f"people); below {goals.acceptable:g} is acceptable, {goals.good:g} good, {goals.excellent:g} excellent."
    )
    _deployment(task, run)
    left, right = st.columns(2)
    left.markdown("**What it uses** (share of what its splits gain)")
    left.plotly_chart(_importance(report["importance"], "Share"), key="table-importance")
    right.markdown("**What it needs** (points of MAE lost when shuffled, out of fold)")
    right.plotly_chart(_importance(report["permutation"], "Points of MAE"), key="table-permutation")
    st.subheader("Where it errs")
    _errors(report["errors"])


def _importance(values: dict[str, float], label: str) -> Any:
    return score_charts.importance(list(values), list(values.values()), most=15, label=label)


def _figures(found: dict[str, Any]) -> dict[str, Any]:
    return {label: None if found[name] is None else round(found[name], 2) for name, label in FIGURES.items()}


def _deployment(task: str, run: RunDirectory) -> None:
    used = tables.in_use(task)
    st.markdown("In use: **the rule**." if used is None else f"In use: **{plain(used.info.model_id)}**.")
    with st.container(horizontal=True):
        if (used is None or used.info.model_id != run.id) and confirm(
            "Put it into use", f"From now on {plain(run.id)} answers for this task.", answer="Yes, put it into use",
            key=f"table-deploy-{run.id}", icon=":material/rocket_launch:",
        ):  # fmt: skip
            tables.deploy(run)
            st.rerun()
        if used is not None and confirm(
            "Roll back", "What answered before answers again.", answer="Yes, go back", key="table-back",
            icon=":material/undo:",
        ):  # fmt: skip
            st.toast(f"{plain(tables.roll_back(task) or 'The rule')} answers again.")
            st.rerun()


def _errors(errors: dict[str, Any]) -> None:
    st.dataframe(
        [
            {
                "Item": one["content"],
                "By": one["group"],
                "Label": round(one["label"], 1),
                "Predicted": round(one["predicted"], 1),
            }
            for one in errors["worst"]
        ],
        hide_index=True,
    )
    left, middle, right = st.columns(3)
    for column, label, name in ((left, "Person", "by_group"), (middle, "Band of the label", "by_band")):
        column.dataframe(
            [
                {label: one["name"], "n": one["n"], "MAE": round(one["mae"], 1), "Bias": round(one["bias"], 1)}
                for one in errors[name]
            ],
            hide_index=True,
        )
    right.dataframe(
        [
            {"Feature": one["feature"], "MAE by its quarters": ", ".join(f"{mae:.1f}" for mae in one["mae_by_quarter"])}
            for one in errors["by_feature"]
        ],
        hide_index=True,
    )
