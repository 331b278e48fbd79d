"""Agreement: how far the experts agree, who is strict, and where they differ."""

import streamlit as st

from dashboard import identity
from dashboard.components.filters import choose_set
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections import agreement as sections
from dashboard.services import shared as services
from pipeline.people.access import Action


@errors_in_words()
def render() -> None:
    header(
        "Agreement", "How far the experts agree, who is strict and who lenient, and on which recordings they differ."
    )
    identity.allowed(Action.SEE_RATINGS)
    left, right = st.columns([3, 1])
    with left:
        chosen = choose_set()
    if chosen is None:
        return
    part = right.text_input("Part of the corpus", placeholder="all", key="agreement-part").strip()
    ratings = services.ratings_of(chosen.name, part)
    if len(ratings.raters) < 2:
        empty_state(
            "Agreement takes two people who rated the same recordings. Set up a project with an overlap of two or "
            "more, and invite experts to rate in it.",
            page="projects",
            page_label="Set up a project",
        )
        return
    with st.spinner("Comparing …"):
        found = {name: ratings.agreement(name) for name in ratings.dimensions}
    sections.overview(found)
    names = list(found)
    name = st.segmented_control(
        "Dimension", names, default=names[-1], required=True, format_func=lambda key: sections.LABELS.get(key, key),
        key="agreement-dimension",
    )  # fmt: skip
    name = name or names[-1]
    sections.raters(ratings, name, found[name])
    sections.pairs(ratings, name, found[name])
    sections.groups(ratings, name)


if __name__ == "__main__":
    render()
