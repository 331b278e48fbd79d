"""Two scorers side by side: set up, watched, ended."""

import streamlit as st

from dashboard.charts import monitor_charts
from dashboard.components.confirm import confirm
from dashboard.components.page import errors_in_words
from dashboard.markup import plain
from dashboard.services import monitor as watching
from pipeline.deployment.model_registry import PLACES, Stage
from pipeline.deployment.routing import IN_USE, RULE, Comparison
from pipeline.monitoring.outcomes import SMALLEST_OF_USE, Side

PLACE_WORDS = {"word": "words", "sentence": "sentences by features", "speech-en": "English, phone by phone"}


def comparing() -> None:
    """Those that go on, a new one, those that are over."""
    everything = watching.comparisons()
    going = [one for one in everything if not one.ended_at]
    for one in going:
        _comparison(one)
    with st.expander("Begin a comparison", expanded=not going), errors_in_words():
        _begin({one.place for one in going})
    over = [one for one in everything if one.ended_at]
    if over:
        st.subheader("Ended")
        for one in over[:10]:
            with st.expander(f"{_title(one)}, until {one.ended_at[:10]}"):
                _figures(one)


def _title(one: Comparison) -> str:
    return f"{PLACE_WORDS[one.place]}: {plain(one.a)} (a) and {plain(one.b)} (b, {one.share_b:.0%})"


def _comparison(one: Comparison) -> None:
    st.subheader(_title(one))
    st.caption(f"Since {one.began_at[:10]}, begun by {plain(one.by or 'nobody named')}. A learner stays on one side.")
    _figures(one)
    if confirm("End it", "Everybody gets the model in use again.", answer="Yes, end it", key=f"end-{one.id}"):
        watching.end_comparison(one.id)
        st.rerun()


def _figures(one: Comparison) -> None:
    found = watching.outcome(one)
    st.dataframe([_row("a", found.a), _row("b", found.b)], hide_index=True)
    if found.a.errors or found.b.errors:
        st.plotly_chart(monitor_charts.sides(found.a.errors, found.b.errors), key=f"sides-{one.id}")
    if found.difference is None:
        st.caption("The errors of both sides can be compared once each has labelled predictions of two learners.")
    else:
        low, high = found.interval or (found.difference, found.difference)
        verdict = (
            "no difference that is more than chance"
            if found.p_value is None or found.p_value >= 0.05
            else ("b errs less" if found.difference < 0 else "a errs less")
        )
        p_words = "" if found.p_value is None else f", Welch's p {found.p_value:.3g}"
        span = f"95 %: {low:+.1f} to {high:+.1f}{p_words}"
        st.markdown(f"Mean error a learner, b less a: **{found.difference:+.1f}** points ({span}): {verdict}.")
    if found.still_needed:
        st.markdown(
            f"**{found.still_needed:,}** more learners a side are needed to find a difference of {SMALLEST_OF_USE:.0f} "
            "points four times in five."
        )
    if found.agreement_p is not None:
        st.markdown(f"Scores that a learner agreed with: p {found.agreement_p:.3g} by permutation of the learners.")


def _row(name: str, side: Side) -> dict[str, object]:
    return {
        "Side": name, "Predictions": side.n, "Labelled": side.n_labelled, "Learners": len(side.errors),
        "Mean error a learner": "" if side.mae is None else f"{side.mae:.1f}",
        "Agreed": "" if side.agreement is None else f"{side.agreement:.0%} ({len(side.agreed)} learners)",
    }  # fmt: skip


def _begin(taken: set[str]) -> None:
    free = [place for place in PLACES if place not in taken]
    if not free:
        st.caption("At every place a comparison goes on.")
        return
    place = st.selectbox("Of", free, format_func=PLACE_WORDS.__getitem__, key="compare-place")
    models = [
        one.model_id for one in watching.entries() if one.place == place and one.folder and one.stage is not Stage.LIVE
    ]
    with st.form("begin-comparison", border=False):
        left, middle, right = st.columns(3)
        a = left.selectbox("a", [IN_USE, RULE, *models])
        b = middle.selectbox("b", [*models, RULE, IN_USE])
        share = right.slider("Learners who get b, %", 1, 99, 50)
        if st.form_submit_button("Begin", type="primary"):
            watching.begin_comparison(place, str(a), str(b), share / 100)
            st.toast(f"{plain(str(b))} answers {share} % of the learners.")
            st.rerun()
