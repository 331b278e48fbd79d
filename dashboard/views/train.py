"""Train: start a training in the background, watch it, see what it found, put its model into use."""

import streamlit as st

from dashboard import identity, state
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.components.run_list import choose_first_if_gone, say_damaged
from dashboard.sections.train import feature_based as sections
from dashboard.sections.train.speech import start_speech_training
from dashboard.sections.train.speechllm import start_speechllm_training
from dashboard.services import train as training
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
    with st.expander("Models that score now", icon=":material/deployed_code:", expanded=True), errors_in_words():
        sections.models_here()
    has_runs = bool(training.runs().records)
    with st.expander("New training", icon=":material/add:", expanded=not has_runs), errors_in_words():
        kind = st.segmented_control(
            "What to train", [WORDS, SPEECH, LANGUAGE], default=WORDS, required=True, key="train-kind"
        )
        if kind == SPEECH:
            start_speech_training()
        elif kind == LANGUAGE:
            start_speechllm_training()
        else:
            sections.start_training()
    found = training.runs()
    say_damaged(found.damaged)
    if not found.records:
        empty_state("No training has run yet. Start one above: with the demo set it takes under a minute.")
        return
    st.subheader("One run")
    runs = {run.directory.id: run.directory for run in found.records}
    choose_first_if_gone(runs)
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    chosen = left.selectbox("Look at a run", list(runs), key=state.RUN, bind="query-params")
    right.page_link("views/runs.py", label="All runs", icon=":material/stacked_line_chart:")
    sections.one_run(runs[chosen])


if __name__ == "__main__":
    render()
