"""The trials of a search for settings: the best, all of them, and which settings mattered."""

import streamlit as st

from dashboard.charts import run_charts, score_charts
from dashboard.components.page import errors_in_words
from dashboard.services import runs
from pipeline.i18n import _, ngettext, number
from pipeline.markdown import code_span
from pipeline.runs.comparison import setting_text
from pipeline.runs.trials import Search


def draw_trials(search: Search, key: str) -> None:
    """Draw one search with at least one trial; `key` is where."""
    best = search.best
    st.markdown(
        ngettext(
            "{n} trial; the best, number {best}, reached **{value}**: {settings}",
            "{n} trials; the best, number {best}, reached **{value}**: {settings}", len(search.trials),
        ).format(
            n=number(len(search.trials)), best=number(best.number + 1), value=number(best.value, 3),
            settings=code_span(", ".join(f"{name} {setting_text(value)}" for name, value in best.settings.items())),
        )
    )  # fmt: skip
    left, right = st.columns([3, 2])
    with left:
        st.markdown("**" + _("Every trial") + "**")
        st.plotly_chart(
            run_charts.parallel_coordinates(
                [trial.settings for trial in search.trials], search.varied, [t.value for t in search.trials],
                _("Error"),
            ),
            key=f"{key}-trials",
        )  # fmt: skip
        st.caption(_("One line per trial, from its settings to its error. Drag along an axis to select trials."))
    with right, errors_in_words():
        st.markdown("**" + _("Importance of the settings") + "**")
        importance = runs.importance(search)
        if importance:
            label = _("Share of the variation")
            figure = score_charts.importance(list(importance), list(importance.values()), label=label)
            st.plotly_chart(figure, key=f"{key}-importance")
            st.caption(_("How much of the error's variation each setting explains (functional ANOVA)."))
        else:
            st.caption(_("Too few trials, or all reached the same."))
