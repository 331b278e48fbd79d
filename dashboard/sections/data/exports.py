"""Export ratings in the formats of other programs."""

from functools import partial

import streamlit as st

from dashboard import identity
from dashboard.components.csv_dialect import choose_dialect
from dashboard.components.filters import choose_set
from dashboard.components.page import empty_state
from dashboard.components.set_titles import shown_title
from dashboard.markup import plain
from dashboard.services import data
from pipeline.i18n import N_, _, ngettext, number

EXPORTS: dict[data.ExportFormat, tuple[str, str, str, str]] = {
    "csv": (
        N_("CSV"), "csv", "text/csv",  # not shown
        N_("One row per rating, skip, flag and decision, with its project, purpose and seconds."),
    ),
    "consensus": (
        N_("CSV: consensus"), "csv", "text/csv", N_("One row per recording: consensus, decision or exclusion."),
    ),
    "xlsx": (
        N_("Excel"), "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        N_("Both tables as sheets of a workbook."),
    ),
    "jsonl": (
        N_("JSON lines"), "jsonl", "application/x-ndjson",  # not shown
        N_("A manifest with everything, which can be imported again."),
    ),
    "label-studio": (
        N_("Label Studio"), "zip", "application/zip",
        N_("Tasks with all ratings, and the labelling configuration that shows them."),
    ),
    "textgrid": (
        N_("Praat TextGrids"), "zip", "application/zip",
        N_("One file per recording, with its text, marks, ratings and decisions."),
    ),
}  # fmt: skip


MANIFEST = "jsonl"  # of the recordings, rated or not
FILES = {"consensus": "consensus", "label-studio": "label_studio", "textgrid": "textgrids"}  # not shown


def draw() -> None:
    left, right = st.columns(2)
    with left:
        chosen = choose_set()
    if chosen is None:
        return
    with right:
        dialect = choose_dialect("export-dialect")
    unreadable = data.unreadable_labels(chosen.name)
    if unreadable:
        n = len(unreadable)
        st.warning(
            ngettext(
                "{n} label file cannot be read and is left out of every export: see Problems.",
                "{n} label files cannot be read and are left out of every export: see Problems.",
                n,
            ).format(n=number(n)),
            icon=":material/warning:",
        )
    has_ratings = data.has_ratings(chosen.name)
    if not has_ratings:
        empty_state(
            _("There are no ratings in {set} yet. The manifest can be exported.").format(
                set=plain(shown_title(chosen.title))
            ),
            page="label",
            page_label=_("Rate recordings on the Label page"),
        )
    for format_, (label, suffix, mime, purpose) in EXPORTS.items():
        left, right = st.columns([1, 3], vertical_alignment="center")
        left.download_button(
            _(label),
            data=identity.held(partial(data.exported_labels, chosen.name, format_, dialect)),
            file_name=f"{chosen.name}_{FILES.get(format_, 'labels')}.{suffix}",  # not shown
            mime=mime,
            icon=":material/download:",
            on_click="ignore",
            key=f"export-{format_}",
            disabled=not has_ratings and format_ != MANIFEST,
            width="stretch",
        )
        right.caption(_(purpose))
    st.caption(
        _(
            "With the audio, as a Hugging Face dataset: `pronlab export --format dataset`. With time-aligned words and "
            "phones: `pronlab export --format textgrid --align`."
        )
    )
