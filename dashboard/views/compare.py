"""Compare: what scorers say beside what experts said, on the same recordings."""

import streamlit as st

from dashboard import identity
from dashboard.components.filters import choose_set, choose_some
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections import compare as sections
from dashboard.services import compare as comparison
from dashboard.services import shared as services
from pipeline.people.access import Action


@errors_in_words()
def render() -> None:
    header("Compare", "Scorers beside experts on the same recordings: how far apart, for whom, and on which words.")
    identity.allowed(Action.SEE_RATINGS)
    left, right = st.columns(2)
    with left:
        chosen = choose_set()
    if chosen is None:
        return
    labels = services.index().labels(chosen.name)
    with right:
        rater = sections.choose_rater(labels)
    predictions = services.predictions(chosen.name)
    sections.score_more(chosen, expanded=predictions.empty)
    experts = services.expert_scores(chosen.name, rater)
    if experts.empty:
        empty_state(
            "This set has no expert scores to compare with.",
            page="label",
            page_label="Rate recordings on the Label page",
        )
        return
    table = comparison.joined(predictions, experts)
    if table.empty:
        empty_state("No scorer has scored this set's rated recordings yet. Choose one above and start it.")
        return
    known_parts = sorted(table["part"].dropna().unique())
    left, middle, right, *rest = st.columns(4 if known_parts else 3)
    parts: list[str] = []
    if known_parts:
        with rest[0]:
            parts = choose_some("Parts", known_parts, "compare-parts")
    with left:
        scorers = choose_some("Scorers", sorted(table["scorer"].unique()), "compare-scorers")
    with middle:
        speakers = choose_some("Participants", sorted(table["speaker"].unique()), "compare-speakers")
    with right:
        texts = choose_some("Words or sentences", sorted(table["text"].unique()), "compare-texts")
    if scorers:
        table = table[table["scorer"].isin(scorers)]
    table = comparison.on_the_same_recordings(comparison.filtered(table, speakers, texts, parts))
    if table.empty:
        empty_state("No recording fits these filters and was scored by every scorer shown. Widen the filters.")
        return
    sections.provenance(chosen, table, rater)
    sections.figures(table, labels)
    sections.plots(table)
    sections.worst(table)


if __name__ == "__main__":
    render()
