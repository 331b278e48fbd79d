"""Runs: every training with its notes, any number of them side by side, exported."""

import streamlit as st

from dashboard import identity
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections import runs as sections
from dashboard.services import train as training
from pipeline.people.access import Action


@errors_in_words()
def render() -> None:
    header("Runs", "Every training: find it again, note what it showed, compare any number side by side.")
    identity.allowed(Action.TRAIN)
    found = training.runs()
    sections.unreadable(found.damaged)
    if not found.records:
        empty_state(
            "No training has run yet. Start one on the Train page: with the demo set it takes under a minute.",
            page="train",
            page_label="Go to Train",
        )
        return
    chosen = sections.choose_runs(found.records)
    if not chosen:
        st.caption("Choose one run to write a note or delete it, two or more to compare them.")
    elif len(chosen) == 1:
        sections.one_run(chosen[0])
    else:
        sections.side_by_side(chosen)


if __name__ == "__main__":
    render()
