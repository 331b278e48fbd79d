"""A second question before anything that cannot be taken back."""

import streamlit as st

from dashboard import state


def confirm(label: str, question: str, *, answer: str, key: str, icon: str = ":material/warning:") -> bool:
    """A button that opens `question`; True in the run where the person presses `answer`, which closes it."""
    answered = int(state.recall(f"confirm.{key}", 0))
    # A popover of another key is another popover, and that one is closed.
    with st.popover(label, icon=icon, key=f"{key}-question-{answered}"):
        st.markdown(question)
        if not st.button(answer, key=f"{key}-{answered}", type="primary"):
            return False
    state.remember(f"confirm.{key}", answered + 1)
    return True
