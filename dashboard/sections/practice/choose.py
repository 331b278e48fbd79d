"""Who practises what: the learner, the lesson, the word or sentence."""

from dataclasses import dataclass

import streamlit as st

from dashboard import state
from dashboard.markup import message, plain
from dashboard.sections.practice.learner import is_open, learner_name
from dashboard.services import learner as learners
from dashboard.services import practice
from pipeline.i18n import N_, _, language, number, translated
from pipeline.practice.free_speech import TOPICS
from pipeline.practice.lessons import MAX_LENGTH, Item, Lesson
from pipeline.practice.memory import Memory
from pipeline.records import Target
from pipeline.text.languages import LANGUAGE_NAMES

CHOSEN, STEP, PLACE = "practice-lesson", "practice.step", "practice.place"  # not shown
BY_DEFAULT, RETURNED = "practice.by-default", "practice.returned"  # not shown
FREE = {"free-tr": ("tr", "words", "merhaba"), "free-en": ("en", "sentences", "It is a lovely day.")}  # not shown
FREE_TITLES = {"words": N_("Your own words"), "sentences": N_("Your own sentences")}
SPEAK = {"speak-tr": "tr", "speak-en": "en"}  # not shown


@dataclass(frozen=True)
class Exercise:
    """What the learner reads now."""

    lesson: Lesson
    target: Target
    learner: str

    @property
    def is_free(self) -> bool:
        """Without a text to read: `target` has a question to answer."""
        return self.lesson.id in SPEAK

    @property
    def note(self) -> str:
        return translated(self.lesson.note(self.target.text))


def choose_exercise() -> Exercise | None:
    """Draw name, lesson and text with the way to the next one; None while nothing can be read."""
    names, lessons, texts, steps = st.columns([1.7, 3.4, 3.2, 2.7], vertical_alignment="center")
    with names:
        learner = learner_name()
    if not is_open(learner):
        return None
    _return_to_place(learner)
    asked_for = state.watched(state.LESSON) is not None
    before = state.watched(state.LESSON)
    with lessons:
        lesson = _choose_lesson()
    if before not in (None, lesson.id):
        state.watch(state.TEXT, None)  # it was the other lesson's
    with texts:
        text = _choose_text(lesson)
    with steps:
        _steps(lesson, text)
    if not text:
        st.caption(_("Choose or type what you want to say."))
        return None
    if not asked_for and state.recall(BY_DEFAULT) is None:
        state.remember(BY_DEFAULT, (lesson.id, text))
    _keep_place(learner, lesson, text)
    return Exercise(lesson, _in_its_language(lesson, text), learner)


def _return_to_place(learner: str) -> None:
    """Once for each name: to where they stopped, unless a link or the visitor chose something else."""
    if not learner or state.recall(RETURNED) == learner:
        return
    state.remember(RETURNED, learner)
    shown = (state.watched(state.LESSON), state.watched(state.TEXT))
    if shown[0] is not None and shown != state.recall(BY_DEFAULT):
        return
    place = learners.remembered(learner)
    if place.lesson:
        open_lesson(place.lesson, place.text)


def _keep_place(learner: str, lesson: Lesson, text: str) -> None:
    if learner and state.recall(BY_DEFAULT) != (lesson.id, text):
        known = learners.remembered(learner)
        learners.remember(learner, Memory(lesson.id, text, known.daily_goal))


def open_lesson(lesson: str, text: str | None) -> None:
    """Before the choices are drawn in this run, or in a widget's callback."""
    state.watch(state.LESSON, lesson)
    state.watch(state.TEXT, text or None)
    state.choose(f"{CHOSEN}-{language()}", lesson)
    state.remember(STEP, int(state.recall(STEP, 0)) + 1)


def _in_its_language(lesson: Lesson, text: str) -> Target:
    """The language of a lesson stands; of one's own text it is asked where its letters speak against it."""
    target = lesson.target(text)
    if target.language != "en" or not practice.looks_turkish(text) or text in [item.text for item in lesson.items]:
        return target
    chosen = st.segmented_control(
        _("This text has Turkish letters. It is"), list(LANGUAGE_NAMES), default="en", required=True,
        format_func=language_name, key=f"practice-language-{text}", wrap=True,
    )  # fmt: skip
    return Target(text, chosen or "en", target.rubric)


