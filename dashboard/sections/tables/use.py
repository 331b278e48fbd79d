"""Score one prompt, with what the rule misses in it."""

import streamlit as st

from dashboard.components.page import errors_in_words
from dashboard.components.score_card import points
from dashboard.markup import plain
from dashboard.services import tables
from pipeline.markdown import code_span
from pipeline.records import band_of
from pipeline.tabular.prompts.store import LONGEST


def use() -> None:
    text = st.text_area("Prompt to score", max_chars=LONGEST, height=140, key="use-text")
    if not st.button("Score it", type="primary", disabled=not text.strip()):
        st.caption("By the model in use, or by the rule where none is. What it answers is logged for the Monitor page.")
        return
    with errors_in_words():
        found = tables.score_prompt(text)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.metric("Score (0-100)", points(found.score), width="content")
            st.badge(band_of(found.score).label)  # what bands mean is said of speech
        sure = (
            "It cannot say how sure it is."
            if found.confidence is None
            else f"In about {round(10 * found.confidence)} of 10 such cases people's score is within 10 points."
        )
        st.markdown(f"By {code_span(found.model_id)}. {sure} The rule alone says {points(found.rule)}.")
        left, right = st.columns(2)
        met = "  \n".join(f":material/check: {plain(name)}" for name in found.met)
        missing = "  \n".join(f":material/close: {plain(name)}" for name in found.missing)
        left.markdown(f"**It has**  \n{met or 'nothing of it'}")
        right.markdown(f"**It lacks**  \n{missing or 'nothing'}")
