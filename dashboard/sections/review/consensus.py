"""The consensus of a project, and its download."""

import re

import streamlit as st

from dashboard.components.csv_dialect import choose_dialect
from dashboard.components.tables import data_table
from pipeline import csvfile
from pipeline.i18n import N_, _, ngettext, number, translated
from pipeline.projects.project import CONSENSUS, Project
from pipeline.projects.review import ProjectReview

METHODS = {
    "median": N_("Median"), "trimmed_mean": N_("Mean without extremes"),
    "severity": N_("Corrected for expert severity"),
}  # fmt: skip
_DECIDED = re.compile(r"decided by (.+)", re.DOTALL)


def draw(review: ProjectReview, project: Project) -> None:
    row = st.container(horizontal=True, vertical_alignment="bottom")
    method = row.selectbox(
        _("Method"), CONSENSUS, index=CONSENSUS.index(project.consensus), key="review-method",
        format_func=lambda key: _(METHODS[key]),
    )  # fmt: skip
    table = review.consensus(method)
    with row:
        dialect = choose_dialect("review-dialect")
    content = csvfile.download(csvfile.of_frame(table, dialect))
    row.download_button(
        _("Download CSV"), content, f"{project.name}-{method}.csv", "text/csv",
        icon=":material/download:",
    )  # fmt: skip
    shown = table.assign(method=[_method(name) for name in table["method"]])
    names = {d.key: translated(d.label) for d in review.rubric.dimensions}
    config = st.column_config
    data_table(
        shown,
        decimals=dict.fromkeys(_values(names), 1),
        column_order=["text", "speaker", *_values(names), "n", "method", "recording_id"],
        column_config={
            "text": config.Column(_("Text"), pinned=True),
            "speaker": _("Speaker"),
            "n": _("Ratings"),
            "method": _("Method"),
            "recording_id": _("Recording"),
            **names,
            **{
                f"{key}_spread": config.Column(
                    _("Difference ({dimension})").format(dimension=name), help=_("Highest less lowest rating.")
                )
                for key, name in names.items()
            },
        },
    )  # fmt: skip
    count = ngettext("{n} recording", "{n} recordings", len(table)).format(n=number(len(table)))
    st.caption(
        count
        + ". "
        + _("Computed anew from the ratings. A reviewer's decision overrides it; excluded recordings are left out.")
    )


def _values(names: dict[str, str]) -> list[str]:
    return [column for key in names for column in (key, f"{key}_spread")]


def _method(stored: str) -> str:
    """A consensus's method, or whose decision it is, in the reader's language."""
    decided = _DECIDED.fullmatch(stored)
    if decided:
        return _("decided by {name}").format(name=decided[1])
    return _(METHODS[stored]) if stored in METHODS else stored
