"""Tables: the classical route for any task, from collecting to a model in use."""

import streamlit as st

from dashboard import identity, state
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections.tables.collect import collect
from dashboard.sections.tables.learn import clean, results, train
from dashboard.sections.tables.use import use
from dashboard.services import shared as services
from dashboard.services import tables
from pipeline.people.access import Action

COLLECT, CLEAN, TRAIN, RESULTS, USE = "Collect", "Clean", "Train", "Results", "Use"
PROMPTS = "prompts"


@errors_in_words()
def render() -> None:
    header("Tables", "Forests and boosting on what can be measured: written prompts, words, or a task of your own.")
    me = identity.allowed(Action.COLLECT_PROMPTS)
    titles = tables.titles()
    task = st.segmented_control(
        "Task", list(titles), default=PROMPTS, required=True, format_func=titles.__getitem__, key="table-task"
    )
    steps = [COLLECT, CLEAN, TRAIN, RESULTS, USE] if task == PROMPTS else [CLEAN, TRAIN, RESULTS]
    step = st.segmented_control(
        "Step", steps, default=steps[0], required=True, key=state.TABLE, bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    if step in (CLEAN, TRAIN, RESULTS):
        me.require(Action.TRAIN)
    if step == COLLECT:
        collect()
    elif step == USE:
        use()
    elif step == RESULTS:
        results(task)
    else:
        _learn(task, step)


def _learn(task: str, step: str) -> None:
    source = ""
    if task != PROMPTS:
        sets = [one.name for one in services.sets()]
        if not sets:
            empty_state("There are no recordings yet.", page="data", page_label="Import some on the Data page")
            return
        source = st.selectbox("Recordings of the set", sets, key="table-set")
    if step == CLEAN:
        clean(task, source)
    else:
        train(task, source)


if __name__ == "__main__":
    render()