def language_name(code: str) -> str:
    return _(LANGUAGE_NAMES[code]) if code in LANGUAGE_NAMES else code


def lesson_title(lesson: Lesson) -> str:
    return f"{language_name(lesson.language)}: {translated(lesson.title)}"


def _choose_lesson() -> Lesson:
    listed, problems = practice.all_lessons()
    for problem in problems:
        st.warning(message(problem.message), icon=":material/warning:")
    lessons = {lesson.id: lesson for lesson in listed} | {
        free: Lesson(free, _(FREE_TITLES[kind]), code, kind, ()) for free, (code, kind, _example) in FREE.items()
    }
    lessons |= {
        key: Lesson(key, _("Free speaking"), code, "sentences", tuple(map(Item, TOPICS[code])))
        for key, code in SPEAK.items()
    }
    order = sorted(lessons, key=lambda key: (lessons[key].language != "tr", key in FREE or key in SPEAK))
    # Not bound to the URL by Streamlit, which would write the titles there instead of the ids. The choice is the index
    # of every run, never only set in the first: on a slow machine a second run can follow before the browser has drawn
    # the first, and the browser then answers with the index that it sees.
    asked = state.watched(state.LESSON) or None
    if asked is not None and asked not in lessons:
        st.warning(
            _("There is no lesson “{lesson}” here. This is another one.").format(lesson=plain(asked[:60])),
            icon=":material/warning:",
        )
    start = order.index(asked) if asked in lessons else 0
    key = f"{CHOSEN}-{language()}"  # the browser keeps what it shows, in the language before
    if state.chosen(key) not in (None, *lessons):  # it was deleted
        state.choose(key, order[start])
    chosen = st.selectbox(
        _("Lesson"), order, index=start, key=key, format_func=lambda key: _with_count(lessons[key]),
        label_visibility="collapsed",
    )  # fmt: skip
    state.watch(state.LESSON, chosen)
    return lessons[chosen]


def _with_count(lesson: Lesson) -> str:
    return f"{lesson_title(lesson)} ({number(len(lesson.items))})" if lesson.items else lesson_title(lesson)


def _choose_text(lesson: Lesson) -> str:
    texts = [item.text for item in lesson.items]
    asked = state.watched(state.TEXT) or (texts[0] if texts else None)
    known = texts if asked is None or asked in texts else [*texts, asked]
    text = st.selectbox(
        _("Text: choose one or type your own"), known, index=None if asked is None else known.index(asked),
        key=f"{state.TEXT}-{lesson.id}-{state.recall(STEP, 0)}", accept_new_options=True,
        placeholder=FREE.get(lesson.id, ("", "", "merhaba"))[2], label_visibility="collapsed",
    )  # fmt: skip
    cleaned = " ".join((text or "").split())[: MAX_LENGTH[lesson.kind]]
    if cleaned:
        state.watch(state.TEXT, cleaned)
    return cleaned


def _steps(lesson: Lesson, text: str) -> None:
    """Back and Next, and which of the lesson's texts it is; from a text of one's own, the way back to the lesson."""
    texts = [item.text for item in lesson.items]
    if not texts:
        return
    place = f"{PLACE}-{lesson.id}"
    if text not in texts:
        left_at = min(int(state.recall(place, 0)), len(texts) - 1)
        st.button(
            _("Back to the lesson"), icon=":material/arrow_back:", key="practice-return", on_click=_go,
            args=(texts, left_at),
        )  # fmt: skip
        return
    index = texts.index(text)
    state.remember(place, index)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for name, label, to in (("back", _("Back"), index - 1), ("next", _("Next"), index + 1)):
            st.button(
                label, disabled=to not in range(len(texts)), key=f"practice-{name}", on_click=_go, args=(texts, to)
            )
        st.caption(_("{place} of {n}").format(place=number(index + 1), n=number(len(texts))), width="content")


def _go(texts: list[str], index: int) -> None:
    """To another text, with a field of its own: its first choice is the one that the browser draws."""
    state.watch(state.TEXT, texts[index])
    state.remember(STEP, int(state.recall(STEP, 0)) + 1)
