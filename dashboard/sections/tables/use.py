"""Score one prompt, with the rules that it misses."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components.page import errors_in_words
from dashboard.components.score_card import points
from dashboard.markup import plain
from dashboard.services import tables
from pipeline.i18n import _, number
from pipeline.markdown import code_span
from pipeline.records import band_of
from pipeline.tabular.prompts.store import LONGEST

CHECK, CROSS = ":material/check:", ":material/close:"


def use() -> None:
    text = st.text_area(_("Prompt to score"), max_chars=LONGEST, height=140, key="use-text")
    if not st.button(_("Score the prompt"), type="primary", disabled=not text.strip()):
        st.caption(_("Scored by the deployed model, or by the rules where none is deployed. Every score is logged."))
        return
    with errors_in_words():
        scored = tables.score_prompt(text)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.metric(_("Score (0-100)"), points(scored.score), width="content")
            st.badge(_(band_of(scored.score).label))  # the meanings of the bands are about speech
        confidence = (
            _("The accuracy of this score is unknown.")
            if scored.confidence is None
            else _("In about {n} of 10 such cases people's score is within 10 points.").format(
                n=number(round(10 * scored.confidence))
            )
        )
        scorer = _("Scored by {model}.").format(model=code_span(scored.model_id))
        rules = _("The rules alone give {score}.").format(score=points(scored.rule))
        st.markdown(f"{scorer} {confidence} {rules}")
        left, right = st.columns(2)
        nothing = _("none")
        met, missing = _listed(CHECK, scored.met), _listed(CROSS, scored.missing)
        left.markdown(_("**Present**") + f"  \n{met or nothing}")
        right.markdown(_("**Missing**") + f"  \n{missing or nothing}")


def _listed(icon: str, rules: Sequence[str]) -> str:
    return "  \n".join(f"{icon} {plain(_(rule))}" for rule in rules)
