"""Comparisons of two scorers: begin, watch, end."""

import streamlit as st

from dashboard.charts import monitor_charts
from dashboard.components.confirm import confirm
from dashboard.components.page import errors_in_words
from dashboard.components.tables import fitted
from dashboard.markup import plain
from dashboard.services import monitor
from pipeline.deployment.model_registry import PLACES, Stage
from pipeline.deployment.routing import IN_USE, RULE, Comparison
from pipeline.i18n import N_, _, day, ngettext, number, percent
from pipeline.model_names import short_name
from pipeline.monitoring.outcomes import SIGNIFICANCE, SMALLEST_USEFUL, Arm, Outcome
from pipeline.times import utc_time

PLACE_LABELS = {
    "word": N_("words"),
    "sentence": N_("sentences by features"),
    "speech-en": N_("English, phone by phone"),
    "prompts": N_("written prompts"),
}
SCORER_LABELS = {IN_USE: N_("deployed model"), RULE: N_("heuristic rule")}
SHOWN = 10


def scorer_label(name: str) -> str:
    return _(SCORER_LABELS[name]) if name in SCORER_LABELS else name


def comparisons() -> None:
    """The running comparisons, a new one, those that have ended."""
    known = monitor.comparisons()
    running = [comparison for comparison in known if not comparison.ended_at]
    for comparison in running:
        _running(comparison)
    with st.expander(_("Begin a comparison"), expanded=not running), errors_in_words():
        _begin({comparison.place for comparison in running})
    ended = [comparison for comparison in known if comparison.ended_at]
    if ended:
        st.header(_("Ended comparisons"), anchor=False)
        for comparison in ended[:SHOWN]:
            ended_on = day(utc_time(comparison.ended_at))
            with st.expander(_("{title}, until {day}").format(title=_title(comparison), day=ended_on)):
                _results(comparison)


def _title(comparison: Comparison) -> str:
    return _("{place}: {a} (a) and {b} (b, {share})").format(
        place=_(PLACE_LABELS[comparison.place]),
        a=plain(short_name(scorer_label(comparison.a))),
        b=plain(short_name(scorer_label(comparison.b))),
        share=percent(comparison.share_b),
    )


def _running(comparison: Comparison) -> None:
    st.header(_title(comparison), anchor=False)
    _results(comparison)
    st.caption(
        _("a: {a}; b: {b}. Begun on {day} by {name}. Each learner always gets answers from the same arm.").format(
            a=plain(scorer_label(comparison.a)),
            b=plain(scorer_label(comparison.b)),
            day=day(utc_time(comparison.began_at)),
            name=plain(comparison.by or _("an unnamed person")),
        )
    )
    if confirm(
        _("End comparison"), _("Everybody gets the deployed model again."), answer=_("Yes, end it"),
        key=f"end-{comparison.id}",
    ):  # fmt: skip
        monitor.end_comparison(comparison.id)
        st.rerun()


def _results(comparison: Comparison) -> None:
    outcome = monitor.outcome(comparison)
    if outcome.a.errors or outcome.b.errors:
        st.plotly_chart(monitor_charts.arms(outcome.a.errors, outcome.b.errors), key=f"arms-{comparison.id}")
    n_labels = (_("Predictions"), _("With a human score"), _("Learners"), _("Mean error per learner (points)"))
    fitted([_row("a", outcome.a, n_labels), _row("b", outcome.b, n_labels)], right=n_labels)
    if outcome.difference is None:
        st.caption(
            _("The errors can be compared once each arm has predictions with a human score for at least two learners.")
        )
    else:
        st.markdown(_verdict(outcome, outcome.difference))
    if outcome.still_needed:
        n = outcome.still_needed
        st.markdown(
            ngettext(
                "**{n}** more learner per arm is needed to detect a difference of {points} points with 80 % power.",
                "**{n}** more learners per arm are needed to detect a difference of {points} points with 80 % power.",
                n,
            ).format(n=number(n), points=number(SMALLEST_USEFUL))
        )
    if outcome.agreement_p is not None:
        st.markdown(
            _("Scores that learners agreed with: p {p} (permutation of learners).").format(
                p=number(outcome.agreement_p, 3)
            )
        )


def _verdict(outcome: Outcome, difference: float) -> str:
    low, high = outcome.interval or (difference, difference)
    if outcome.p_value is None or outcome.p_value >= SIGNIFICANCE:
        verdict = _("no difference beyond chance")
    else:
        verdict = _("b has smaller errors") if difference < 0 else _("a has smaller errors")
    p_value = "" if outcome.p_value is None else _(", Welch's p {p}").format(p=number(outcome.p_value, 3))
    return _(
        "Mean error per learner, b minus a: **{difference}** points (95 %: {low} to {high}{p_value}): {verdict}."
    ).format(
        difference=_signed(difference), low=_signed(low), high=_signed(high), p_value=p_value, verdict=verdict
    )  # fmt: skip


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{number(value, 1)}"


def _row(name: str, arm: Arm, labels: tuple[str, ...]) -> dict[str, str]:
    n = len(arm.agreed)
    values = (
        number(arm.n), number(arm.n_labelled), number(len(arm.errors)), "" if arm.mae is None else number(arm.mae, 1)
    )  # fmt: skip
    return {
        _("Arm"): name,
        **dict(zip(labels, values, strict=True)),
        _("Agreed"): ""
        if arm.agreement is None
        else ngettext("{share} ({n} learner)", "{share} ({n} learners)", n).format(
            share=percent(arm.agreement), n=number(n)
        ),
    }


def _begin(taken: set[str]) -> None:
    free = [place for place in PLACES if place not in taken]
    if not free:
        st.caption(_("A comparison is running for every kind of text."))
        return
    place = st.selectbox(
        _("Kind of text"), free, format_func=lambda place: _(PLACE_LABELS[place]), key="compare-place"
    )  # fmt: skip
    models = [
        entry.model_id
        for entry in monitor.entries()
        if entry.place == place and entry.folder and entry.stage is not Stage.LIVE
    ]
    with st.form("begin-comparison", border=False):
        left, middle, right = st.columns(3)
        a = left.selectbox("a", [IN_USE, RULE, *models], format_func=scorer_label)
        b = middle.selectbox("b", [*models, RULE, IN_USE], format_func=scorer_label)
        share = right.slider(_("Share of learners who get b (%)"), 1, 99, 50)
        if st.form_submit_button(_("Begin"), type="primary"):
            monitor.begin_comparison(place, a, b, share / 100)
            st.toast(
                _("{model} now answers {share} of the learners.").format(
                    model=plain(scorer_label(b)), share=percent(share / 100)
                )
            )
            st.rerun()
