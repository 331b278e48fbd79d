"""How it should sound, before one tries."""

import streamlit as st

from dashboard.markup import plain
from dashboard.sections.practice.choose import Task
from dashboard.services.practice import Voice


def reference(voice: Voice | None, task: Task) -> None:
    st.subheader("1. Hear and read")
    st.markdown(f"### {plain(task.target.text)}")
    if task.note:
        st.info(plain(task.note), icon=":material/lightbulb:")
    if voice is None:
        st.caption(
            "There is no reference recording of this, and no synthesiser for its language here; it is scored without."
        )
        return
    st.audio(str(voice.path))
    if voice.synthetic:
        st.caption("A synthetic voice. Recordings of people can be marked as reference under Lessons and voices.")
