"""What raters are told of their project: its instructions, and how they did in calibration."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.components.tables import data_table
from dashboard.markup import document
from dashboard.services import label
from pipeline.i18n import _, ngettext, number
from pipeline.people.access import Identity
from pipeline.projects.project import Project

SMALL_BIAS = 3.0


def instructions(project: Project, *, beside: DeltaGenerator, is_new: bool) -> None:
    """Above the form for who is new to the project; later behind a button in the page's header, so that the whole form
    stands in view."""
    if not project.instructions:
        return
    where = (
        st.expander(_("Instructions"), icon=":material/menu_book:", expanded=True)
        if is_new
        else beside.popover(_("Instructions"), icon=":material/menu_book:")
    )
    with where:
        st.markdown(document(project.instructions))


def calibration(project: Project, me: Identity) -> None:
    """After calibration: the rater's scores and the known answers."""
    results = label.calibration_of(project, me)
    if not project.calibration or len(results) < project.calibration:
        return
    error = sum(abs(result.error) for result in results) / len(results)
    bias = sum(result.error for result in results) / len(results)
    title = ngettext(
        "Your calibration: {n} point from the known answers on average",
        "Your calibration: {n} points from the known answers on average",
        round(error),
    ).format(n=number(error))
    with st.expander(title, icon=":material/straighten:"):
        st.caption(_bias_in_words(bias))
        data_table(
            [
                {
                    _("Recording"): result.text,
                    _("Your score"): number(result.rating),
                    _("Known answer"): number(result.reference),
                }
                for result in results
            ],
        )


def _bias_in_words(bias: float) -> str:
    if abs(bias) < SMALL_BIAS:
        return _("On average you score as high as the known answers.")
    text = (
        _("On average you score {points} points (of 100) above the known answers.")
        if bias > 0
        else _("On average you score {points} points (of 100) below the known answers.")
    )
    return text.format(points=number(abs(bias)))
