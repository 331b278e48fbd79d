"""Whether what comes in still resembles what the model was trained on, by 57 features."""

import streamlit as st

from dashboard.charts import monitor_charts
from dashboard.markup import plain
from dashboard.sections.monitor.answers import VERDICTS
from dashboard.services import monitor as watching
from pipeline.monitoring.drift import LARGE, MODERATE

SHOWN = 20


def inputs(model: str, last: int) -> None:
    bar = st.progress(0.0, text="Measuring the training recordings …")
    found, against = watching.feature_drift(
        model, last, lambda done, total, message: bar.progress(done / max(1, total), text=plain(message)) and None
    )
    bar.empty()
    if not found:
        st.caption(f"Nothing to compare yet: {plain(against)}.")
        return
    moved = [one for one in found if one.verdict in ("moderate", "large")]
    st.markdown(
        f"**{len(moved)} of {len(found)}** features of {found[0].n:,} predictions (at most 1,000 a day are kept) have "
        f"drifted against {plain(against)} ({found[0].n_reference:,})."
    )
    st.plotly_chart(
        monitor_charts.drift(found[:SHOWN]),
        key="monitor-features",
    )
    st.caption(f"PSI from {MODERATE} on is called moderate, from {LARGE} on large.")
    st.dataframe(
        [
            {
                "Feature": one.name, "Drift": VERDICTS[one.verdict].rpartition(": ")[2],
                "PSI": None if one.psi is None else round(one.psi, 3),
                "KS distance": None if one.ks is None else round(one.ks, 3),
                "p": None if one.p_value is None else float(f"{one.p_value:.2g}"),
            }
            for one in found
        ],
        hide_index=True,
    )  # fmt: skip
