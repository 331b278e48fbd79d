"""Who practises what: the learner, the lesson, the word or sentence."""

from dataclasses import dataclass

import streamlit as st

from dashboard import identity, state
from dashboard.markup import message, plain
from dashboard.services import practice as practising
from pipeline.practice.lessons import MAX_LENGTH, Lesson
from pipeline.records import Target

LANGUAGES = {"en": "English", "tr": "Turkish"}
CHOSEN, STEP = "practice-lesson", "practice.step"
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
    """Who practises; "" while no name is given. A name is asked for where there is neither a list nor a sign-in."""
    if not identity.is_open():
        me = practising.learner("")
        st.caption(f"You practise as **{plain(me)}**. Your tries are kept under this name, and are yours alone.")
        return me
    name = st.text_input(
        "Your name", key=state.LEARNER, bind="query-params", max_chars=80, help="Your tries are kept under it."
    )
    return practising.learner(name or "")


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
        st.caption(plain(lesson.about))
    return Task(lesson, lesson.target(text), learner)


def language_name(code: str) -> str:
    return LANGUAGES.get(code, code)


def _choose_lesson() -> Lesson:
    found, problems = practising.all_lessons()
    for problem in problems:
        st.warning(message(problem.message), icon=":material/warning:")
    lessons = {one.id: one for one in found} | {
        key: Lesson(key, f"Your own {kind}", language, kind, ()) for key, (language, kind, _) in FREE.items()
    }
    order = sorted(lessons, key=lambda key: (lessons[key].language != "tr", key in FREE))
    # Not bound to the URL by Streamlit, which would write the titles there instead of the ids. The choice is the index
    # of every run, never only set in the first: on a slow machine a second run can follow before the browser has drawn
    # the first, and the browser then answers with the index that it sees.
    asked = state.watched(state.LESSON)
    start = order.index(asked) if asked in lessons else 0
    if state.chosen(CHOSEN) not in (None, *lessons):  # it was taken away
        state.choose(CHOSEN, order[start])
    chosen = st.selectbox("Lesson", order, index=start, key=CHOSEN, format_func=lambda key: _title(lessons[key]))
    state.watch(state.LESSON, chosen)
    return lessons[chosen]


def _title(lesson: Lesson) -> str:
    count = f" ({len(lesson.items)})" if lesson.items else ""
    return f"{language_name(lesson.language)}: {lesson.title}{count}"


def _choose_text(lesson: Lesson) -> str:
    texts = [item.text for item in lesson.items]
    asked = state.watched(state.TEXT) or (texts[0] if texts else None)
    known = texts if asked is None or asked in texts else [*texts, asked]
    text = st.selectbox(
        "Say: choose one or type your own", known, index=None if asked is None else known.index(asked),
        key=f"{state.TEXT}-{lesson.id}-{state.recall(STEP, 0)}", accept_new_options=True,
        placeholder=FREE.get(lesson.id, ("", "", "merhaba"))[2],
    )  # fmt: skip
    if texts:
        place = texts.index(text) if text in texts else None
        with st.container(horizontal=True, vertical_alignment="center"):
            for label, icon, step in (("Back", "back", -1), ("Next", "forward", 1)):
                to = None if place is None else place + step
                st.button(
                    label, icon=f":material/arrow_{icon}:", disabled=to not in range(len(texts)),
                    key=f"practice-{label}", on_click=_go, args=(texts, to),
                )  # fmt: skip
            if place is not None:
                st.caption(f"{place + 1} of {len(texts)}", width="content")
    found = " ".join((text or "").split())[: MAX_LENGTH[lesson.kind]]
    if found:
        state.watch(state.TEXT, found)
    return found


def _go(texts: list[str], place: int) -> None:
    """To another text, with a field of its own: its first choice is the one that the browser draws."""
    state.watch(state.TEXT, texts[place])
    state.remember(STEP, int(state.recall(STEP, 0)) + 1)
