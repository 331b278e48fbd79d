"""A learner's path: where to start, what comes back today, the weakest sounds, and the lessons that suit."""

import streamlit as st

from dashboard import state
from dashboard.components.mouth import how_to_make
from dashboard.components.page import empty_state
from dashboard.components.score_card import points
from dashboard.markup import plain
from dashboard.sections.practice.choose import language_name, open_lesson
from dashboard.sections.practice.drill import drill as drill_section
from dashboard.sections.practice.learner import is_open, learner_name
from dashboard.sections.practice.privacy import ask
from dashboard.services import path as paths
from dashboard.zone import local
from pipeline.i18n import _, day, ngettext, number, translated
from pipeline.phones import PHONES
from pipeline.practice.contrasts import Contrast, contrast_of, contrasts, shown_sound
from pipeline.practice.lessons import LEVELS, Lesson
from pipeline.practice.path import Placement, WeakSound
from pipeline.practice.sounds import sounds_of
from pipeline.text.languages import LANGUAGE_NAMES

GOALS = (0, 5, 10, 20)
PRACTISE = "practise"  # not shown


def path() -> None:
    names, languages, goals = st.columns([1.7, 2, 4], vertical_alignment="center")
    with names:
        learner = learner_name()
    if not is_open(learner):
        return
    chosen_drill = contrast_of(state.watched(state.DRILL) or "")
    if chosen_drill is not None:
        drill_section(chosen_drill, learner)
        return
    with languages:
        language = _language()
    shown = paths.path(learner, language)
    keeps = paths.may_keep(learner)
    if keeps:
        with goals:
            _goal(learner, shown)
    elif not learner:
        empty_state(_("Type your name above and let us keep your scores: your path follows from them."))
    else:
        empty_state(_("Let us keep your scores under Progress: your path follows from them."))
        ask(learner)
    left, right = st.columns(2)
    with left:
        if shown.placement is not None:
            _placement(shown.placement)
        _sounds(shown.weakest, language)
    with right:
        _drills(shown, language)
    _lessons(shown, language)
    with st.expander(_("How every sound is made")):
        how_to_make(language, sounds_of(language), key=f"every-sound-{language}")


def _language() -> str:
    """Of the lesson that is open, unless another is chosen."""
    asked = (state.watched(state.LESSON) or "tr").partition("-")[0]
    return (
        st.segmented_control(
            _("Language"), list(LANGUAGE_NAMES), default=asked if asked in LANGUAGE_NAMES else "tr", required=True,
            format_func=language_name, key="path-language", label_visibility="collapsed", wrap=True,
        )
        or "tr"
    )  # fmt: skip


