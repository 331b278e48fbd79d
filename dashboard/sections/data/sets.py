"""The sets: how much is rated, by whom, and how long they are."""

from typing import Literal

import streamlit as st

from dashboard import identity
from dashboard.charts import rater_charts, score_charts
from dashboard.components.filters import choose_set
from dashboard.components.formats import percent_format
from dashboard.components.page import empty_state
from dashboard.components.set_titles import distinct_titles
from dashboard.components.tables import data_table
from dashboard.markup import message
from dashboard.services import data, shared
from pipeline.corpus.sets import RecordingSet
from pipeline.i18n import N_, _, duration, translated
from pipeline.people.access import Action
from pipeline.records import RatingSource

RUBRICS = {"word": N_("words"), "sentence": N_("sentences")}
SOURCES = {
    RatingSource.HUMAN: N_("raters"), RatingSource.CORPUS: N_("experts of the corpus"),
    RatingSource.SYNTHETIC: N_("synthetic"), RatingSource.MOCK: N_("mock"),
}  # fmt: skip
FEW_BARS, HIGHEST_CHARTS = 12, 480  # pixels: with more sets the charts scroll, so that the table stays near


def draw() -> None:
    for problem in data.damaged_sets():
        st.warning(message(problem.message), icon=":material/folder_off:")
    overview = data.overview()
    if not overview:
        empty_state(_("There are no recordings yet. Open **Import** above, or install the demo under **Maintain**."))
        return
    titles = distinct_titles({row.name: row.title for row in overview})
    sees_ratings = identity.allowed(Action.SEE_SETS).may(Action.SEE_RATINGS)
    if sees_ratings:
        left, right = st.columns(2)
        with left, st.container(height=_height(len(overview)), border=False):
            st.header(_("Label coverage"))
            n_labelled = [row.n_labelled or 0 for row in overview]
            shown = [titles[row.name] for row in overview]
            st.plotly_chart(rater_charts.coverage(shown, n_labelled, [row.n_recordings for row in overview]))
        counts = {titles[row.name]: row.ratings_by_evaluator for row in overview if row.ratings_by_evaluator}
        n_raters = len({rater for by_rater in counts.values() for rater in by_rater})
        with right, st.container(height=_height(n_raters), border=False):
            st.header(_("Ratings per rater"))
            if counts:
                st.plotly_chart(rater_charts.ratings_by_evaluator(counts))
            else:
                empty_state(
                    _("There are no ratings yet."), page="label", page_label=_("Rate recordings on the Label page")
                )
    described = {set_.name: set_ for set_ in shared.sets()}
    data_table(
        [
            {
                _("Set"): titles[row.name],
                _("Recordings"): row.n_recordings,
                _("Speakers"): row.n_speakers,
                _("Duration"): translated(duration(row.hours)),
                **({} if row.n_labelled is None else {_("Labelled"): 100 * row.n_labelled / max(1, row.n_recordings)}),
                _("Problems"): row.n_problems,
                _("Labels"): _("synthetic") if row.synthetic else _("experts"),
                _("Rubric"): _rubric(set_) if (set_ := described.get(row.name)) else None,
                _("Licence"): set_.licence if set_ else None,
                _("Folder"): str(set_.root) if set_ else _("cannot be read: the set was damaged or removed"),
            }
            for row in overview
        ],
        column_config={
            _("Set"): st.column_config.TextColumn(pinned=True),
            _("Labelled"): st.column_config.ProgressColumn(format=percent_format(), min_value=0, max_value=100),
        },
    )
    if sees_ratings:
        _score_distribution()


def _height(n_bars: int) -> int | Literal["content"]:
    return HIGHEST_CHARTS if n_bars > FEW_BARS else "content"


def _rubric(set_: RecordingSet) -> str:
    """What is read, and the rubric where it is not the usual one."""
    return " · ".join(filter(None, (_(RUBRICS[set_.rubric]), set_.rated_with)))


def _score_distribution() -> None:
    st.header(_("Distribution of scores"))
    chosen = choose_set()
    if chosen is None:
        return
    scores = shared.expert_scores(chosen.name, None)
    if scores.empty:
        empty_state(_("This set has no labels yet."), page="label", page_label=_("Rate recordings on the Label page"))
        return
    by_source = {
        _(SOURCES[RatingSource(str(source))]): rows["score"].tolist() for source, rows in scores.groupby("source")
    }
    st.plotly_chart(score_charts.score_histogram(by_source))
    if RatingSource.SYNTHETIC in set(scores["source"]):
        st.caption(
            _("Synthetic labels follow from the errors that were built into the demo's speech, not from a listener.")
        )
