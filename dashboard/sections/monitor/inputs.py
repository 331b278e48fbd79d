"""Whether recordings still resemble those that the model was trained on, by 57 features."""

import streamlit as st

from dashboard.charts import monitor_charts
from dashboard.components.progress import progress_bar
from dashboard.components.tables import fitted
from dashboard.markup import plain
from dashboard.sections.monitor.predictions import VERDICTS
from dashboard.services import monitor
from pipeline.i18n import _, number
from pipeline.monitoring.drift import LARGE, MODERATE

SHOWN = 20


def inputs(model: str, last: int) -> None:
    with progress_bar(_("Measuring the training recordings …")) as progress:
        drift = monitor.feature_drift(model, last, progress)
    if not drift.features:
        st.caption(plain(drift.source))
        return
    drifted = [feature for feature in drift.features if feature.verdict in ("moderate", "large")]
    n = drift.features[0].n
    st.markdown(
        _("**{drifted} of {total} features** have drifted: {n} predictions against {reference}.").format(
            drifted=number(len(drifted)),
            total=number(len(drift.features)),
            n=number(n),
            reference=plain(drift.source),
        )
    )
    st.plotly_chart(monitor_charts.drift(drift.features[:SHOWN]), key="monitor-features")
    ks, p = _("KS distance"), "p"
    fitted(
        [
            {
                _("Feature"): feature.name,
                _("Drift"): _(VERDICTS[feature.verdict]),
                "PSI": "–" if feature.psi is None else number(feature.psi, 3),
                ks: "–" if feature.ks is None else number(feature.ks, 3),
                p: "–" if feature.p_value is None else number(feature.p_value, 3),
            }
            for feature in drift.features
        ],
        right=("PSI", ks, p),
    )
    st.caption(
        _(
            "PSI (population stability index) is called moderate from {moderate} and large from {large}. At most 1,000 "
            "predictions per day are kept for this."
        ).format(moderate=number(MODERATE, 2), large=number(LARGE, 2))
    )