def _goal(learner: str, shown: paths.Path) -> None:
    """How much is done today, and how much the learner wants to do; nothing is said where it is not reached."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if shown.daily_goal:
            text = _("Today: {n} of {goal} attempts").format(n=number(shown.n_today), goal=number(shown.daily_goal))
            st.progress(min(1.0, shown.n_today / shown.daily_goal), text=text, width=260)
        else:
            words = ngettext("Today: {n} attempt", "Today: {n} attempts", shown.n_today)
            st.caption(words.format(n=number(shown.n_today)), width="content")
        with st.popover(_("Daily goal")):
            goal = st.radio(
                _("Attempts per day"), GOALS, index=GOALS.index(shown.daily_goal) if shown.daily_goal in GOALS else 0,
                format_func=lambda n: number(n) if n else _("No goal"), key="path-goal",
            )  # fmt: skip
            if goal != shown.daily_goal:
                paths.set_daily_goal(learner, goal)
                st.rerun()


def _placement(placement: Placement) -> None:
    st.header(_("Where you stand"), anchor=False)
    n = len(placement.lesson.items)
    if not placement.left:
        if placement.level is None:
            st.markdown(_("You have read all {n}.").format(n=number(n)))
        else:
            words = _("You have read all {n}. Lessons of level {level} suit you.")
            st.markdown(words.format(n=number(n), level=number(placement.level)))
        return
    st.markdown(
        _("Read {n} texts that hold every sound of the language. Your path follows from them.").format(n=number(n))
    )
    if placement.n_done:
        st.progress(placement.n_done / n, text=_("{done} of {n} read").format(done=placement.n_done, n=n))
    st.button(
        _("Resume") if placement.n_done else _("Start"), type="primary", key="path-placement", on_click=_open,
        args=(placement.lesson.id, placement.left[0]),
    )  # fmt: skip


def _sounds(weakest: list[WeakSound], language: str) -> None:
    st.header(_("Sounds to work on"), anchor=False)
    if not weakest:
        st.caption(_("Your weakest sounds appear here, each after you have said it three times."))
    for sound in weakest:
        known = PHONES.get(sound.sound) if language == "en" else None
        title = _("**{sound}** as in “{example}”") if known else _("**{sound}** in your words")
        named = title.format(sound=plain(shown_sound(language, sound.sound)), example=known.example if known else "")
        mean = _("average {score}").format(score=points(sound.mean))
        st.markdown(f"{named} · {mean}")
        how_to_make(language, [sound.sound], key=f"weak-{language}-{sound.sound}", named=False)
        with st.container(horizontal=True):
            for contrast in sound.drills[:3]:
                _drill_button(contrast, f"weak-{sound.sound}")


def _drills(shown: paths.Path, language: str) -> None:
    st.header(_("Minimal pairs"), anchor=False)
    st.caption(_("Two words that differ in one sound: hear which it is, then say it so that it is heard."))
    if shown.due:
        st.markdown(_("**To review today**"))
        with st.container(horizontal=True):
            for contrast in shown.due:
                _drill_button(contrast, "due", primary=True)
    elif shown.coming is not None:
        contrast, due = shown.coming
        words = _("Nothing to review today. “{drill}” comes back on {day}.")
        st.caption(words.format(drill=plain(pair_name(contrast)), day=day(local(due))))
    others = [contrast for contrast in contrasts(language) if contrast not in shown.due]
    chosen = st.selectbox(
        _("Choose a pair of sounds"), others, index=None, format_func=pair_name,
        placeholder=_("Choose a pair of sounds"), key=f"path-drill-{language}", label_visibility="collapsed",
    )  # fmt: skip
    if chosen is not None:
        state.watch(state.DRILL, chosen.id)
        st.rerun()


def _drill_button(contrast: Contrast, where: str, *, primary: bool = False) -> None:
    st.button(
        pair_name(contrast, sounds=False), key=f"{where}-{contrast.id}", on_click=state.watch,
        args=(state.DRILL, contrast.id), type="primary" if primary else "secondary",
    )  # fmt: skip


def pair_name(contrast: Contrast, *, sounds: bool = True) -> str:
    """sheep / ship (i, ɪ)"""
    words = " / ".join(contrast.pairs[0])
    return f"{words} ({', '.join(contrast.shown_sounds)})" if sounds else words


def _lessons(shown: paths.Path, language: str) -> None:
    st.header(_("Lessons"), anchor=False)
    sounds = sorted({sound for lesson in shown.lessons for sound in lesson.sounds})
    themes = sorted({translated(lesson.theme) for lesson in shown.lessons if lesson.theme})
    levels = [level for level in LEVELS if any(lesson.level == level for lesson in shown.lessons)]
    by_level, by_theme, by_sound = st.columns(3)
    level = by_level.selectbox(_("Level"), levels, index=None, placeholder=_("All"), key="path-level")
    theme = by_theme.selectbox(_("Theme"), themes, index=None, placeholder=_("All"), key=f"path-theme-{language}")
    sound = by_sound.selectbox(
        _("Sound"), sounds, index=None, placeholder=_("All"), key=f"path-sound-{language}",
        format_func=lambda sound: shown_sound(language, sound),
    )  # fmt: skip
    suits = shown.placement.level if shown.placement is not None else None
    chosen = [
        lesson
        for lesson in sorted(shown.lessons, key=lambda lesson: abs(lesson.level - (suits or LEVELS[0])))
        if (level is None or lesson.level == level)
        and (theme is None or translated(lesson.theme) == theme)
        and (sound is None or sound in lesson.sounds)
    ]
    for lesson in chosen:
        _lesson(lesson)
    if not chosen:
        st.caption(_("No lesson is like that. Choose “All” somewhere."))


def _lesson(lesson: Lesson) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(plain(translated(lesson.title)), key=f"path-{lesson.id}", on_click=_open, args=(lesson.id, None))
        facts = [_("level {level}").format(level=lesson.level), translated(lesson.theme)]
        facts.append(ngettext("{n} text", "{n} texts", len(lesson.items)).format(n=number(len(lesson.items))))
        st.caption(" · ".join(plain(fact) for fact in facts if fact))


def _open(lesson: str, text: str | None) -> None:
    """In a widget's callback: to Practise, at this text."""
    open_lesson(lesson, text)
    state.watch(state.PRACTICE, None)
    state.remember(f"choice.{state.PRACTICE}", PRACTISE)
