"""The sections of the Compare page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.charts import score_charts
from dashboard.components.job_panel import job_panel
from dashboard.components.page import errors_in_words
from dashboard.components.run_list import say_damaged
from dashboard.components.worst_cases import worst_cases
from dashboard.markup import plain
from dashboard.services import compare as comparison
from dashboard.services import jobs
from dashboard.services import shared as services
from pipeline.corpus.sets import RecordingSet
from pipeline.errors import JobError

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from pipeline.runs import RunDirectory

CONSENSUS = "Consensus (median of all raters)"


def score_more(chosen: RecordingSet, *, expanded: bool) -> None:
    """A start button for scoring the set, and the scoring that goes on."""
    with st.expander("Score this set with another scorer", icon=":material/play_circle:", expanded=expanded):
        scorer = st.selectbox("Scorer", services.scorer_names(chosen.rubric), key="compare-new-scorer")
        st.caption(
            "It runs in the background; you may leave this page. Earlier predictions of the scorer are replaced."
        )
        if st.button("Score all recordings", type="primary", icon=":material/play_arrow:"):
            state.watch(state.JOB, services.launch_scoring(chosen.name, scorer).id)
    say_damaged(services.damaged_jobs())
    job = _watched_job() or services.active_scoring(chosen.name)
    if job is not None:
        with st.container(border=True), errors_in_words():
            job_panel(job)


def _watched_job() -> RunDirectory | None:
    """The job in the URL; an old link may name one that is gone."""
    watched = state.watched(state.JOB)
    try:
        return jobs.job(watched) if watched else None
    except JobError:
        state.watch(state.JOB, None)
        return None


def choose_rater(labels: pd.DataFrame) -> str | None:
    """One evaluator, or None for the consensus."""
    evaluators = sorted(labels.loc[labels["action"] == "rate", "evaluator"].unique())
    rater = st.selectbox("Compare with", [CONSENSUS, *evaluators], key="compare-rater")
    return None if rater == CONSENSUS else rater


def provenance(chosen: RecordingSet, table: pd.DataFrame, rater: str | None) -> None:
    """How many recordings the figures rest on, what was held out, and whose scores these are."""
    n, speakers = table["recording_id"].nunique(), table["speaker"].nunique()
    st.markdown(
        f"**{n} recording{'s' * (n != 1)} of {speakers} participant{'s' * (speakers != 1)}**, against "
        f"{plain(rater or 'the consensus of the raters')}. Only recordings that every scorer shown has scored."
    )
    if (table["source"] == "synthetic").any():
        st.info(
            "These expert scores are **synthetic**: they follow from the faults put into the demo's speech, "
            "and say nothing about real listeners.",
            icon=":material/science:",
        )
    for scorer, rows in table[table["scoring_method"] == "ml_model"].groupby("scorer"):
        name = plain(scorer)
        unseen = int(rows["held_out"].sum())
        if unseen == len(rows):
            st.caption(f"{name}: every prediction was made by a model that had not seen the participant in training.")
        else:
            st.warning(
                f"{name}: only {unseen} of {len(rows)} predictions are held out; the others are of recordings the "
                "model was trained on, so its figures here are too good.",
                icon=":material/warning:",
            )


def figures(table: pd.DataFrame, labels: pd.DataFrame) -> None:
    st.subheader("Figures")
    metrics = comparison.metrics_by_scorer(table)
    if not metrics:
        st.caption(f"Figures need at least {comparison.FEWEST_RECORDINGS} recordings. Widen the filters.")
        return
    ids = table["recording_id"].unique()
    human = comparison.human_ceiling(labels, ids)
    st.dataframe(comparison.metric_rows(metrics, human), hide_index=True)
    notes = "In brackets: 95 % bootstrap interval over participants. Targets: acceptable / good / excellent."
    if table["speaker"].nunique() == 1:
        notes = "No intervals: one participant. Targets: acceptable / good / excellent."
    if human is None:
        notes += " No human ceiling: it needs two raters who rated the same recordings."
    else:
        notes += " Human ceiling: each rater against the median of the others, averaged."
    st.caption(notes)


def plots(table: pd.DataFrame) -> None:
    """One plot at a time: with thousands of recordings each takes a moment to draw."""
    chosen = st.segmented_control(
        "Plot", list(PLOTS), default=next(iter(PLOTS)), required=True, key="compare-plot", label_visibility="collapsed"
    )
    st.plotly_chart(PLOTS[chosen or next(iter(PLOTS))](table), key=f"compare-{chosen}")


def _bland_altman(table: pd.DataFrame) -> Figure:
    from pipeline.metrics.agreement import bland_altman

    limits = {
        str(scorer): (found.bias, found.lower, found.upper)
        for scorer, rows in table.groupby("scorer")
        if (found := bland_altman(rows["expert"], rows["predicted"])) is not None
    }
    return score_charts.bland_altman(table, limits)


PLOTS: dict[str, Callable[[pd.DataFrame], Figure]] = {
    "Predicted against expert": score_charts.predicted_against_expert,
    "Bland-Altman": _bland_altman,
    "By participant": lambda table: score_charts.residuals_by(table, "speaker", "Participant"),
    "By word": lambda table: score_charts.residuals_by(table, "text", "Word or sentence"),
}


def worst(table: pd.DataFrame) -> None:
    st.subheader("The ten worst")
    scorers = sorted(table["scorer"].unique())
    scorer = st.segmented_control(
        "Of which scorer", scorers, default=scorers[0], required=True, format_func=plain, key="compare-worst-scorer"
    )
    worst_cases(table, scorer or scorers[0])
