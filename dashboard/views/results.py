"""Results: how well the speech scorers do, beside the paper, the published systems and people."""

import streamlit as st

from dashboard import identity
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections import results as sections
from dashboard.services import shared as services
from pipeline.people.access import Action


@errors_in_words()
def render() -> None:
    header("Results", "Speech scorers beside the paper, the published systems and the human ceiling.")
    identity.allowed(Action.SEE_RESULTS)
    found = services.evaluations()
    sections.table(found)
    if not found:
        empty_state(
            "No speech scorer has been evaluated here yet. `pronlab evaluate --manifest M --scorer speech --part dev` "
            "measures one; the corpus's manifest is described in data/README.md."
        )
        return
    chosen = sections.choose_evaluation(found)
    sections.figures(chosen)
    rows = chosen.rows()
    if not rows:
        st.info(
            "Only the figures of this evaluation came with the model. Run it here to see its plots: `pronlab evaluate "
            "--manifest M --scorer speech --part dev`.",
            icon=":material/scatter_plot:",
        )
        return
    aspect = sections.choose_aspect(rows)
    sections.plots(rows, aspect)
    sections.per_and_accuracy(rows, chosen)


if __name__ == "__main__":
    render()
