"""The names of the page's steps, which its address has, and the way from one to the next."""

import streamlit as st

from dashboard import state
from dashboard.components.choices import turn_to
from pipeline.i18n import N_, _

DATA, CONFIGURATION, TRAINING = "1 Data", "2 Configuration", "3 Training"  # not shown
EVALUATION, EXPORT, HELP = "4 Evaluation", "5 Export", "Help"  # not shown
STEPS = {
    DATA: N_("1 Data"), CONFIGURATION: N_("2 Configuration"), TRAINING: N_("3 Training"),
    EVALUATION: N_("4 Evaluation"), EXPORT: N_("5 Export"), HELP: N_("Help"),
}  # fmt: skip


def offer_step(step: str) -> None:
    """A button that goes there."""
    st.button(
        _("Go to {step}").format(step=_(STEPS[step])), type="primary", icon=":material/arrow_forward:",
        key=f"go-to-{step}", on_click=turn_to, args=(state.STEP, step),
    )  # fmt: skip
