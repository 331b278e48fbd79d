"""How the CSV files that somebody downloads are written: a choice that all pages share."""

import streamlit as st

from dashboard import state
from pipeline.csvfile import DIALECTS, Dialect, spreadsheet_dialect
from pipeline.i18n import N_, _, language

DIALECT_NAMES = {
    "comma": N_("Comma (1.5), for programs"),
    "semicolon": N_("Semicolon (1,5), for Excel in Turkish"),
    "tab": N_("Tab (1.5)"),
}
CHOSEN = "csv-dialect"


def current_dialect() -> Dialect:
    """The one chosen last; until somebody chooses, what spreadsheets in their language open."""
    return DIALECTS[_current()]


def choose_dialect(key: str) -> Dialect:
    """Draw the choice."""
    default = _current()
    widget = f"{key}-{default}"
    chosen = st.selectbox(
        _("CSV separator"), list(DIALECT_NAMES), index=list(DIALECT_NAMES).index(default), key=widget,
        format_func=lambda name: _(DIALECT_NAMES[name]), on_change=_keep, args=(widget,),
        help=_("What separates cells, and the decimal sign. A spreadsheet expects those of its language."),
    )  # fmt: skip
    return DIALECTS[chosen]


def _current() -> str:
    return str(state.recall(CHOSEN) or spreadsheet_dialect(language()))


def _keep(widget: str) -> None:
    state.remember(CHOSEN, state.chosen(widget))
