"""A learner's progress: by day, by lesson, by sound."""

import streamlit as st

from dashboard.charts import practice_charts
from dashboard.components.page import empty_state
from dashboard.components.score_card import points
from dashboard.components.tables import data_table
from dashboard.markup import plain
from dashboard.sections.practice.choose import lesson_title
from dashboard.sections.practice.learner import is_open, learner_name
from dashboard.sections.practice.privacy import what_is_kept
from dashboard.services import practice
from pipeline.i18n import _, ngettext, number
from pipeline.practice.progress import MASTERED, LessonProgress, Sound
from pipeline.practice.sounds import known_sound
from pipeline.records import whole_points

SHOWN_SOUNDS = 39


def progress() -> None:
    column, _rest = st.columns([1, 2])
    with column:
        learner = learner_name()
    if not learner:
        empty_state(_("Type your name above to see your progress."))
        return
    if not is_open(learner):
        return
    shown = practice.progress(learner)
    if not shown.attempts:
        empty_state(_("No attempts yet. Practise a text, and your progress appears here."))
        what_is_kept(learner, 0)
        return
    _figures(shown)
    st.plotly_chart(practice_charts.by_day(shown.days), key="progress-days")
    st.header(_("By lesson"), anchor=False)
    if shown.lessons:
        _lessons(shown.lessons)
    else:
        st.caption(_("You have practised texts of your own so far. Attempts at lessons are counted here."))
    st.header(_("By sound"), anchor=False)
    if shown.sounds:
        st.plotly_chart(practice_charts.by_sound(shown.sounds[:SHOWN_SOUNDS]), key="progress-sounds")
        _weakest(shown.sounds)
    else:
        st.caption(_("The sounds of English appear here, each after you have said it three times."))
    what_is_kept(learner, len(shown.attempts))


def _figures(shown: practice.Progress) -> None:
    scores = [attempt.overall for attempt in shown.attempts if attempt.overall is not None]
    row = st.container(horizontal=True, gap="large")
    row.metric(_("Attempts"), number(len(scores)), width="content")
    row.metric(_("Average score"), points(sum(scores) / len(scores)) if scores else "", width="content")
    row.metric(_("Days practised"), number(len(shown.days)), width="content")
    longest = shown.streak.longest
    row.metric(
        _("Days in a row"), number(shown.streak.now), width="content",
        help=ngettext("Your record is {n} day.", "Your record is {n} days.", longest).format(n=number(longest)),
    )  # fmt: skip


def _lessons(lessons: list[LessonProgress]) -> None:
    data_table(
        [
            {
                _("Lesson"): lesson_title(row.lesson),
                _("Texts"): len(row.lesson.items),
                _("Attempted"): row.attempted,
                _("Good"): row.mastered,
                _("Average best score"): None if row.mean_best is None else whole_points(row.mean_best),
            }
            for row in lessons
        ],
        column_config={_("Lesson"): st.column_config.TextColumn(pinned=True)},
    )
    st.caption(_("Good: texts with a score of {score} or more.").format(score=number(MASTERED)))


def _weakest(sounds: list[Sound]) -> None:
    """How the three weakest sounds are made."""
    for sound in [sound for sound in sounds[:3] if sound.mean < MASTERED]:
        known = known_sound(sound.phone)
        times = ngettext("{n} time", "{n} times", sound.n).format(n=number(sound.n))
        figures = f"{points(sound.mean)}, {times}"
        if sound.before is not None and sound.after is not None:
            change = _("{before} at first, {after} lately")
            figures += f"; {change.format(before=points(sound.before), after=points(sound.after))}"
        if known.example:
            line = _("**{sound}** as in “{example}” ({figures}): {hint}")
        else:
            line = _("**{sound}** ({figures}): {hint}")
        st.markdown(line.format(sound=plain(known.shown), example=known.example, figures=figures, hint=_(known.hint)))
