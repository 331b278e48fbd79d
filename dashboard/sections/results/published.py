"""How the published systems were made, what to bear in mind beside their figures, and quality against size."""

from collections.abc import Sequence

import streamlit as st

from dashboard.charts import score_charts
from dashboard.components.tables import fitted
from pipeline.evaluation.results_table import ResultRow
from pipeline.i18n import N_, _, number

COLUMNS = {
    "system": N_("System"), "total": N_("Total"), "encoder": N_("Encoder"), "size": N_("Size"),
    "selected": N_("Checkpoint chosen on"), "public": N_("Public"),
}  # fmt: skip
NOT_STATED = N_("not stated")


def making(rows: Sequence[ResultRow]) -> None:
    """Of all rows but stand-ins: the figure of quality against size, the caveats, and what each system is made of."""
    systems = [row for row in rows if row.kind != "human"]
    st.header(_("Quality and size"), anchor=False)
    sized = [
        {
            "name": _("here, {size}").format(size=row.making.size) if row.kind == "here" else _system(row),
            "total": row.total, "size_mb": row.making.size_mb, "at_least": row.making.at_least,
            "ours": row.kind == "here",
        }
        for row in systems
        if row.making.size_mb is not None and row.total is not None
    ]  # fmt: skip
    people = next((row.total for row in rows if row.kind == "human"), None)
    st.plotly_chart(score_charts.quality_against_size(sized, people), key="results-size")
    st.caption(
        _(
            "PCC of the total against the megabytes of all weights: as files for models that are here, else from the "
            "published number of parameters (2 bytes each for language models and Whisper, 4 for other encoders). An "
            "arrow: at least so large. Systems whose size is not stated are not drawn. Published figures are on the "
            "test part, ours on the part that the table names."
        )
    )
    _caveats()
    st.markdown("**" + _("What the systems are made of") + "**")
    shown = [{_(label): _cell(row, name) for name, label in COLUMNS.items()} for row in systems]
    total = COLUMNS["total"]
    fitted(shown, right=[_(total)])


def _caveats() -> None:
    st.markdown(
        "\n".join(
            f"- {text}"
            for text in (
                _(
                    "**Chosen on the test part.** The code of GOPT, HMamba and M3C keeps the epoch that does best on "
                    "the test part, and others report their best epochs. Such figures are higher than those on "
                    "speakers that nobody looked at. The shipped model's epoch was chosen on training speakers."
                ),
                _(
                    "**Not every “MDD F1” is detection.** M3C's 78.8 is a macro average of F1 over phone classes. It "
                    "is not in the table; MDD F1 here is of mispronunciations that were found."
                ),
                _(
                    "**Ties limit rank correlations.** Most phones have the full score, so even a perfect continuous "
                    "predictor reaches a Spearman correlation of {limit} at most. Compare PCC."
                ).format(limit=number(0.68, 2)),
            )
        )
    )


def _system(row: ResultRow) -> str:
    return _(row.short_name or row.system)


def _cell(row: ResultRow, name: str) -> str:
    if name == "system":
        return _system(row)
    if name == "total":
        return "–" if row.total is None else number(row.total, 3)
    return _(getattr(row.making, name) or NOT_STATED)
