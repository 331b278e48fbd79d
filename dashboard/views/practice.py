"""Practise: a learner listens, records, sees the score with its reasons, tries again, and follows the progress."""

import streamlit as st

from dashboard import identity, state
from dashboard.components.choices import segments
from dashboard.components.page import errors_in_words, header
from dashboard.components.recorder import recorder
from dashboard.markup import plain
from dashboard.sections.practice.attempts import earlier_attempts
from dashboard.sections.practice.choose import Exercise, choose_exercise, language_name
from dashboard.sections.practice.classes import invitation, teachers_classes
from dashboard.sections.practice.comparison import compared_with_reference, recording_checks
from dashboard.sections.practice.free_speaking import free_speaking
from dashboard.sections.practice.learner import turn
from dashboard.sections.practice.library import library
from dashboard.sections.practice.path import path
from dashboard.sections.practice.privacy import ask
from dashboard.sections.practice.progress import progress
from dashboard.sections.practice.reference import listen
from dashboard.sections.practice.verdict import details, new_attempt, take, verdict
from dashboard.services import practice
from pipeline.i18n import N_, _, translated
from pipeline.people.access import Action

PRACTISE, PATH, PROGRESS, LIBRARY, CLASSES = "practise", "path", "progress", "library", "classes"
PARTS = {
    PRACTISE: N_("Practise"), PATH: N_("My path"), PROGRESS: N_("Progress"), LIBRARY: N_("Lessons and voices"),
    CLASSES: N_("Classes"),
}  # fmt: skip


@errors_in_words()
def render() -> None:
    choices = header(_("Practise"), _("Listen, record, and see what to work on."))
    with choices:
        leads = identity.allowed(Action.PRACTISE).may(Action.LEAD_CLASSES)
        parts = {name: _(title) for name, title in PARTS.items() if name != CLASSES or leads}
        part = segments(_("Part of the page"), parts, key=state.PRACTICE)
    if part == LIBRARY:
        library()
    elif part == CLASSES:
        teachers_classes()
    elif part == PATH:
        path()
    elif part == PROGRESS:
        progress()
    else:
        exercise = choose_exercise()
        if exercise is not None and exercise.is_free and practice.can_score(exercise.target.language):
            free_speaking(exercise)
        elif exercise is not None:
            _practise(exercise)


def _practise(exercise: Exercise) -> None:
    if not practice.can_score(exercise.target.language):
        st.info(
            _("{language} cannot be scored here yet. Choose a lesson in another language.").format(
                language=language_name(exercise.target.language)
            ),
            icon=":material/translate:",
        )
        return
    practice.check_text(exercise.target)
    voice = practice.reference_voice(exercise.target)
    result = st.container()  # above what was read and recorded, as soon as there is one
    left, right = st.columns(2)
    with left:
        listen(voice, exercise)
    with right:
        row = st.container(horizontal=True, vertical_alignment="center")
        row.header(_("2. Record"), width="content", anchor=False)
        key = f"{exercise.lesson.id}-{exercise.target.text}-{turn(exercise.learner)}-{take()}"
        data = recorder(key, of=str(exercise.target.rubric), starts=take(), choice_in=row)
    if exercise.lesson.about:
        st.caption(plain(translated(exercise.lesson.about)))
    ask(exercise.learner)
    invitation(exercise.learner)
    if data is None:
        practice.load_scorers(exercise.target)
        practice.warm_up(exercise.target, voice)
    else:
        with result:
            attempt = new_attempt(data, exercise, voice)
            if attempt is not None:
                verdict(attempt, voice)
        if attempt is not None:
            if attempt.no_attempt is None:
                compared_with_reference(attempt)
                details(attempt)
            recording_checks(attempt, voice)
    if exercise.learner:
        earlier_attempts(exercise, practice.attempts(exercise.learner, exercise.target.text))
    else:
        st.caption(_("Type your name above to save your attempts and see your progress."))


if __name__ == "__main__":
    render()
