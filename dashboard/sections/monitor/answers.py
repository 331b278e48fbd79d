"""What a model answered: volume, scores, latency, and whether the scores have changed."""

import streamlit as st

from dashboard.charts import monitor_charts
from dashboard.services import monitor as watching
from pipeline.deployment.prediction_log import Day
from pipeline.monitoring.drift import Drift

VERDICTS = {
    "steady": ":material/check: steady", "moderate": ":material/warning: moderate", "large": ":material/error: large",
    "unknown": "too few",
}  # fmt: skip


def answers(model: str, own: list[Day]) -> None:
    found = watching.summary(own)
    columns = st.columns(4)
    columns[0].metric("Predictions", f"{found.n:,}")
    columns[1].metric("Could not be scored", f"{found.refused_share:.1%}")
    columns[2].metric("Mean score", "" if found.mean_score is None else f"{found.mean_score:.1f}")
    columns[3].metric("Latency, 95 % within", found.p95_words)
    names = [day.day for day in own]
    left, right = st.columns(2)
    left.plotly_chart(monitor_charts.by_day(names, [day.n for day in own], "Predictions"), key="monitor-volume")
    right.plotly_chart(
        monitor_charts.by_day(names, [day.mean_score for day in own], "Mean score (0-100)"), key="monitor-mean"
    )
    left.plotly_chart(monitor_charts.binned_scores(found.scores), key="monitor-scores")
    right.plotly_chart(
        monitor_charts.by_day(names, [day.mean_ms for day in own], "Mean latency (ms)"), key="monitor-ms"
    )
    st.subheader("Have the scores changed?")
    _changed(watching.score_drift(own))
    st.subheader("The newest")
    st.dataframe(watching.newest(model), hide_index=True)


def _changed(drift: Drift) -> None:
    if drift.psi is None:
        st.caption(
            f"The scores of the first half of this time ({drift.n_reference}) and of the second ({drift.n}) can be "
            "compared once each has 50."
        )
        return
    st.markdown(
        f"Scores of the second half of this time against the first: PSI **{drift.psi:.3f}** "
        f"({VERDICTS[drift.verdict]}), Kolmogorov-Smirnov distance {drift.ks:.3f} (p {drift.p_value:.3g})."
    )
