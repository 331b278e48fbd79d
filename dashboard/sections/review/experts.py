"""How reliably each expert of a project rates."""

import streamlit as st

from dashboard.components.tables import data_table
from dashboard.markup import plain
from pipeline.i18n import _, number, percent, signed
from pipeline.projects.quality import ErrorSummary, ExpertQuality
from pipeline.projects.review import ProjectReview


def draw(review: ProjectReview) -> None:
    experts = review.quality()
    if not experts:
        st.caption(
            _("Nobody has rated in this project yet. Ratings that were imported or given outside it do not count here.")
        )
        return
    errors = _("Mean absolute error in points of 100, the bias in brackets (positive: too lenient), and the number.")
    data_table(
        [_row(expert) for expert in experts],
        column_config={
            _("Expert"): st.column_config.Column(pinned=True),
            _("Calibration"): st.column_config.Column(help=errors),
            _("Known answers"): st.column_config.Column(help=errors),
            _("Repeats"): st.column_config.Column(
                help=_("Difference from the expert's own first rating of the same recording, as for known answers.")
            ),
            _("Drift"): st.column_config.Column(
                help=_("Change from the first to the last ratings, in points, compared with the other experts.")
            ),
            _("Rushed"): st.column_config.Column(
                help=_("Share of ratings that were saved before the whole recording was heard.")
            ),
        },
    )
    warnings = [f"- {plain(warning)}" for expert in experts for warning in expert.warnings]
    if warnings:
        st.warning("\n".join(warnings), icon=":material/person_alert:")


def _row(expert: ExpertQuality) -> dict[str, object]:
    return {
        _("Expert"): expert.name,
        _("Ratings"): expert.n,
        _("Calibration"): _errors(expert.calibration),
        _("Known answers"): _errors(expert.gold),
        _("Repeats"): _errors(expert.repeats),
        _("Drift"): "" if expert.drift is None else signed(expert.drift, 1),
        _("Seconds per rating"): "" if expert.median_s is None else number(expert.median_s, 1),
        _("Rushed"): percent(expert.hurried),
    }


def _errors(errors: ErrorSummary) -> str:
    if errors.mae is None or errors.bias is None:
        return ""
    return f"{number(errors.mae, 1)} ({signed(errors.bias, 1)}), n = {number(errors.n)}"
