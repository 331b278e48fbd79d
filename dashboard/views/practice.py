"""Practice: a learner reads a word or a sentence aloud, sees a score with its reasons, and follows the progress."""

import streamlit as st

from dashboard import services, state
from dashboard.components import practice_sections as sections
from dashboard.components import sentence_sections as sentences
from dashboard.components.page import errors_in_words, header
from dashboard.components.recorder import recorder

WORDS, SENTENCES = "Turkish words", "English sentences"


@errors_in_words()
def render() -> None:
    header("Practice", "Record yourself, see how near you come and what to mend.")
    what = st.segmented_control(
        "What to practise", [WORDS, SENTENCES], default=WORDS, required=True, key=state.PRACTICE, bind="query-params"
    )
    if what == SENTENCES:
        _sentence()
    else:
        _word()


def _word() -> None:
    task = sections.choose_task()
    if task is None:
        return
    path = services.reference_path(task.target)
    left, right = st.columns(2)
    with left:
        sections.reference(path, task)
    with right:
        st.subheader("2. Record yourself")
        data = recorder(task.target.text)
    if data is not None:
        tried = sections.new_try(data, task)
        sections.verdict(tried, task)
        sections.beside_reference(tried, path)
    if task.learner:
        sections.earlier_tries(task, services.tries(task.learner, task.target.text))


def _sentence() -> None:
    if not services.has_speech_model():
        st.info(
            "There is no speech model here yet. Train one on the Train page, or with `pronlab train speech`.",
            icon=":material/model_training:",
        )
        return
    task = sentences.choose_sentence()
    if task is None:
        return
    left, right = st.columns(2)
    with left:
        sentences.read_aloud(task)
    with right:
        st.subheader("2. Record yourself")
        data = recorder(task.target.text)
    if data is not None:
        sentences.sentence_verdict(sections.new_try(data, task), task)
    if task.learner:
        sections.earlier_tries(task, services.tries(task.learner, task.target.text))


if __name__ == "__main__":
    render()
