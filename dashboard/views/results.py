"""Results: how well the speech scorers do, compared with the paper, published systems and people."""

from collections.abc import Sequence

import streamlit as st

from dashboard import identity
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections.results import evaluations as sections
from dashboard.sections.results import published, systems
from dashboard.services import results
from pipeline.evaluation.results_table import STAND_IN
from pipeline.evaluation.saved import SavedEvaluation
from pipeline.i18n import _, pgettext
from pipeline.people.access import Action

EVALUATE = "pronlab evaluate --set speechocean762 --part test --scorer speech"  # not shown: a command


@errors_in_words()
def render() -> None:
    choices = header(
        pgettext("page", "Results"), _("Speech scorers, the paper, published systems and the human ceiling.")
    )
    identity.allowed(Action.SEE_RESULTS)
    evaluations = results.evaluations()
    with choices:
        rows = systems.choose_rows()
    compared = [row for row in rows if row.kind != STAND_IN]
    systems.table(compared, any_of_ours=any(row.kind == "here" for row in rows))
    systems.stand_ins([row for row in rows if row.kind == STAND_IN])
    _evaluation(evaluations)
    published.making(compared)


def _evaluation(evaluations: Sequence[SavedEvaluation]) -> None:
    if not evaluations:
        empty_state(
            _(
                "No speech scorer has been evaluated yet. Import a set of sentences that experts scored on the Data "
                "page, such as speechocean762, then run `{command}`."
            ).format(command=EVALUATE)
        )
        return
    chosen = sections.choose_evaluation(evaluations)
    utterances = chosen.rows()
    if utterances:
        sections.plots(utterances)
    sections.levels(chosen)
    if utterances:
        sections.error_rate(utterances, chosen)
    else:
        st.info(
            _(
                "The model came with the figures of this evaluation only. To see plots, import the set on the Data "
                "page and run it here: `{command}`."
            ).format(command=EVALUATE),
            icon=":material/scatter_plot:",
        )


if __name__ == "__main__":
    render()
