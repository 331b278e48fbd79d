"""The consistency of those who compared pairs, as the Review and Agreement pages show it."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components.tables import fitted
from pipeline.i18n import _, interval, number, percent, translated
from pipeline.metrics.estimate import Estimate
from pipeline.metrics.pair_consistency import RaterConsistency


def raters_table(raters: Sequence[RaterConsistency], *, key: str) -> None:
    rows = [
        {
            _("Rater"): rater.name,
            _("Answers"): number(rater.n),
            _("No difference"): percent(rater.ties),
            _("Agrees with the others"): _share(rater.hits),
            _("Log-likelihood"): "" if rater.log_likelihood is None else number(rater.log_likelihood, 2),
            _("Repeats alike"): _share(rater.repeats),
            _("Circles"): _("{n} of {total}").format(n=number(rater.circular), total=number(rater.triads))
            if rater.triads
            else "",
            _("Left preferred"): _share(rater.left),
        }
        for rater in raters
    ]
    helps = {
        _("Agrees with the others"): _("Share of preferences that fit the scale made from the other raters' answers."),
        _("Log-likelihood"): _(
            "Mean of the answers under the scale of the others, per answer; guessing gives {two}, among three answers "
            "{three}."
        ).format(two=number(-0.693, 2), three=number(-1.099, 2)),
        _("Repeats alike"): _("Share of repeated pairs with the same answer when the sides were swapped."),
        _("Circles"): _(
            "Of three recordings compared in all pairs: A better than B, B better than C, C better than A. Guessing "
            "gives one in four."
        ),
        _("Left preferred"): _("Share of preferences for the left side; half is expected."),
    }
    fitted(rows, right=list(rows[0])[1:], helps=helps, key=key)
    st.caption(_("In brackets: 95% intervals, and the number of answers."))


def _share(estimate: Estimate) -> str:
    """With interval and number, or why there is none."""
    if estimate.value is None or estimate.interval is None:
        return translated(estimate.reason)
    low, high = estimate.interval
    return f"{percent(estimate.value)} {interval(percent(low), percent(high))}, n = {number(estimate.n)}"
