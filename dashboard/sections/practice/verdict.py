"""What was said of a try: score and band, words and phones to hear, what to mend."""

import hashlib

import streamlit as st

from dashboard import state
from dashboard.components.score_card import band_scale, score_card
from dashboard.components.scored_text import reading
from dashboard.markup import plain
from dashboard.sections.practice.choose import Task
from dashboard.services import practice as practising
from dashboard.services.practice import Try, Voice
from pipeline.records import State

ASPECT_WORDS = {
    "accuracy": ("Accuracy", "Are the sounds right?"),
    "fluency": ("Fluency", "Does it flow, without pauses and repeats?"),
    "prosodic": ("Prosody", "Are stress, melody and rhythm natural?"),
    "completeness": ("Completeness", "Was every word said?"),
}
RULE_WORDS = {
    "segments": "Sounds, beside the reference",
    "timing": "Length and rate",
    "stress": "Stress and melody",
    "signal": "Recording",
}


def new_try(data: bytes, task: Task, voice: Voice | None) -> Try:
    """Score the recording, and save it under the learner's name; once, however often the page is redrawn."""
    key = hashlib.sha256(repr(task.target).encode() + data).hexdigest()
    known, tried, saved_for = state.recall("practice.try", ("", None, ""))
    if known != key or tried is None:
        with st.spinner("Scoring …"):
            tried, saved_for = practising.score_try(data, task.target, voice, task.learner), ""
    if task.learner and not saved_for and practising.kept(task.learner) is not None:
        practising.save_try(task.learner, tried, task.lesson.id)
        saved_for = task.learner
    state.remember("practice.try", (key, tried, saved_for))
    return tried


def verdict(tried: Try, voice: Voice | None) -> None:
    st.subheader("3. Your score")
    result = tried.result
    score_card(result)
    if result.state is State.OTHER_TEXT and result.heard_text:
        st.markdown(f"Heard instead: *{plain(result.heard_text)}*")
    if result.overall is not None and result.state is State.SCORED:
        reading(tried, voice.path.read_bytes() if voice else None, key="practice-reading")
        st.caption("Click a word or a sound to hear it. The number is its score, 0-100.")
        if not tried.advice:
            st.caption("Nothing stands out as wrong.")
    _aspects(tried)
    _agreement(tried)
    st.caption(f"Scored in {tried.milliseconds / 1000:.1f} s, on this computer. Bands: {band_scale()}.")


def _agreement(tried: Try) -> None:
    """What the learner thinks of the score, once a try: it is what models are compared by."""
    if tried.result.overall is None:
        return
    said = st.feedback("thumbs", key=f"agrees-{tried.prediction}")
    if said is not None and state.recall("practice.said") != tried.prediction:
        practising.say_of(tried.prediction, agrees=bool(said))
        state.remember("practice.said", tried.prediction)
    st.caption("Do you agree with the score?" if said is None else "Thank you: kept with the score, without the sound.")


def _aspects(tried: Try) -> None:
    dimensions = tried.result.dimensions
    if tried.result.words and dimensions:
        with st.expander("How it went, by aspect (0-10)", expanded=True):
            for name, (label, question) in ASPECT_WORDS.items():
                if name in dimensions:
                    st.progress(dimensions[name] / 10.0, text=f"{label}: {dimensions[name]:.1f}. {question}")
    elif tried.rule.dimensions:
        with st.expander("How it went, by aspect (0-100, by rule)", expanded=True):
            for name, value in tried.rule.dimensions.items():
                st.progress(value / 100.0, text=f"{RULE_WORDS[name]}: {value:.0f}")
            if "segments" not in tried.rule.dimensions:
                st.caption("The rule has no reference recording, so that the sounds themselves were not judged.")
