"""Score one prompt: overall, clarity and specificity, what to improve, and what the visitor says about it."""

from collections.abc import Sequence

import streamlit as st

from dashboard import state
from dashboard.components.page import errors_in_words
from dashboard.components.score_card import points
from dashboard.markup import message, plain
from dashboard.services import tables
from pipeline.deployment.prompt_answering import RULES, PromptScore
from pipeline.i18n import N_, _, number
from pipeline.markdown import code_span
from pipeline.records import band_of
from pipeline.tabular.prompts.analysis import CLARITY, SPECIFICITY
from pipeline.tabular.prompts.store import LONGEST

CHECK, CROSS = ":material/check:", ":material/close:"
SCORED = "prompts.scored"  # not shown
ASPECTS = {CLARITY: N_("Clarity"), SPECIFICITY: N_("Specificity")}


def use() -> None:
    text = st.text_area(_("Prompt to score"), max_chars=LONGEST, height=120, key="use-text")
    if st.button(_("Score the prompt"), type="primary", disabled=not text.strip()):
        with errors_in_words():
            state.remember(SCORED, (text, tables.score_prompt(text)))
    scored: tuple[str, PromptScore] | None = state.recall(SCORED)
    if scored is None or scored[0] != text:
        st.caption(_("Scored by the deployed model, or by the rules where none is deployed. Every score is logged."))
        return
    with errors_in_words():
        _scores(scored[1])
        left, right = st.columns([3, 2])
        with left:
            _improvements(scored[1])
        with right:
            _rules(scored[1])
        _feedback(scored[1])


def _scores(scored: PromptScore) -> None:
    result, analysis = scored.result, scored.analysis
    overall = result.overall or 0.0
    with st.container(horizontal=True, vertical_alignment="center", gap="large"):
        st.metric(_("Score (0-100)"), points(overall), width="content")
        st.badge(_(band_of(overall).label))  # the meanings of the bands are about speech
        by_rules = _("Counted by rules, as nobody rates it apart.")
        st.metric(_(ASPECTS[CLARITY]), points(analysis.clarity), width="content", help=by_rules)
        st.metric(_(ASPECTS[SPECIFICITY]), points(analysis.specificity), width="content", help=by_rules)
    for warning in result.warnings:
        st.warning(message(warning), icon=":material/warning:")
    confidence = (
        _("The accuracy of this score is unknown.")
        if result.confidence is None
        else _("In about {n} of 10 such cases people's score is within 10 points.").format(
            n=number(round(10 * result.confidence))
        )
    )
    if result.model_id == RULES:
        st.markdown(_("Scored by the rules, as no model is deployed.") + f" {confidence}")
        return
    scorer = _("Scored by {model}.").format(model=code_span(result.model_id))
    rules = _("The rules alone give {score}.").format(score=points(analysis.rule))
    st.markdown(f"{scorer} {confidence} {rules}")


def _improvements(scored: PromptScore) -> None:
    st.markdown("**" + _("What to improve") + "**")
    if not scored.analysis.improvements:
        st.markdown(CHECK + " " + _("Nothing is missing by the rules."))
        return
    lines = (
        f"1. {plain(_(improvement.text))} :gray[({_(ASPECTS[improvement.aspect])})]"
        for improvement in scored.analysis.improvements
    )
    st.markdown("\n".join(lines))


def _rules(scored: PromptScore) -> None:
    nothing = _("none")
    met, missing = _listed(CHECK, scored.analysis.present), _listed(CROSS, scored.analysis.missing)
    left, right = st.columns(2)
    left.markdown(_("**Present**") + f"  \n{met or nothing}")
    right.markdown(_("**Missing**") + f"  \n{missing or nothing}")


def _listed(icon: str, rules: Sequence[str]) -> str:
    return "  \n".join(f"{icon} {plain(_(rule))}" for rule in rules)


def _feedback(scored: PromptScore) -> None:
    """Whether the visitor agrees, and the score that they would give: what the Monitor page compares models by."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        agrees = st.feedback("thumbs", key=f"prompt-agrees-{scored.prediction}")
        if agrees is not None and state.recall("prompts.agreed") != scored.prediction:
            tables.prompt_feedback(scored.prediction, agrees=bool(agrees))
            state.remember("prompts.agreed", scored.prediction)
        score = st.number_input(
            _("Your score (0-100)"), 0.0, 100.0, None, 1.0, key=f"prompt-score-{scored.prediction}", width=160
        )
        if st.button(_("Save my score"), disabled=score is None, key=f"prompt-save-{scored.prediction}"):
            tables.prompt_feedback(scored.prediction, score=score)
            st.toast(_("Saved."))
    st.caption(_("Your answer is saved with the prediction; the Monitor page shows the errors."))
