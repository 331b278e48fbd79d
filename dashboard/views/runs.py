"""Runs: every training with its notes, any number of them compared and exported."""

from dashboard import identity
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.components.run_list import say_damaged
from dashboard.sections.runs import choose_runs, compared, curves, list_of_runs, notes, searched
from dashboard.services import runs
from pipeline.i18n import _, pgettext
from pipeline.jobs.requirements import missing_for
from pipeline.people.access import Action

UNASKED_CURVES = 5  # of the newest runs, before any is chosen


@errors_in_words()
def render() -> None:
    choices = header(pgettext("page", "Runs"), _("Find, annotate and compare trainings."))
    identity.allowed(Action.TRAIN)
    listing = runs.listing()
    say_damaged(listing.damaged, deletable=True)
    if not listing.records:
        words = (
            _("There are no runs yet. Start one on the Train page: with the demo set it takes less than a minute.")
            if missing_for("word") is None
            else _("There are no runs yet. The Train page says what to install before the first one.")
        )
        empty_state(words, page="train", page_label=_("Go to Train"))
        return
    shown = list_of_runs(listing.records, choices)
    chosen, curve_choice = choose_runs(listing.records)
    curves(chosen or shown[:UNASKED_CURVES], curve_choice)
    if len(chosen) == 1:
        searched(chosen[0])
        notes(chosen[0])
    elif chosen:
        compared(chosen)


if __name__ == "__main__":
    render()
