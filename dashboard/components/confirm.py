"""A second question before anything that cannot be taken back."""

import streamlit as st


def confirm(label: str, question: str, *, answer: str, key: str, icon: str = ":material/warning:") -> bool:
    """A button that opens `question`; True in the run where the person presses `answer`."""
    with st.popover(label, icon=icon):
        st.markdown(question)
        return st.button(answer, key=key, type="primary")
