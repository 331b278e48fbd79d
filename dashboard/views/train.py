"""Train: start a training in the background, watch it, see its results, deploy its model."""

import streamlit as st

from dashboard import identity
from dashboard.components.packages import say_missing
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.components.run_list import choose_run, say_damaged
from dashboard.sections.train.feature_based import start_feature_based_training
from dashboard.sections.train.models import scoring_now
from dashboard.sections.train.run import one_run
from dashboard.sections.train.speech import start_speech_training
from dashboard.sections.train.speechllm import start_speechllm_training
from dashboard.services import runs
from pipeline.i18n import _, pgettext
from pipeline.jobs.requirements import missing_for
from pipeline.people.access import Action
from pipeline.runs.words import kind_name
from pipeline.scoring.feature_based.config import TrainConfig

FORMS = {
    "word": start_feature_based_training,
    "speech": start_speech_training,
    "speechllm": start_speechllm_training,
}

PRESELECTED = {"word": {"model": TrainConfig.model}}  # settings of a form that ask for packages


@errors_in_words()
def render() -> None:
    choices = header(pgettext("page", "Train"), _("Train a scorer, watch it, and deploy it."))
    identity.allowed(Action.TRAIN)
    with errors_in_words():
        scoring_now()
    listing = runs.listing()
    expanded = not listing.records
    with st.expander(_("New training"), icon=":material/add:", expanded=expanded), errors_in_words():
        kind = st.segmented_control(
            _("What to train"), list(FORMS), default="word", required=True, format_func=kind_name, key="train-kind",
            label_visibility="collapsed", wrap=True,
        )  # fmt: skip
        if FORMS[kind](say_missing(kind, PRESELECTED.get(kind))):
            listing = runs.listing()
    say_damaged(listing.damaged)
    if not listing.records:
        if missing_for("word") is None:
            empty_state(
                _("There are no runs yet. Start a training above: with the demo set it takes less than a minute.")
            )
        else:
            empty_state(_("There are no runs yet. Install what is named above, then start a training."))
        return
    directories = {run.directory.id: run.directory for run in listing.records}
    chosen = choose_run(_("Run"), directories, choices)
    with choices:
        st.page_link("views/runs.py", label=_("All runs"), icon=":material/stacked_line_chart:")
    one_run(directories[chosen])


if __name__ == "__main__":
    render()
