"""Predictions of a model: volume, scores, latency, and whether the scores have drifted."""

import streamlit as st

from dashboard.charts import monitor_charts
from dashboard.components.tables import fitted
from dashboard.services import monitor
from pipeline.deployment.prediction_log import Day
from pipeline.i18n import N_, _, minute, number, percent
from pipeline.monitoring.drift import FEWEST, Drift
from pipeline.times import utc_time

VERDICTS = {"steady": N_("steady"), "moderate": N_("moderate"), "large": N_("large"), "unknown": N_("too few values")}
ICONS = {"steady": ":material/check:", "moderate": ":material/warning:", "large": ":material/error:", "unknown": ""}


def predictions(model: str, days: list[Day]) -> None:
    summary = monitor.summary(days)
    p95 = _("over {ms} ms") if summary.p95.is_open else _("up to {ms} ms")
    row = st.container(horizontal=True, gap="large")
    row.metric(_("Predictions"), number(summary.n), width="content")
    row.metric(_("Not scored"), percent(summary.refused_share, 1), width="content")
    mean_score = "–" if summary.mean_score is None else number(summary.mean_score, 1)
    row.metric(_("Mean score"), mean_score, width="content")
    row.metric(_("Mean latency"), _("{ms} ms").format(ms=number(summary.mean_ms)), width="content")
    row.metric(
        _("95 % latency"), p95.format(ms=number(summary.p95.ms)), width="content",
        help=_(
            "95 % of predictions take at most this. Latencies are counted in bins that end at 5, 10, 20, 50, 100, 200 "
            "and 500 ms, 1, 2 and 5 s; this is the end of a bin, so 95 % may take less."
        ),
    )  # fmt: skip
    names = [day.day for day in days]
    left, right = st.columns(2)
    left.plotly_chart(monitor_charts.by_day(names, [day.n for day in days], _("Predictions")), key="monitor-volume")
    right.plotly_chart(
        monitor_charts.by_day(names, [day.mean_score for day in days], _("Mean score (0-100)")), key="monitor-mean"
    )
    left.plotly_chart(monitor_charts.binned_scores(summary.scores), key="monitor-scores")
    right.plotly_chart(
        monitor_charts.by_day(names, [day.mean_ms for day in days], _("Mean latency (ms)")), key="monitor-ms"
    )
    st.header(_("Score drift"), anchor=False)
    _drift(monitor.score_drift(days))
    st.header(_("Newest predictions"), anchor=False)
    _newest(model)


def _drift(drift: Drift) -> None:
    if drift.psi is None or drift.ks is None or drift.p_value is None:
        st.caption(
            _(
                "To compare the scores of both halves of this period, each half needs {needed}. The first half has "
                "{n_first}, the second {n_second}."
            ).format(needed=FEWEST, n_first=number(drift.n_reference), n_second=number(drift.n))
        )
        return
    st.markdown(
        _(
            "Scores in the second half of this period against the first: PSI **{psi}** ({verdict}), "
            "Kolmogorov-Smirnov distance {ks} (p {p})."
        ).format(
            psi=number(drift.psi, 3),
            verdict=f"{ICONS[drift.verdict]} {_(VERDICTS[drift.verdict])}",
            ks=number(drift.ks, 3),
            p=number(drift.p_value, 3),
        )
    )


def _newest(model: str) -> None:
    labels = {
        "score": _("Score"), "confidence": _("Confidence"), "ms": _("Latency (ms)"), "people": _("People's score"),
    }  # fmt: skip
    fitted(
        [
            {
                _("Text"): logged.text,
                labels["score"]: "–" if logged.overall is None else number(logged.overall, 1),
                labels["people"]: "" if logged.people is None else number(logged.people, 1),
                labels["confidence"]: "" if logged.confidence is None else percent(logged.confidence),
                labels["ms"]: number(logged.milliseconds),
                _("Time (UTC)"): minute(utc_time(logged.at)),
            }
            for logged in monitor.newest(model)
        ],
        right=labels.values(),
    )
