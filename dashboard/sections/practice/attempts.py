"""Earlier attempts at the same text."""

from datetime import datetime

import streamlit as st

from dashboard.charts import practice_charts
from dashboard.components.confirm import confirm
from dashboard.components.score_card import method_name, points, result_in_words
from dashboard.components.tables import data_table
from dashboard.markup import message, plain
from dashboard.sections.practice.choose import Exercise
from dashboard.services import practice
from dashboard.zone import local
from pipeline.i18n import _, minute, ngettext, number, translated
from pipeline.practice.attempts import AttemptLog
from pipeline.practice.coverage import coverage_of
from pipeline.records import whole_points


def earlier_attempts(exercise: Exercise, log: AttemptLog) -> None:
    st.header(_("Your attempts at this text"), anchor=False)
    for problem in log.problems:
        st.warning(message(f"{translated(problem.message)} ({problem.path})"))
    if not log.attempts:
        st.caption(_("No attempts yet. Record one, and it appears here."))
        return
    _newest_two(log)
    scores = [attempt.overall for attempt in log.attempts]
    methods = [str(attempt.result.get("scoring_method", "none")) for attempt in log.attempts]
    numbers = list(range(1, len(scores) + 1))
    st.plotly_chart(practice_charts.attempts(numbers, scores, methods), key="practice-progress")
    rows = zip(numbers, log.attempts, methods, strict=True)
    data_table(
        [
            {
                _("Attempt"): count,
                _("Score"): None if attempt.overall is None else whole_points(attempt.overall),
                _("Result"): _("not scored")
                if attempt.overall is None
                else result_in_words(attempt.overall, coverage_of(attempt.result)),
                _("Recorded at"): minute(local(datetime.fromisoformat(attempt.at))),
                _("Scored by"): method_name(method),
            }
            for count, attempt, method in rows
        ][::-1],
    )
    audible = [count for count in numbers if log.attempts[count - 1].audio is not None]
    if audible:
        chosen = st.selectbox(
            _("Listen to an attempt"), audible[::-1], index=None, placeholder=_("Choose an attempt"),
            format_func=lambda count: _("Attempt {number}").format(number=number(count)),
        )  # fmt: skip
        if chosen is not None:
            st.audio(str(log.attempts[chosen - 1].audio))
    question = ngettext(
        "{n} attempt of {learner} at “{text}” will be permanently deleted.",
        "{n} attempts of {learner} at “{text}” will be permanently deleted.",
        len(numbers),
    )
    if confirm(
        _("Delete my attempts at this text"),
        question.format(n=number(len(numbers)), learner=plain(exercise.learner), text=plain(exercise.target.text)),
        answer=_("Yes, delete them"),
        key="delete-attempts",
    ):
        practice.delete_attempts_at(exercise.learner, exercise.target.text)
        st.rerun()


def _newest_two(log: AttemptLog) -> None:
    """The newest and the one before, to hear side by side."""
    if len(log.attempts) < 2:
        return
    newest, before = log.attempts[-1], log.attempts[-2]
    change = None
    if newest.overall is not None and before.overall is not None:
        change = f"{whole_points(newest.overall) - whole_points(before.overall):+d}"  # of what is shown
    for column, label, attempt, delta in zip(
        st.columns(2, vertical_alignment="bottom"),
        (_("This attempt"), _("The one before")),
        (newest, before),
        (change, None),
        strict=True,
    ):
        with column:
            st.metric(label, points(attempt.overall) if attempt.overall is not None else _("not scored"), delta)
            if attempt.audio is not None:
                st.audio(str(attempt.audio))
