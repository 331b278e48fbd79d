"""Search, filter and order of the list of recordings."""

from dataclasses import replace

import streamlit as st

from dashboard import state
from dashboard.components.widths import box_width
from dashboard.services import recordings
from pipeline.i18n import N_, _
from pipeline.labels.recording_list import Filter, ListQuery, Sort
from pipeline.projects.project import Project

PAGE_SIZE = 50
OFFSET = "recordings-offset"
FILTERS = {
    Filter.ALL: N_("All"), Filter.OPEN: N_("Not rated by me"), Filter.RATED: N_("Rated by me"),
    Filter.SKIPPED: N_("Skipped by me"), Filter.FLAGGED: N_("Flagged by me"),
    Filter.COMMENTED: N_("With comments"), Filter.CHOSEN: N_("Assigned to me"),
    Filter.UNRATED: N_("Not rated by anybody"), Filter.DISPUTED: N_("Raters differ"),
    Filter.SET_ASIDE: N_("Skipped or flagged"), Filter.DECIDED: N_("Decided"), Filter.EXCLUDED: N_("Excluded"),
    Filter.KNOWN: N_("Known answers"),
}  # fmt: skip
SORTS = {
    Sort.RECORDING: N_("As in the set"), Sort.SPEAKER: N_("By speaker"), Sort.TEXT: N_("By text"),
    Sort.MINE: N_("My latest first"), Sort.MY_SCORE: N_("My lowest score first"),
    Sort.SCORE: N_("Lowest consensus first"), Sort.SPREAD: N_("Largest difference first"),
}  # fmt: skip


def draw(set_name: str, project: Project | None) -> ListQuery:
    """Draw the choices; returns what to list, from the first page on where a choice has changed."""
    shows, orders, known = recordings.filters(project), recordings.sorts(), recordings.speakers(set_name)
    row = st.container(horizontal=True, gap="small", key="recordings-search")
    words = row.text_input(
        _("Search"), key=state.SEARCH, bind="query-params", placeholder=_("Speaker, text or id"),
        label_visibility="collapsed", icon=":material/search:", width=box_width([_("Speaker, text or id")]),
    )  # fmt: skip
    chosen = row.selectbox(
        _("Show"), shows, key="recordings-filter", format_func=_shown, label_visibility="collapsed",
        width=box_width(map(_shown, shows)),
    )  # fmt: skip
    speakers = row.multiselect(
        _("Speakers"), known, key="recordings-speakers", placeholder=_("All speakers"), label_visibility="collapsed",
        width=box_width([_("All speakers"), *known], clears=True),
    )  # fmt: skip
    part = ""
    if project is None and (parts := recordings.parts(set_name)):
        part = row.selectbox(
            _("Part of the corpus"), ["", *parts], key="recordings-part",
            format_func=lambda name: name or _("All parts"), label_visibility="collapsed",
            width=box_width([_("All parts"), *parts]),
        )  # fmt: skip
    order = row.selectbox(
        _("Order"), orders, key="recordings-order", format_func=_order, label_visibility="collapsed",
        width=box_width(map(_order, orders)),
    )  # fmt: skip
    query = ListQuery(set_name, words, tuple(speakers), part, chosen, order, limit=PAGE_SIZE)
    if state.recall("recordings-asked") != query:
        state.remember("recordings-asked", query)
        state.remember(OFFSET, 0)
    return replace(query, offset=state.recall(OFFSET, 0))


def _shown(chosen: Filter) -> str:
    return _(FILTERS[chosen])


def _order(chosen: Sort) -> str:
    return _(SORTS[chosen])
