"""How the model fared against what people said: error over time, by learner and text, calibration."""

import streamlit as st

from dashboard.charts import monitor_charts
from dashboard.components.page import empty_state
from dashboard.services import monitor as watching
from pipeline.monitoring import outcomes as of
from pipeline.monitoring.outcomes import Group

SHOWN = 15


def outcomes(model: str, last: int) -> None:
    labelled = watching.labelled(model, last)
    scored = [one for one in labelled if one.error is not None]
    agreed = [one.agrees for one in labelled if one.agrees is not None]
    if not labelled:
        empty_state(
            "Nobody has said anything of these scores yet. Learners say on the Practice page whether they agree; "
            "people's scores come in by `POST /feedback` with the prediction's id."
        )
        return
    columns = st.columns(4)
    columns[0].metric("With a person's score", f"{len(scored):,}")
    if scored:
        errors = of.last_errors(scored, len(scored))
        columns[1].metric("Mean error (points)", f"{errors.mean():.1f}")
        columns[2].metric("Within 10 points", f"{(errors <= of.WITHIN).mean():.0%}")
    if agreed:
        columns[3].metric(
            "Scores agreed with",
            f"{sum(a >= 0.5 for a in agreed) / len(agreed):.0%}",
            help=f"By learners; n {len(agreed)}",
        )
    if not scored:
        return
    weeks = of.by_week(scored)
    left, right = st.columns(2)
    left.plotly_chart(
        monitor_charts.by_day(
            [week.name for week in weeks], [week.mae for week in weeks], "Mean error (points)", "Week from"
        ),
        key="monitor-error",
    )
    bins = of.calibration(scored)
    with right:
        if bins:
            st.plotly_chart(monitor_charts.confidence(bins), key="monitor-calibration")
        else:
            st.caption("These predictions had no confidence, so that nothing can be said of its calibration.")
    by_learner, by_text = st.columns(2)
    with by_learner:
        _groups("Learner", of.by_participant(scored))
    with by_text:
        _groups("Text", of.by_text(scored))


def _groups(label: str, found: list[Group]) -> None:
    st.markdown(f"**By {label.lower()}**, the largest errors first")
    st.dataframe(
        [
            {label: one.name, "n": one.n, "Mean error": round(one.mae, 1), "Bias": round(one.bias, 1)}
            for one in found[:SHOWN]
        ],
        hide_index=True,
    )
