"""All systems in one table, and stand-ins apart from them."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard.components.csv_dialect import choose_dialect
from dashboard.components.run_list import say_damaged
from dashboard.components.tables import fitted
from dashboard.identity import held
from dashboard.markup import plain
from dashboard.services import results
from pipeline.evaluation import results_export as export
from pipeline.evaluation.results_table import LABELS, OURS, ResultRow
from pipeline.i18n import N_, _, number
from pipeline.metrics.published import N_TEST

SYSTEM_WIDEST = 190  # pixels: on a phone two figures stand beside it
FORMATS = {"csv": "CSV", "markdown": "Markdown", "latex": "LaTeX", "png": "PNG"}  # not shown: they are names
GAPS = {
    "accuracy": N_("Accuracy"), "fluency": N_("Fluency"), "prosodic": N_("Prosody"), "total": N_("Total")
}  # fmt: skip


def choose_rows() -> list[ResultRow]:
    """In the header: which fine-tuning runs the table has, and its files to download."""
    runs = results.finished_finetunings()
    ids: list[str] | None = None
    if runs:
        known = [run.directory.id for run in runs]
        with st.popover(_("Runs"), icon=":material/stacked_line_chart:"):
            ids = st.multiselect(
                _("Fine-tuning runs on this page"), known, known, key="results-runs", placeholder=_("None"),
            )  # fmt: skip
    rows = results.result_rows(ids)
    with st.popover(_("Download"), icon=":material/download:"):
        dialect = choose_dialect("results-dialect")
        for name, (write, mime) in export.FORMATS.items():
            if name == "csv":
                write = partial(export.to_csv, dialect=dialect)
            # Made when it is asked for: a picture takes a second.
            st.download_button(
                FORMATS[name], held(partial(write, rows)), f"results.{export.SUFFIXES[name]}", mime,  # not shown
                icon=":material/download:", key=f"results-{name}", width="stretch",
            )  # fmt: skip
    return rows


def table(rows: Sequence[ResultRow], *, any_of_ours: bool) -> None:
    """Ours first, then people, then published systems from best to worst total. `any_of_ours`: an evaluation that is no
    stand-in's."""
    _draw(rows, list(LABELS))
    say_damaged(results.damaged_runs())
    notes = [
        _("Shaded: models of this installation, with their full names in the last column."),
        _("Correlation (PCC) with the reference scores unless the column says otherwise."),
        _(
            "Published figures are over all {n} test utterances; ours are over the part named, with their number in "
            "column n."
        ).format(n=number(N_TEST)),
        _("Systems that are told the text mostly repeat it, so compare error rates (PER) among those that are not."),
        _gap(rows) if any_of_ours or rows[0].kind == "run" else _("Gap to the paper: nothing has been measured yet."),
    ]
    st.caption(" ".join(notes))


def stand_ins(rows: Sequence[ResultRow]) -> None:
    """Models that are built here in the place of Phi-4, in a table of their own: they are no results to compare."""
    if not rows:
        return
    st.header(_("Stand-ins"), anchor=False)
    _draw(rows, [name for name in LABELS if name != "gap"])
    st.caption(
        _(
            "Small models that are built and trained here in the place of Phi-4 (presets tiny and standin). They show "
            "whether prompts, masks and decoding work: a fault lowers these figures. They reproduce nothing, so they "
            "do not stand beside the paper."
        )
    )


def _draw(rows: Sequence[ResultRow], columns: Sequence[str]) -> None:
    shown = export.shown(rows)
    labels = {name: _(label) for name, label in LABELS.items()}
    for index, row in enumerate(rows):
        shown.loc[index, labels["system"]] = _(row.short_name or row.system)
        if row.source == OURS:  # the whole name, with the model's id
            shown.loc[index, labels["source"]] = row.system
    fitted(
        shown[[labels[name] for name in columns]],
        right=[labels[name] for name in columns if name not in export.TEXTS],
        helps={labels["gap"]: _("PCC of the total minus that of the paper (arXiv 2509.02915)")},
        marked=[index for index, row in enumerate(rows) if row.source == OURS],
        first_widest=SYSTEM_WIDEST,
    )


def _gap(rows: Sequence[ResultRow]) -> str:
    """Of the first of ours."""
    gaps = ", ".join(
        f"{_(GAPS[name])} {'+' if value > 0 else ''}{number(value, 3)}" for name, value in rows[0].gaps.items()
    )
    if not gaps:
        return _("Gap to the paper: none could be measured.")
    return _("Gap to the paper of {system}: {gaps}.").format(system=plain(rows[0].short_name), gaps=gaps)
