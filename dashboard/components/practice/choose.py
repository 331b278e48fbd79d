"""Who practises what: the learner, the lesson, the word or sentence."""

from dataclasses import dataclass

import streamlit as st

from dashboard import practising, state
from dashboard.components.page import plain
from pipeline.practice.lessons import MAX_LENGTH, Lesson
from pipeline.records import Target

LANGUAGES = {"en": "English", "tr": "Turkish"}
CHOSEN = "practice-lesson"
FREE = {"free-tr": ("tr", "words", "merhaba"), "free-en": ("en", "sentences", "It is a lovely day.")}


@dataclass(frozen=True)
class Task:
    """What the learner reads now."""

    lesson: Lesson
    target: Target
    learner: str

    @property
    def note(self) -> str:
        return self.lesson.note(self.target.text)


def learner_name() -> str:
    """Who practises; "" while no name is given."""
    name = st.text_input(
        "Your name", key=state.LEARNER, bind="query-params", max_chars=80, help="Your tries are kept under it."
    )
    return " ".join((name or "").split())


def choose_task(learner: str) -> Task | None:
    """Draw lesson and text with the way to the next one; None while nothing can be read."""
    before = state.watched(state.LESSON)
    lesson = _choose_lesson()
    if before not in (None, lesson.id):
        state.watch(state.TEXT, None)  # it was the other lesson's
    text = _choose_text(lesson)
    if not text:
        st.caption("Choose or type what you want to say.")
        return None
    if lesson.about:
        st.caption(lesson.about)
    return Task(lesson, lesson.target(text), learner)


def language_name(code: str) -> str:
    return LANGUAGES.get(code, code)


def _choose_lesson() -> Lesson:
    found, problems = practising.all_lessons()
    for problem in problems:
        st.warning(plain(problem.message), icon=":material/warning:")
    lessons = {one.id: one for one in found} | {
        key: Lesson(key, f"Your own {kind}", language, kind, ()) for key, (language, kind, _) in FREE.items()
    }
    order = sorted(lessons, key=lambda key: (lessons[key].language != "tr", key in FREE))
    # Not bound to the URL by Streamlit, which would write the titles there instead of the ids. On a slow machine a
    # second run can follow before the browser has drawn the first; the browser then has never seen the choice that was
    # made there and answers with none, so that it is made again. Hence no index: none is told from the first.
    asked = state.watched(state.LESSON)
    if st.session_state.get(CHOSEN) not in lessons:
        state.choose(CHOSEN, asked if asked in lessons else order[0])
    chosen = st.selectbox(
        "Lesson", order, index=None, required=True, key=CHOSEN, format_func=lambda key: _title(lessons[key])
    )
    state.watch(state.LESSON, chosen)
    return lessons[chosen]


def _title(lesson: Lesson) -> str:
    count = f" ({len(lesson.items)})" if lesson.items else ""
    return f"{language_name(lesson.language)}: {lesson.title}{count}"


def _choose_text(lesson: Lesson) -> str:
    texts = [item.text for item in lesson.items]
    key = f"{state.TEXT}-{lesson.id}"
    asked = state.watched(state.TEXT)
    if st.session_state.get(key) is None:
        state.choose(key, asked or (texts[0] if texts else None))
    place = texts.index(st.session_state[key]) if st.session_state[key] in texts else None
    known = texts if not asked or asked in texts else [*texts, asked]
    text = st.selectbox(
        "Say: choose one or type your own", known, index=None, required=True, key=key,
        accept_new_options=True, placeholder=FREE.get(lesson.id, ("", "", "merhaba"))[2],
    )  # fmt: skip
    if texts:
        with st.container(horizontal=True, vertical_alignment="center"):
            for label, icon, step, edge in (("Back", "back", -1, 0), ("Next", "forward", 1, len(texts) - 1)):
                st.button(
                    label, icon=f":material/arrow_{icon}:", disabled=place in (None, edge), key=f"practice-{label}",
                    on_click=_go, args=(key, texts, step),
                )  # fmt: skip
            if place is not None:
                st.caption(f"{place + 1} of {len(texts)}", width="content")
    found = " ".join((text or "").split())[: MAX_LENGTH[lesson.kind]]
    if found:
        state.watch(state.TEXT, found)
    return found


def _go(key: str, texts: list[str], step: int) -> None:
    state.choose(key, texts[texts.index(st.session_state[key]) + step])
