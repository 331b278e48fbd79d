"""Agreement: how far the experts agree, who is strict, and where they differ."""

import streamlit as st

from dashboard import identity
from dashboard.components.filters import choose_set
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.components.widths import box_width
from dashboard.sections import agreement as sections
from dashboard.services import agreement
from pipeline.i18n import _, translated
from pipeline.people.access import Action, Identity
from pipeline.rubrics import Rubric


@errors_in_words()
def render() -> None:
    choices = header(_("Agreement"), _("How far the experts agree, and who is strict."))
    me = identity.allowed(Action.SEE_RATINGS)
    chosen = choose_set(where=choices)
    if chosen is None:
        return
    with choices:
        part = _choose_part(chosen.name)
        rubric = _choose_rubric(chosen.name)
    ratings = agreement.ratings_of(chosen.name, rubric, part)
    if len(ratings.raters) < 2:
        _too_few(me)
        sections.pair_raters(chosen.name)
        return
    with st.spinner(_("Comparing …")):
        agreements = {name: ratings.agreement(name) for name in ratings.dimensions}
    names = list(agreements)
    name = names[-1]
    if len(names) > 1:
        name = st.segmented_control(
            _("Dimension"), names, default=name, required=True, format_func=sections.label_of,
            key="agreement-dimension", label_visibility="collapsed", wrap=True,
        ) or name  # fmt: skip
    sections.charts(ratings, name, agreements[name])
    sections.overview(agreements)
    sections.raters(agreements[name])
    sections.pairs(ratings, name, agreements[name])
    sections.groups(ratings, name)
    sections.explanation(agreements)
    sections.pair_raters(chosen.name)


def _choose_part(set_name: str) -> str:
    """One of the corpus's own partitions; empty for all. Not drawn where it has none."""
    parts = agreement.parts_of(set_name)
    if not parts:
        return ""
    return st.selectbox(
        _("Part of the corpus"), ["", *parts], key=f"agreement-part-{set_name}", label_visibility="collapsed",
        format_func=lambda part: part or _("All parts"), width=box_width([_("All parts"), *parts]),
    )  # fmt: skip


def _choose_rubric(set_name: str) -> Rubric:
    """Of those that were used; not drawn where it is one."""
    rubrics = agreement.rubrics_in(set_name)
    if len(rubrics) == 1:
        return rubrics[0]
    return st.selectbox(
        _("Rubric"), rubrics, key=f"agreement-rubric-{set_name}", label_visibility="collapsed",
        format_func=lambda rubric: translated(rubric.title),
        width=box_width(translated(rubric.title) for rubric in rubrics),
    )  # fmt: skip


def _too_few(me: Identity) -> None:
    words = _(
        "Agreement needs two people who rated the same recordings: a project with two or more ratings per recording."
    )
    if me.may(Action.MANAGE_PROJECTS):
        empty_state(words, page="projects", page_label=_("Set up a project"))
    else:
        empty_state(words)


if __name__ == "__main__":
    render()
