"""Wake word: from a few hundred recordings of a word to a detector, in five steps."""

import streamlit as st

from dashboard import identity, state
from dashboard.components.choices import segments
from dashboard.components.packages import say_missing
from dashboard.components.page import errors_in_words, header
from dashboard.components.run_list import choose_run, say_damaged
from dashboard.sections.wakeword import clips, configure, evaluate, export, guide, training
from dashboard.sections.wakeword.steps import CONFIGURATION, DATA, EVALUATION, EXPORT, HELP, STEPS, TRAINING
from dashboard.services import wakeword_training
from pipeline.i18n import _
from pipeline.jobs.requirements import missing_for
from pipeline.people.access import Action

OF_A_WORD = {DATA: clips.draw, CONFIGURATION: configure.draw}
OF_A_RUN = {TRAINING: training.draw, EVALUATION: evaluate.draw, EXPORT: export.draw}


@errors_in_words()
def render() -> None:
    choice = header(_("Wake word"), _("A small detector for one word or phrase."))
    identity.allowed(Action.TRAIN)
    step = segments(_("Step"), {name: _(title) for name, title in STEPS.items()}, key=state.STEP)
    if step == HELP:
        guide.draw()
        return
    if step != CONFIGURATION:
        say_missing("wakeword")
        if step in (EVALUATION, EXPORT) and missing_for("wakeword-detect"):
            return  # a detector cannot be opened
    if step in OF_A_WORD:
        with choice:
            words = clips.choose_word()
        OF_A_WORD[step](words)
        return
    listing = wakeword_training.runs()
    say_damaged(listing.damaged)
    if not listing.records:
        st.info(
            _("No detector has been trained yet. Start a training under 2 Configuration."),
            icon=":material/arrow_back:",
        )
        return
    word = state.watched(state.WAKE_WORD)
    records = listing.records
    if word is not None:  # those of the word that the page is about come first
        records = tuple(sorted(records, key=lambda run: word not in wakeword_training.words_of(run.config)))
    runs = {run.directory.id: run.directory for run in records}
    chosen = choose_run(_("Detector"), runs, choice)
    OF_A_RUN[step](runs[chosen])


if __name__ == "__main__":
    render()
