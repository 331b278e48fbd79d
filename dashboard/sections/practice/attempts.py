"""Earlier tries at the same text, beside the newest."""

import streamlit as st

from dashboard.charts import practice_charts
from dashboard.components.confirm import confirm
from dashboard.components.score_card import METHOD_NAMES, band_in_words, points
from dashboard.markup import message, plain
from dashboard.sections.practice.choose import Task
from dashboard.sections.practice.privacy import counted
from dashboard.services import practice as practising
from pipeline.practice.attempts import AttemptLog


def earlier_tries(task: Task, log: AttemptLog) -> None:
    st.subheader("Your tries at this")
    for problem in log.problems:
        st.warning(message(f"{problem.message} ({problem.path})"))
    if not log.attempts:
        st.caption("None yet. The first one you record appears here.")
        return
    _against_the_one_before(log)
    scores = [attempt.overall for attempt in log.attempts]
    methods = [str(attempt.result.get("scoring_method", "none")) for attempt in log.attempts]
    numbers = list(range(1, len(scores) + 1))
    st.plotly_chart(practice_charts.attempts(numbers, scores, methods), key="practice-progress")
    st.dataframe(
        [
            {
                "Try": number,
                "When (UTC)": attempt.at[:16].replace("T", " "),
                "Score": None if attempt.overall is None else int(attempt.overall),
                "Band": "could not score" if attempt.overall is None else band_in_words(attempt.overall),
                "Method": METHOD_NAMES.get(method, method),
            }
            for number, attempt, method in zip(numbers, log.attempts, methods, strict=True)
        ][::-1],
        hide_index=True,
    )
    audible = [number for number in numbers if log.attempts[number - 1].audio is not None]
    if audible:
        chosen = st.selectbox("Hear one again", audible[::-1], index=None, placeholder="Choose a try")
        if chosen is not None:
            st.audio(str(log.attempts[chosen - 1].audio))
    if confirm(
        "Delete my tries at this",
        f"{counted(len(numbers))} at “{plain(task.target.text)}” under the name {plain(task.learner)}: gone for good.",
        answer="Yes, delete them",
        key="delete-tries",
    ):
        practising.delete_tries(task.learner, task.target.text)
        st.rerun()


def _against_the_one_before(log: AttemptLog) -> None:
    """The newest and the one before, to hear side by side."""
    if len(log.attempts) < 2:
        return
    for column, label, attempt, other in zip(
        st.columns(2), ("This try", "The one before"), log.attempts[:-3:-1], (log.attempts[-2], None), strict=True
    ):
        with column:
            change = None
            if attempt.overall is not None and other is not None and other.overall is not None:
                change = f"{attempt.overall - other.overall:+.0f}"
            st.metric(label, points(attempt.overall) if attempt.overall is not None else "could not score", change)
            if attempt.audio is not None:
                st.audio(str(attempt.audio))
