"""The sections of the Practice page: what to say, a reference to hear, one's own try, earlier tries."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboard import charts, services, state
from dashboard.components.confirm import confirm
from dashboard.components.filters import choose_set
from dashboard.components.score_card import (
    METHOD_NAMES,
    band_in_words,
    band_scale,
    checks_list,
    mending_list,
    score_card,
)
from dashboard.services import Try
from pipeline.attempts import AttemptLog
from pipeline.corpus.sets import RecordingSet
from pipeline.records import RubricName, Target

MAX_WORD_LENGTH = 60


@dataclass(frozen=True)
class Task:
    """What the learner reads now, and the set whose reference speaker reads it too (None for a sentence)."""

    set: RecordingSet | None
    target: Target
    learner: str


def learner_name() -> str:
    """Who practises; "" while no name is given."""
    name = st.text_input(
        "Your name", key=state.LEARNER, bind="query-params", max_chars=80, help="Your tries are kept under it."
    )
    return (name or "").strip()


def choose_task() -> Task | None:
    """Who reads which word of which set; None while there is nothing to read yet."""
    left, middle, right = st.columns(3)
    with left:
        learner = learner_name()
    with middle:
        chosen = choose_set(RubricName.WORD)
    if chosen is None:
        return None
    words = services.texts(chosen.name)
    if state.chosen(state.WORD) is None and words:
        state.choose(state.WORD, words[0])
    with right:
        word = st.selectbox(
            "Word: choose one or type your own",
            words,
            index=None,
            key=state.WORD,
            bind="query-params",
            accept_new_options=True,
            placeholder="merhaba",
        )
    word = (word or "").strip()[:MAX_WORD_LENGTH]
    if not word:
        st.caption("Choose or type a word to practise it.")
        return None
    return Task(chosen, Target(text=word, language=chosen.language), learner)


def reference(path: Path | None, task: Task) -> None:
    st.subheader(f"1. Hear “{task.target.text}”")
    if path is None:
        st.caption("There is no reference recording of this word; it is scored without one.")
        return
    st.audio(str(path))
    if task.set is not None and task.set.synthetic:
        st.caption("A synthetic voice, made by a speech synthesiser.")


def new_try(data: bytes, task: Task) -> Try:
    """Score the recording, and save it under the learner's name; once, however often the page is redrawn."""
    key = hashlib.sha256(repr((task.set and task.set.name, task.target)).encode() + data).hexdigest()
    known, tried, saved_for = state.recall("practice.try", ("", None, ""))
    if known != key or tried is None:
        with st.spinner("Scoring …"):
            tried, saved_for = services.score_try(data, task.target), ""
    if task.learner and not saved_for:  # a name given later still saves it; another name does not take it over
        services.save_try(task.learner, tried)
        saved_for = task.learner
        st.toast("Saved among your tries.")
    state.remember("practice.try", (key, tried, saved_for))
    return tried


def verdict(tried: Try, task: Task) -> None:
    st.subheader("3. Your score")
    score_card(tried.result)
    if not task.learner:
        st.info("Enter your name above to keep your tries and see progress.", icon=":material/person:")
    found, mend = st.columns(2)
    with found:
        st.markdown("**What was found**")
        if tried.result.audio is not None:
            checks_list(tried.result.audio)
    with mend:
        st.markdown("**What to mend**")
        mending_list(tried.advice)
    st.caption(f"Scored in {tried.milliseconds / 1000:.1f} s. Bands: {band_scale()}.")


def beside_reference(tried: Try, path: Path | None) -> None:
    """One's own try and the reference to hear in turn, and both pitch curves in one figure."""
    st.subheader("4. Compare by ear and eye")
    mine, theirs = st.columns(2)
    with mine:
        st.markdown("You")
        st.audio(tried.wav)
    curves = {"you": services.pitch_contour(tried.audio)}
    if path is not None:
        with theirs:
            st.markdown("Reference")
            st.audio(str(path))
        curves["reference"] = services.pitch_contour(services.loaded_audio(path))
    st.plotly_chart(charts.pitch_overlay(curves), key="practice-pitch")


def earlier_tries(task: Task, log: AttemptLog) -> None:
    st.subheader("Your tries at this")
    for problem in log.problems:
        st.warning(f"{problem.message} ({problem.path})")
    if not log.attempts:
        st.caption("None yet. The first one you record is kept here.")
        return
    scores = [attempt.overall for attempt in log.attempts]
    methods = [str(attempt.result.get("scoring_method", "none")) for attempt in log.attempts]
    numbers = list(range(1, len(scores) + 1))
    st.plotly_chart(charts.attempts(numbers, scores, methods), key="practice-progress")
    st.dataframe(
        [
            {
                "Try": number,
                "When (UTC)": attempt.at[:16].replace("T", " "),
                "Score": attempt.overall,
                "Band": "could not score" if attempt.overall is None else band_in_words(attempt.overall),
                "Method": METHOD_NAMES.get(method, method),
            }
            for number, attempt, method in zip(numbers, log.attempts, methods, strict=True)
        ][::-1],
        hide_index=True,
        column_config={"Score": st.column_config.NumberColumn(format="%.0f")},
    )
    chosen = st.selectbox("Hear one again", numbers[::-1], index=None, placeholder="Choose a try")
    if chosen is not None:
        st.audio(str(log.attempts[chosen - 1].audio))
    if confirm(
        "Delete my tries at this",
        f"All {len(numbers)} recordings and scores of “{task.target.text}” under the name {task.learner} go for good.",
        answer="Yes, delete them",
        key="delete-tries",
    ):
        services.delete_tries(task.learner, task.target.text)
        st.rerun()
