"""Train: start a training in the background, watch it, see what it found, put its model into use."""

import streamlit as st

from dashboard import identity, state, training
from dashboard.components import train_sections as sections
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.components.speech_train_sections import start_speech_training
from dashboard.components.speechllm_train_sections import start_speechllm_training
from pipeline.people.access import Action

WORDS, SPEECH, LANGUAGE = (
    "Scorer of single recordings",
    "Speech scorer (phones, words, sentences)",
    "Phi-4 with LoRA",
)


@errors_in_words()
def render() -> None:
    header("Train", "Train a scorer on labelled recordings in the background, judge it, and put it into use.")
    identity.allowed(Action.TRAIN)
    with st.expander("Models that score now", icon=":material/deployed_code:", expanded=True):
        sections.models_here()
    runs = training.runs()
    with st.expander("New training", icon=":material/add:", expanded=not runs):
        kind = st.segmented_control(
            "What to train", [WORDS, SPEECH, LANGUAGE], default=WORDS, required=True, key="train-kind"
        )
        if kind == SPEECH:
            start_speech_training()
        elif kind == LANGUAGE:
            start_speechllm_training()
        else:
            sections.start_training()
    runs = training.runs()
    if not runs:
        empty_state("No training has run yet. Start one above: with the demo set it takes under a minute.")
        return
    st.subheader("One run")
    run_ids = [run.id for run in runs]
    if state.chosen(state.RUN) not in run_ids:
        state.choose(state.RUN, run_ids[0])
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    chosen = left.selectbox("Look at a run", run_ids, key=state.RUN, bind="query-params")
    right.page_link("views/runs.py", label="All runs", icon=":material/stacked_line_chart:")
    sections.one_run(next(run for run in runs if run.id == chosen))


if __name__ == "__main__":
    render()
