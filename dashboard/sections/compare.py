"""The sections of the Compare page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.charts import score_charts
from dashboard.components.data_behind import DataBehind
from dashboard.components.filters import choose_some
from dashboard.components.job_panel import job_panel
from dashboard.components.page import errors_in_words
from dashboard.components.run_list import say_damaged
from dashboard.components.tables import fitted
from dashboard.components.widths import box_width
from dashboard.components.worst_cases import worst_cases
from dashboard.markup import plain
from dashboard.services import compare, jobs
from pipeline.corpus.sets import RecordingSet
from pipeline.errors import JobError
from pipeline.i18n import N_, _, ngettext, number

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from pipeline.runs import RunDirectory

CONSENSUS = ""  # nobody has this name


def choose_rater(labels: pd.DataFrame) -> str | None:
    """One rater, or None for the consensus."""
    raters = sorted(str(name) for name in labels.loc[labels["action"] == "rate", "evaluator"].unique())
    chosen = st.selectbox(
        _("Compare with"),
        [CONSENSUS, *raters],
        format_func=_rater,
        key="compare-rater",
        label_visibility="collapsed",
        width=box_width(map(_rater, [CONSENSUS, *raters])),
    )
    return None if chosen == CONSENSUS else chosen


def _rater(name: str) -> str:
    return _("Consensus of raters") if name == CONSENSUS else name


def job_of(chosen: RecordingSet) -> None:
    """The scoring of the set that is running, or the job in the URL."""
    say_damaged(compare.damaged_jobs())
    job = _watched_job() or compare.active_scoring(chosen.name)
    if job is None:
        return
    if job.state.status == "finished":  # the page shows what it has scored
        state.watch(state.JOB, None)
        st.toast(_("Scoring has finished."), icon=":material/check_circle:")
        return
    with st.container(border=True), errors_in_words():
        job_panel(job)


def _watched_job() -> RunDirectory | None:
    """The job in the URL; an old link may name a job that is gone."""
    watched = state.watched(state.JOB)
    try:
        return jobs.job(watched) if watched else None
    except JobError:
        state.watch(state.JOB, None)
        return None


def score_set(chosen: RecordingSet, *, expanded: bool | None = None) -> None:
    """Start scoring the set in the background; in a popover where `expanded` is None, else in an expander."""
    label, icon = _("Score this set"), ":material/play_circle:"
    with st.popover(label, icon=icon) if expanded is None else st.expander(label, icon=icon, expanded=expanded):
        scorer = st.selectbox(_("Scorer"), compare.scorer_names(chosen.rubric), key="compare-new-scorer")
        st.caption(
            _(
                "Scoring runs in the background; you can leave this page. It replaces earlier predictions of the same "
                "scorer."
            )
        )
        if st.button(_("Score all recordings"), type="primary", icon=":material/play_arrow:"):
            state.watch(state.JOB, compare.launch_scoring(chosen.name, scorer).id)
            st.rerun()


def choose_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Filters; the recordings that pass them and were scored by every scorer shown."""
    with st.popover(_("Filters"), icon=":material/filter_alt:"):
        scorers = choose_some(_("Scorers"), sorted(table["scorer"].unique()), "compare-scorers")
        speakers = choose_some(_("Speakers"), sorted(table["speaker"].unique()), "compare-speakers")
        texts = choose_some(_("Words or sentences"), sorted(table["text"].unique()), "compare-texts")
        known_parts = sorted(table["part"].dropna().unique())
        parts = choose_some(_("Parts"), known_parts, "compare-parts") if known_parts else []
    if scorers:
        table = table[table["scorer"].isin(scorers)]
    return compare.on_the_same_recordings(compare.filtered(table, speakers, texts, parts))


def choose_plot() -> str:
    chosen = st.segmented_control(
        _("Plot"), list(PLOTS), default="scatter", required=True, format_func=lambda plot: _(PLOTS[plot][0]),
        key="compare-plot", label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    return chosen or "scatter"


def plot(table: pd.DataFrame, chosen: str) -> None:
    """One plot at a time: with thousands of recordings each takes a moment to draw."""
    st.plotly_chart(PLOTS[chosen][1](table), key=f"compare-plot-{chosen}")


PLOTS: dict[str, tuple[str, Callable[[pd.DataFrame], Figure]]] = {
    "scatter": (N_("Predicted against expert"), score_charts.predicted_against_expert),
    "bland-altman": (
        N_("Bland-Altman"),
        lambda table: score_charts.bland_altman(table, compare.limits_of_agreement(table)),
    ),
    "speakers": (N_("By speaker"), lambda table: score_charts.residuals_by(table, "speaker", _("Speaker"))),
    "texts": (N_("By text"), lambda table: score_charts.residuals_by(table, "text", _("Word or sentence"))),
}


def metrics(table: pd.DataFrame, labels: pd.DataFrame) -> None:
    """One row per metric, with the human ceiling; below it how to read them."""
    by_scorer = compare.metrics_by_scorer(table)
    if not by_scorer:
        st.caption(_("Metrics need at least {n} recordings. Remove some filters.").format(n=compare.FEWEST_RECORDINGS))
        return
    human = compare.human_ceiling(labels, table["recording_id"].unique())
    fitted(compare.metric_rows(by_scorer, human))
    notes = [
        _("In brackets: 95 % bootstrap interval over speakers.")
        if table["speaker"].nunique() > 1
        else _("No intervals: there is only one speaker."),
        _("Positive bias: the scorer is more lenient than the experts."),
        _("Targets: acceptable / good / excellent; the word behind a value is the level that it reaches."),
        _("Human ceiling: each rater against the median of the others, averaged.")
        if human is not None
        else _("No human ceiling: it needs two raters who rated the same recordings."),
    ]
    st.caption(" ".join(notes))


def provenance(table: pd.DataFrame, source: str, rater: str | None) -> None:
    """How many recordings the metrics rest on, whose scores these are, and what was held out."""
    n, n_speakers = table["recording_id"].nunique(), table["speaker"].nunique()
    synthetic = bool((table["source"] == "synthetic").all())
    reference = "synthetic" if synthetic else "consensus" if rater is None else plain(rater)
    data = DataBehind(source, "", n, n_speakers, reference)
    st.markdown(data.text() + " " + _("Only recordings that all the scorers shown have scored."))
    if (table["source"] == "synthetic").any():
        st.info(
            _(
                "These expert scores are **synthetic**: they follow from the errors built into the demo's speech and "
                "say nothing about real listeners."
            ),
            icon=":material/science:",
        )
    for scorer, rows in table[table["scoring_method"] == "ml_model"].groupby("scorer"):
        held_out = int(rows["held_out"].sum())
        if held_out == len(rows):
            st.caption(
                _("{scorer}: all predictions are held out; the model was not trained on the speaker.").format(
                    scorer=plain(scorer)
                )
            )
        else:
            st.warning(
                ngettext(
                    "{scorer}: only {n} of {total} predictions is held out. The model was trained on the other "
                    "recordings, so its metrics are too good.",
                    "{scorer}: only {n} of {total} predictions are held out. The model was trained on the other "
                    "recordings, so its metrics are too good.",
                    held_out,
                ).format(scorer=plain(scorer), n=number(held_out), total=number(len(rows))),
                icon=":material/warning:",
            )


def worst(table: pd.DataFrame) -> None:
    st.header(_("Largest errors"))
    scorers = sorted(table["scorer"].unique())
    scorer = st.segmented_control(
        _("Scorer"), scorers, default=scorers[0], required=True, format_func=plain, key="compare-worst-scorer",
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    worst_cases(table, scorer or scorers[0])
