"""Prompts come in here: written or brought, rated, with notes."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import identity
from dashboard.components.confirm import confirm
from dashboard.components.forms import empty_if_kept, keep
from dashboard.components.page import empty_state, errors_in_words
from dashboard.services import tables
from pipeline.people.access import Action
from pipeline.tabular.prompts.store import LONGEST, Prompt

FIELDS = ("prompt-text", "prompt-author", "prompt-score", "prompt-notes")


def collect() -> None:
    empty_if_kept("prompt", FIELDS)
    with st.form("prompt-new"), errors_in_words():
        text = st.text_area("Prompt", max_chars=LONGEST, height=140, key="prompt-text")
        left, middle, right = st.columns(3)
        author = left.text_input("Who wrote it", max_chars=80, key="prompt-author")
        score = middle.number_input("Score (0-100)", 0.0, 100.0, None, 1.0, key="prompt-score", placeholder="later")
        rater = _rater(right, "prompt-rater")
        notes = st.text_input(
            "Notes", max_chars=500, key="prompt-notes", placeholder="what it lacks, what it does well"
        )
        if st.form_submit_button("Keep it", type="primary"):
            tables.keep_prompt(text, author, score, rater, notes)
            keep("prompt", "Kept.")
    found = tables.prompts()
    if not found:
        empty_state("There are no prompts yet. Write one above, or begin with the synthetic set.")
        if st.button("Take over the synthetic set", icon=":material/science:"):
            st.toast(f"{tables.add_synthetic()} prompts that nobody wrote or rated.")
            st.rerun()
        return
    made_up = sum(one.notes == "synthetic" for one in found)
    if made_up:
        st.badge(f"{made_up} synthetic prompts with made-up scores", icon=":material/science:", color="orange")
    unrated = [one for one in found if one.score is None]
    st.caption(f"{len(found)} {'prompt' if len(found) == 1 else 'prompts'}, {len(unrated)} not rated yet.")
    st.dataframe(
        [
            {"Prompt": one.text, "By": one.author, "Score": one.score, "Rated by": one.rater, "Notes": one.notes}
            for one in found[::-1]
        ],
        hide_index=True,
        height=320,
    )
    with st.expander("Rate or remove one", expanded=bool(unrated)):
        _change(unrated + [one for one in found if one.score is not None])


def _rater(place: DeltaGenerator, key: str) -> str:
    """Whoever sits here; on an open installation whose name is typed."""
    if identity.is_open():
        return place.text_input("Who rates it", max_chars=80, key=key)
    return place.text_input("Who rates it", identity.allowed(Action.COLLECT_PROMPTS).name, disabled=True, key=key)


def _change(found: list[Prompt]) -> None:
    chosen = st.selectbox("Prompt", found, index=None, format_func=lambda one: one.text[:100], key="prompt-chosen")
    if chosen is None:
        return
    st.code(chosen.text, language=None, wrap_lines=True)
    with st.form(f"prompt-rate-{chosen.id}", border=False), errors_in_words():
        left, middle, right = st.columns(3)
        score = left.number_input("Score (0-100)", 0.0, 100.0, chosen.score, 1.0, key=f"rate-{chosen.id}")
        rater = _rater(middle, f"rater-{chosen.id}")
        notes = right.text_input("Notes", chosen.notes, max_chars=500, key=f"notes-{chosen.id}")
        if st.form_submit_button("Save", type="primary") and score is not None:
            tables.rate_prompt(chosen.id, score, rater, notes)
            st.rerun()
    if confirm("Remove it", "It is not read any more; its line stays in the file.", answer="Yes, remove it",
               key=f"remove-{chosen.id}"):  # fmt: skip
        tables.remove_prompt(chosen.id)
        st.rerun()
