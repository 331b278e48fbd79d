"""Monitor: predictions over time, drift, people's feedback, comparisons of scorers, and the models there are."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import identity, state
from dashboard.components.choices import segments
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.components.widths import box_width
from dashboard.markup import plain
from dashboard.sections.monitor.comparison import comparisons
from dashboard.sections.monitor.inputs import inputs
from dashboard.sections.monitor.models import models
from dashboard.sections.monitor.outcomes import outcomes
from dashboard.sections.monitor.predictions import predictions
from dashboard.services import monitor
from pipeline.i18n import N_, _, ngettext, number, pgettext
from pipeline.model_names import short_names
from pipeline.people.access import Action

PERIODS = (7, 30, 90, 365)  # days
PREDICTIONS, INPUTS, FEEDBACK, COMPARISONS, MODELS = "predictions", "inputs", "feedback", "comparisons", "models"
TABS = {
    PREDICTIONS: N_("Predictions"),
    INPUTS: N_("Inputs"),
    FEEDBACK: N_("Feedback"),
    COMPARISONS: N_("Comparisons"),
    MODELS: N_("Models"),
}


@errors_in_words()
def render() -> None:
    choices = header(pgettext("page", "Monitor"), _("Predictions, drift, feedback and models."))
    identity.allowed(Action.MONITOR)
    tab = segments(_("View"), {name: _(title) for name, title in TABS.items()}, key=state.MONITOR)
    if tab == MODELS:
        models()
    elif tab == COMPARISONS:
        comparisons()
    else:
        _of_model(tab, choices)


def _of_model(tab: str, choices: DeltaGenerator) -> None:
    with choices:
        period = st.selectbox(
            _("Period"), PERIODS, index=1, key="monitor-period", format_func=_period, label_visibility="collapsed",
            width=box_width(map(_period, PERIODS)),
        )  # fmt: skip
    days = monitor.days(period)
    if not days:
        empty_state(
            _("No predictions in this period. Scores from Practise and from `pronlab serve` appear here."),
            page="practice",
            page_label=pgettext("page", "Practise"),
        )
        return
    names = short_names(sorted({day.model_id for day in days}))
    with choices:
        model = st.selectbox(
            _("Model"), list(names), key="monitor-model", format_func=names.__getitem__,
            label_visibility="collapsed", width=box_width(names.values()),
        )  # fmt: skip
    if tab == INPUTS:
        inputs(model, period)
    elif tab == FEEDBACK:
        outcomes(model, period)
    else:
        predictions(model, [day for day in days if day.model_id == model])
    st.caption(_("Model: {model}. No recordings are kept here.").format(model=plain(model)))


def _period(days: int) -> str:
    return _("1 year") if days == 365 else ngettext("{n} day", "{n} days", days).format(n=number(days))


if __name__ == "__main__":
    render()
