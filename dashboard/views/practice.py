"""Practice: a learner hears, says, sees the score with its reasons, tries again, and follows the progress."""

import streamlit as st

from dashboard import identity, state
from dashboard.components.page import errors_in_words, header
from dashboard.components.recorder import recorder
from dashboard.markup import plain
from dashboard.sections.practice.attempts import earlier_tries
from dashboard.sections.practice.choose import Task, choose_task, language_name, learner_name
from dashboard.sections.practice.comparison import beside_reference
from dashboard.sections.practice.library import library
from dashboard.sections.practice.privacy import ask
from dashboard.sections.practice.progress import progress
from dashboard.sections.practice.reference import reference
from dashboard.sections.practice.verdict import new_try, verdict
from dashboard.services import practice as practising

PRACTISE, PROGRESS, LIBRARY = "Practise", "Progress", "Lessons and voices"


@errors_in_words()
def render() -> None:
    header("Practice", "Hear it, say it, see how near you come and what to mend.")
    what = st.segmented_control(
        "What to do", [PRACTISE, PROGRESS, LIBRARY], default=PRACTISE, required=True, key=state.PRACTICE,
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    if what == LIBRARY:
        library()
        return
    who, task = st.columns([1, 2])
    with who:
        learner = learner_name()
    if what == PROGRESS:
        progress(learner)
        return
    ask(learner)
    with task:
        chosen = choose_task(learner)
    if chosen is not None:
        _practise(chosen)


def _practise(task: Task) -> None:
    if not practising.can_score(task.target.language):
        st.info(
            f"There is no speech model for {plain(language_name(task.target.language))} here yet. Train one on the "
            "Train page, or with `pronlab train speech`.",
            icon=":material/model_training:",
        )
        return
    voice = practising.voice(task.target)
    left, right = st.columns(2)
    with left:
        reference(voice, task)
    with right:
        st.subheader("2. Record yourself")
        # Whoever sits here next hears nothing of the one before; a name that is typed later keeps the recording.
        whose = "" if identity.is_open() else f"-{task.learner}"
        data = recorder(f"{task.lesson.id}-{task.target.text}{whose}", live_for=str(task.target.rubric))
        if not task.learner:
            st.caption("Say your name above to keep your tries and see progress.")
    if data is None:
        practising.load_scorers(task.target)
    else:
        tried = new_try(data, task, voice)
        verdict(tried, voice)
        beside_reference(tried)
    if task.learner:
        earlier_tries(task, practising.tries(task.learner, task.target.text))


if __name__ == "__main__":
    render()
