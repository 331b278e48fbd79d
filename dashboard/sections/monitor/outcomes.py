"""Predictions against people's scores: error over time, by learner and text, calibration of the confidence."""

import streamlit as st

from dashboard.charts import monitor_charts
from dashboard.components.page import empty_state
from dashboard.components.tables import fitted
from dashboard.services import monitor
from pipeline.i18n import _, ngettext, number, percent
from pipeline.monitoring import outcomes as errors_of
from pipeline.monitoring.outcomes import Group

SHOWN = 15


def outcomes(model: str, last: int) -> None:
    labelled = monitor.labelled(model, last)
    scored = [prediction for prediction in labelled if prediction.error is not None]
    agreed = [prediction.agrees for prediction in labelled if prediction.agrees is not None]
    if not labelled:
        empty_state(
            _(
                "No feedback on these scores yet. Learners can agree or disagree with a score on the Practise page; "
                "people's scores arrive by `POST /feedback` with the prediction's id."
            )
        )
        return
    row = st.container(horizontal=True, gap="large")
    row.metric(_("With a human score"), number(len(scored)), width="content")
    if scored:
        errors = errors_of.last_errors(scored, len(scored))
        row.metric(_("Mean error (points)"), number(float(errors.mean()), 1), width="content")
        within = float((errors <= errors_of.WITHIN).mean())
        row.metric(_("Within 10 points"), percent(within), width="content")
    if agreed:
        n = len(agreed)
        help_ = ngettext("Learners' feedback on {n} score.", "Learners' feedback on {n} scores.", n)
        row.metric(
            _("Scores agreed with"),
            percent(sum(share >= 0.5 for share in agreed) / n),
            help=help_.format(n=number(n)),
            width="content",
        )
    if not scored:
        return
    weeks = errors_of.by_week(scored)
    left, right = st.columns(2)
    left.plotly_chart(
        monitor_charts.by_day(
            [week.name for week in weeks], [week.mae for week in weeks], _("Mean error (points)"), _("Week from")
        ),
        key="monitor-error",
    )
    bins = errors_of.calibration(scored)
    with right:
        if bins:
            st.plotly_chart(monitor_charts.confidence(bins), key="monitor-calibration")
        else:
            st.caption(_("These predictions have no confidence, so its calibration cannot be shown."))
    by_learner, by_text = st.columns(2)
    with by_learner:
        st.markdown("**" + _("By learner") + "**")
        _groups(_("Learner"), errors_of.by_participant(scored))
    with by_text:
        st.markdown("**" + _("By text") + "**")
        _groups(_("Text"), errors_of.by_text(scored))


def _groups(label: str, groups: list[Group]) -> None:
    """The largest errors first."""
    error, bias = _("Mean error"), _("Bias")
    fitted(
        [
            {
                label: group.name,
                error: number(group.mae, 1),
                bias: f"{'+' if group.bias > 0 else ''}{number(group.bias, 1)}",
                "n": number(group.n),
            }
            for group in groups[:SHOWN]
        ],
        right=(error, bias, "n"),
    )
