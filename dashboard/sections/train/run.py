"""One run: live while it is active, with its results and a way to deploy it once it is finished."""

from collections.abc import Callable

import streamlit as st

from dashboard.components.job_panel import Details, job_panel
from dashboard.components.page import errors_in_words
from dashboard.components.run_actions import offer_deletion
from dashboard.components.run_list import stored
from dashboard.sections.train.feature_based import feature_based_curves, feature_based_results, is_mock
from dashboard.sections.train.speech import speech_curves, speech_results
from dashboard.sections.train.speechllm import speechllm_curves, speechllm_results
from dashboard.state import RUN, STEP
from pipeline.i18n import N_, _
from pipeline.runs import RunDirectory

OF_KIND: dict[str, tuple[Details, Callable[[RunDirectory], None]]] = {
    "word": (feature_based_curves, feature_based_results),
    "speech": (speech_curves, speech_results),
    "speechllm": (speechllm_curves, speechllm_results),
}
# What is trained on another page shows its results there.
ELSEWHERE = {
    "wakeword": ("wakeword", N_("Results on the Wake word page"), {RUN: "{run}", STEP: "3 Training"}),  # not shown
    "table": ("tables", N_("Results on the Tables page"), {}),
    "prompts": ("tables", N_("Results on the Tables page"), {}),
}


def one_run(run: RunDirectory) -> None:
    if is_mock(run):
        st.warning(
            _("**Mock labels**: the scores are made up, so these metrics say nothing about speech."),
            icon=":material/science:",
        )
    curves, results = OF_KIND.get(run.state.kind, (None, None))
    with st.container(border=True):
        state = job_panel(run, curves)
    if state.status == "finished" and results is not None:
        with errors_in_words(), stored(_("The results of {run}").format(run=run.id)):
            results(run)
    if run.state.kind in ELSEWHERE:
        page, label, query = ELSEWHERE[run.state.kind]
        query = {key: value.format(run=run.id) for key, value in query.items()}
        st.page_link(f"views/{page}.py", label=_(label), icon=":material/arrow_forward:", query_params=query)
    offer_deletion(run)
