"""Tables: the classical route for any task, from collecting items to a deployed model."""

import streamlit as st

from dashboard import identity, state
from dashboard.components.choices import segments
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections.tables.collect import collect
from dashboard.sections.tables.learn import clean, results, train
from dashboard.sections.tables.use import use
from dashboard.services import shared, tables
from pipeline.i18n import N_, _
from pipeline.people.access import Action

COLLECT, CLEAN, TRAIN, RESULTS, USE = "Collect", "Clean", "Train", "Results", "Use"  # not shown
STEPS = {COLLECT: N_("Collect"), CLEAN: N_("Clean"), TRAIN: N_("Train"), RESULTS: N_("Results"), USE: N_("Use")}
PROMPTS = "prompts"


@errors_in_words()
def render() -> None:
    with header(_("Tables"), _("Models of measured features: forests and boosting.")):
        me = identity.allowed(Action.COLLECT_PROMPTS)
        titles = {PROMPTS: "", **tables.titles()}  # the default task first
        task = segments(_("Task"), {name: _(title) for name, title in titles.items()}, key="table-task")
    steps = list(STEPS) if task == PROMPTS else [CLEAN, TRAIN, RESULTS]
    step = segments(_("Step"), {name: _(STEPS[name]) for name in steps}, key=state.TABLE)
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
        sets = [set_.name for set_ in shared.sets()]
        if not sets:
            empty_state(
                _("There are no recordings yet."), page="data", page_label=_("Import recordings on the Data page")
            )
            return
        source = st.selectbox(_("Recording set"), sets, key="table-set")
    if step == CLEAN:
        clean(task, source)
    else:
        train(task, source)


if __name__ == "__main__":
    render()
