"""Practice: a learner hears a word, records it, sees a score with its reasons, and follows the progress."""

import streamlit as st

from dashboard import services
from dashboard.components import practice_sections as sections
from dashboard.components.page import errors_in_words, header
from dashboard.components.recorder import recorder


@errors_in_words()
def render() -> None:
    header("Practice", "Hear a word, record yourself, see how near you come and what to mend.")
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


if __name__ == "__main__":
    render()
