"""Wake word: from a few hundred recordings of a word to a detector, in six steps."""

import streamlit as st

from dashboard import identity, state, wakewords
from dashboard.components.page import errors_in_words, header
from dashboard.components.wakeword import clips, configure, evaluate, export, guide, training
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
        runs = wakewords.runs()
        if not runs:
            st.info("No detector has been trained yet. Start one under 2 Configuration.", icon=":material/arrow_back:")
            return
        ids = [run.id for run in runs]
        if state.chosen(state.RUN) not in ids:
            state.choose(state.RUN, ids[0])
        chosen = st.selectbox("Detector", ids, key=state.RUN, bind="query-params")
        STEPS[step](next(run for run in runs if run.id == chosen))
    else:
        STEPS[step]()


if __name__ == "__main__":
    render()
