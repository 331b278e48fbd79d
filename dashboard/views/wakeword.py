"""Wake word: from a few hundred recordings of a word to a detector, in six steps."""

import streamlit as st

from dashboard import identity, state
from dashboard.components.page import errors_in_words, header
from dashboard.components.run_list import choose_first_if_gone, say_damaged
from dashboard.sections.wakeword import clips, configure, evaluate, export, guide, training
from dashboard.services import wakeword as wakewords
from pipeline.people.access import Action

STEPS = {
    "1 Data": clips.draw, "2 Configuration": configure.draw, "3 Training": training.draw,
    "4 Evaluation": evaluate.draw, "5 Export": export.draw, "6 Help": guide.draw,
}  # fmt: skip
OF_A_RUN = ("3 Training", "4 Evaluation", "5 Export")


@errors_in_words()
def render() -> None:
    header("Wake word", "A small detector for one word: collect, train, measure its false alarms an hour, export.")
    identity.allowed(Action.TRAIN)
    if state.chosen(state.STEP) not in STEPS:
        state.choose(state.STEP, "1 Data")
    step = st.segmented_control(
        "Step", list(STEPS), key=state.STEP, bind="query-params", required=True, label_visibility="collapsed"
    )
    if step in OF_A_RUN:
        found = wakewords.runs()
        say_damaged(found.damaged)
        if not found.records:
            st.info("No detector has been trained yet. Start one under 2 Configuration.", icon=":material/arrow_back:")
            return
        runs = {run.directory.id: run.directory for run in found.records}
        choose_first_if_gone(runs)
        chosen = st.selectbox("Detector", list(runs), key=state.RUN, bind="query-params")
        STEPS[step](runs[chosen])
    else:
        STEPS[step]()


if __name__ == "__main__":
    render()
