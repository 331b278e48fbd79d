"""Monitor: what the scorers answered, how fast, and whether that has changed."""

import streamlit as st

from dashboard import charts, identity, watching
from dashboard.components.page import empty_state, errors_in_words, header
from pipeline.people.access import Action

PERIODS = {"7 days": 7, "30 days": 30, "90 days": 90, "a year": 365}
VERDICTS = {
    "steady": ":material/check: steady", "moderate": ":material/warning: moderate", "large": ":material/error: large",
    "unknown": "too few",
}  # fmt: skip


@errors_in_words()
def render() -> None:
    header("Monitor", "What the scorers answered over time, by day and model; no recording is kept here.")
    identity.allowed(Action.TRAIN)
    period = st.segmented_control("Period", list(PERIODS), default="30 days", required=True, key="monitor-period")
    days = watching.days(PERIODS[period])
    if not days:
        empty_state(
            "Nothing was scored in this time. Scores from Practice and from `pronlab serve` appear here.",
            page="practice", page_label="Practice",
        )  # fmt: skip
        return
    models = sorted({day.model_id for day in days})
    model = st.selectbox("Model", models, key="monitor-model")
    own = [day for day in days if day.model_id == model]
    found = watching.summary(own)
    columns = st.columns(4)
    columns[0].metric("Predictions", f"{found.n:,}")
    columns[1].metric("Could not be scored", f"{found.refused_share:.1%}")
    columns[2].metric("Mean score", "" if found.mean_score is None else f"{found.mean_score:.1f}")
    columns[3].metric("Latency, 95 % within", found.p95_words)
    left, right = st.columns(2)
    left.plotly_chart(charts.by_day([d.day for d in own], [d.n for d in own], "Predictions"), key="monitor-volume")
    right.plotly_chart(
        charts.by_day([d.day for d in own], [d.mean_score for d in own], "Mean score (0-100)"), key="monitor-mean"
    )
    left.plotly_chart(charts.binned_scores(found.scores), key="monitor-scores")
    right.plotly_chart(
        charts.by_day([d.day for d in own], [d.mean_ms for d in own], "Mean latency (ms)"), key="monitor-ms"
    )
    st.subheader("Has it changed?")
    drift = watching.score_drift(own)
    if drift.psi is None:
        st.caption(
            f"The scores of the first half of this time ({drift.n_reference}) and of the second ({drift.n}) can be "
            "compared once each has 50."
        )
    else:
        st.markdown(
            f"Scores of the second half of this time against the first: PSI **{drift.psi:.3f}** "
            f"({VERDICTS[drift.verdict]}), Kolmogorov-Smirnov distance {drift.ks:.3f} (p {drift.p_value:.3g})."
        )
    st.subheader("The newest")
    st.dataframe(watching.newest(model), hide_index=True)


if __name__ == "__main__":
    render()
