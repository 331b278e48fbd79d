"""Monitor: what the scorers answered, what came in, what people said of it, which models there are."""

import streamlit as st

from dashboard import identity, state
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections.monitor.answers import answers
from dashboard.sections.monitor.comparison import comparing
from dashboard.sections.monitor.inputs import inputs
from dashboard.sections.monitor.models import models
from dashboard.sections.monitor.outcomes import outcomes
from dashboard.services import monitor as watching
from pipeline.people.access import Action

PERIODS = {"7 days": 7, "30 days": 30, "90 days": 90, "a year": 365}
ANSWERS, INPUTS, OUTCOMES, COMPARING, MODELS = "Answers", "What came in", "What people said", "Comparisons", "Models"


@errors_in_words()
def render() -> None:
    header("Monitor", "What the scorers answered over time, and which models there are; no recording is kept here.")
    identity.allowed(Action.MONITOR)
    what = st.segmented_control(
        "What to see", [ANSWERS, INPUTS, OUTCOMES, COMPARING, MODELS], default=ANSWERS, required=True,
        key=state.MONITOR, bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    if what == MODELS:
        models()
    elif what == COMPARING:
        comparing()
    else:
        _of_one_model(what)


def _of_one_model(what: str) -> None:
    left, right = st.columns(2)
    with left:
        period = st.segmented_control("Period", list(PERIODS), default="30 days", required=True, key="monitor-period")
    days = watching.days(PERIODS[period])
    if not days:
        empty_state(
            "Nothing was scored in this time. Scores from Practice and from `pronlab serve` appear here.",
            page="practice", page_label="Practice",
        )  # fmt: skip
        return
    with right:
        model = st.selectbox("Model", sorted({day.model_id for day in days}), key="monitor-model")
    if what == INPUTS:
        inputs(model, PERIODS[period])
    elif what == OUTCOMES:
        outcomes(model, PERIODS[period])
    else:
        answers(model, [day for day in days if day.model_id == model])


if __name__ == "__main__":
    render()
