"""Compare: scorers' predictions against experts' scores on the same recordings."""

import streamlit as st

from dashboard import identity
from dashboard.components.filters import choose_set
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections import compare as sections
from dashboard.services import compare, shared
from pipeline.i18n import _, pgettext
from pipeline.people.access import Action


@errors_in_words()
def render() -> None:
    choices = header(pgettext("page", "Compare"), _("Scorers and experts on the same recordings."))
    identity.allowed(Action.SEE_RATINGS)
    chosen = choose_set(where=choices)
    if chosen is None:
        return
    labels = shared.index().labels(chosen.name)
    with choices:
        rater = sections.choose_rater(labels)
    predictions = compare.predictions(chosen.name)
    experts = shared.expert_scores(chosen.name, rater)
    table = compare.joined(predictions, experts)
    sections.job_of(chosen)
    if table.empty:
        sections.score_set(chosen, expanded=predictions.empty)
        if experts.empty:
            empty_state(
                _("This set has no expert scores to compare with."),
                page="label",
                page_label=_("Rate recordings on the Label page"),
            )
        else:
            empty_state(_("No scorer has scored this set's rated recordings yet. Choose a scorer above and start it."))
        return
    left, right = st.columns([16, 9], vertical_alignment="center")
    with left:
        plot = sections.choose_plot()
    with right, st.container(horizontal=True):
        table = sections.choose_rows(table)
        sections.score_set(chosen)
    if table.empty:
        empty_state(
            _("No recording matches these filters and was scored by all the scorers shown. Remove some filters.")
        )
        return
    sections.plot(table, plot)
    sections.metrics(table, labels)
    sections.provenance(table, chosen.name, rater)
    sections.worst(table)


if __name__ == "__main__":
    render()
