"""How curves are drawn: a logarithmic axis and smoothing, kept while they are redrawn and when the page is left."""

import streamlit as st

from dashboard import state
from dashboard.components.formats import percent_format
from pipeline.i18n import _


def curve_settings(key: str) -> tuple[bool, float]:
    """Draw both behind a button; whether the axis is logarithmic, and the weight of the smoothing (0-0.95)."""
    log_key, smoothing_key = f"{key}-log", f"{key}-smoothing"
    state.restore(log_key, False)
    state.restore(smoothing_key, 0)
    with st.popover("", icon=":material/tune:", help=_("Axis and smoothing")):
        log = st.toggle(_("Logarithmic axis"), key=log_key)
        smoothing = st.slider(
            _("Smoothing"), 0, 95, step=5, format=percent_format(), key=smoothing_key,
            help=_("A moving average, as TensorBoard draws it; the curve itself stays faintly behind it."),
        )  # fmt: skip
    state.remember(log_key, log)
    state.remember(smoothing_key, smoothing)
    return log, smoothing / 100
