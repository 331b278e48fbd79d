"""One page of the list of recordings, and the way to the others."""

import streamlit as st

from dashboard import state
from dashboard.components.speakers import shown_speaker
from dashboard.components.tables import fitted, without_empty
from dashboard.sections.recordings.search import OFFSET, PAGE_SIZE
from dashboard.services import label
from pipeline.i18n import N_, _, ngettext, number
from pipeline.labels.recording_list import ListedRecording, ListPage, ListQuery, TeamState
from pipeline.people.access import Action, Identity
from pipeline.records import RatingAction

MINE = {RatingAction.RATE: N_("rated"), RatingAction.SKIP: N_("skipped"), RatingAction.FLAG: N_("flagged")}
SHOWN_ROWS = 11  # at a height of 768 pixels, with what can be done with them below
VERDICTS = {"decide": N_("decided"), "exclude": N_("excluded"), "damaged": N_("label file damaged")}


def draw(page: ListPage, query: ListQuery, me: Identity) -> list[ListedRecording]:
    """Returns the rows that are ticked: several for who may set up projects, else one."""
    several = me.may(Action.MANAGE_PROJECTS)
    chosen = fitted(
        without_empty([_row(row) for row in page.rows]),
        right=[
            _("Seconds"),
            _("My score"),
            _("Ratings"),
            _("Consensus"),
            _("Difference"),
            _("Set aside by"),
            _("Comments"),
        ],
        helps={_("Difference"): _("Highest less lowest rating, in points of 100.")},
        key=f"recordings-table-{hash((query, page.total))}",
        most_rows=SHOWN_ROWS,
        ticks="multi-row" if several else "single-row",
    )
    _pager(page, query)
    return [page.rows[index] for index in chosen if index < len(page.rows)]


def _row(row: ListedRecording) -> dict[str, str]:
    mine = row.mine
    return {
        _("Text"): row.text,
        _("Speaker"): shown_speaker(row.speaker),
        _("Part"): row.part,
        _("Seconds"): _number(row.duration_s, 1),
        _("By me"): "" if mine is None else _(MINE[mine.action]),
        _("My score"): "" if mine is None else _number(mine.score),
        _("Reason"): "" if mine is None else label.shown_reason(mine.reason),
        **({} if row.team is None else _team(row.team)),
        _("Comments"): _number(row.n_comments or None),
        _("Recording"): row.id,
    }


def _team(team: TeamState) -> dict[str, str]:
    return {
        _("Ratings"): _number(team.n_ratings),
        _("Consensus"): _number(team.score),
        _("Difference"): _number(team.spread) if team.n_ratings > 1 else "",
        _("State"): _(VERDICTS[team.verdict]) if team.verdict else "",
        _("Set aside by"): _number(team.n_set_aside or None),
        _("Known answer"): _("yes") if team.is_known else "",
    }


def _number(value: float | None, digits: int = 0) -> str:
    return "" if value is None else number(value, digits)


def _pager(page: ListPage, query: ListQuery) -> None:
    """Which rows these are, and one page back or on."""
    last = query.offset + len(page.rows)
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    if row.button(_("Previous page"), icon=":material/chevron_left:", disabled=not query.offset, key="recordings-back"):
        _go(query.offset - PAGE_SIZE)
    if row.button(_("Next page"), icon=":material/chevron_right:", disabled=last >= page.total, key="recordings-on"):
        _go(query.offset + PAGE_SIZE)
    counted = ngettext("{first}–{last} of {n} recording", "{first}–{last} of {n} recordings", page.total)
    row.caption(counted.format(first=number(query.offset + 1), last=number(last), n=number(page.total)))


def _go(offset: int) -> None:
    state.remember(OFFSET, max(0, offset))
    st.rerun()
