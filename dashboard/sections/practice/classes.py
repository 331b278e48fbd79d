"""A teacher's classes: the link to give, progress by learner and by sound; and a learner's answer to the link."""

from datetime import datetime

import streamlit as st

from dashboard import state
from dashboard.components.confirm import confirm
from dashboard.components.forms import empty_if_kept, keep
from dashboard.components.page import empty_state, errors_in_words
from dashboard.components.score_card import points
from dashboard.components.tables import data_table
from dashboard.markup import plain
from dashboard.sections.practice.choose import lesson_title
from dashboard.sections.practice.learner import choose_pin, is_open, learner_name
from dashboard.services import classes, practice
from dashboard.services.classes import Progress
from dashboard.zone import local
from pipeline.i18n import N_, _, day, minute
from pipeline.practice.classes import MAX_NAME_LENGTH, Membership, SchoolClass, Share
from pipeline.practice.consent import UNDER_THE_NAME
from pipeline.practice.sounds import known_sound
from pipeline.records import whole_points

SHARES = {Share.SCORES: N_("scores"), Share.RECORDINGS: N_("scores and recordings")}
GIVE = {Share.RECORDINGS: N_("Scores and recordings"), Share.SCORES: N_("Scores only")}
MOST_SOUNDS = 10
MADE = "class.made"  # not shown


def teachers_classes() -> None:
    column, _rest = st.columns([1, 2])
    with column:
        teacher = learner_name()
    if not teacher:
        empty_state(_("Type your name above to lead a class."))
        return
    if not is_open(teacher):
        return
    if classes.needs_pin(teacher):
        st.info(
            _("Set a PIN first. Without one, whoever types your name would see what learners show you alone."),
            icon=":material/lock:",
        )
        choose_pin(teacher, is_needed=True)
        return
    known = {led.id: led for led in classes.mine(teacher)}
    if state.recall(MADE) in known:
        state.choose("class-chosen", state.recall(MADE))
        state.forget(MADE)
    chosen = None
    if known:
        chosen = st.selectbox(
            _("Class"), list(known), format_func=lambda key: known[key].name, key="class-chosen", width=420
        )
    if chosen is not None:
        _class(known[chosen], teacher)
    with errors_in_words():
        _make(teacher)


def _make(teacher: str) -> None:
    empty_if_kept("class", {"class-name": ""})
    with st.form("class", width=420):
        name = st.text_input(_("Name of a new class"), max_chars=MAX_NAME_LENGTH, key="class-name")
        if st.form_submit_button(_("Add class"), key="class-add"):
            made = classes.make(name, teacher)
            state.remember(MADE, made.id)
            keep("class", _("“{name}” was added. Give its link to your learners.").format(name=plain(made.name)))


def _class(led: SchoolClass, teacher: str) -> None:
    _link(led)
    members = classes.progress(led.id, teacher)
    st.header(_("By learner"), anchor=False)
    if members:
        _by_learner(members)
        _by_sound(members)
        _recordings(members)
    else:
        st.caption(_("Nobody has joined yet. Learners appear here once they have followed the link and agreed."))
    if confirm(
        _("Delete class"), _("“{name}” will be deleted. Learners keep all their data.").format(name=plain(led.name)),
        answer=_("Yes, delete it"), key=f"class-delete-{led.id}",
    ):  # fmt: skip
        classes.delete(led.id, teacher)
        state.reset("class-chosen")
        st.rerun()


def _link(led: SchoolClass) -> None:
    lessons = {lesson.id: lesson for lesson in practice.all_lessons()[0]}
    lesson = st.selectbox(
        _("Lesson that the link opens"), list(lessons), format_func=lambda key: lesson_title(lessons[key]),
        key="class-lesson",
    )  # fmt: skip
    st.code(link(lesson, led.id), language=None, wrap_lines=True)
    st.caption(_("Give this link to your class. Each learner decides what you may see."))


def link(lesson: str, class_id: str = "") -> str:
    """Where this page is, as an address that opens a lesson."""
    page = (st.context.url or "/practice").partition("?")[0]
    return f"{page}?lesson={lesson}" + (f"&class={class_id}" if class_id else "")


def _by_learner(members: list[Progress]) -> None:
    data_table(
        [
            {
                _("Learner"): row.member.learner,
                _("Attempts"): row.n,
                _("Average score"): None if row.mean is None else whole_points(row.mean),
                _("Last practised"): minute(local(datetime.fromisoformat(row.last))) if row.last else "",
                _("Weakest sounds"): ", ".join(known_sound(sound.phone).shown for sound in row.sounds[:3]),
                _("Shows you"): _(SHARES[row.member.share]),
            }
            for row in members
        ],
        column_config={_("Learner"): st.column_config.TextColumn(pinned=True)},
    )


def _by_sound(members: list[Progress]) -> None:
    st.header(_("By sound"), anchor=False)
    rows = classes.sounds(members)[:MOST_SOUNDS]
    if not rows:
        st.caption(_("The sounds of English appear here, each after a learner has said it three times."))
        return
    data_table(
        [
            {
                _("Sound"): known_sound(row.phone).shown,
                _("As in"): known_sound(row.phone).example,
                _("Average score"): whole_points(row.mean),
                _("Learners"): row.n_learners,
                _("Have to work on it"): row.n_weak,
            }
            for row in rows
        ],
    )


def _recordings(members: list[Progress]) -> None:
    """Of those who agreed."""
    heard = {row.member.learner: [a for a in row.member.attempts if a.audio is not None] for row in members}
    audible = [learner for learner, attempts in heard.items() if attempts]
    if not audible:
        return
    st.header(_("Recordings"), anchor=False)
    learner = st.selectbox(_("Learner"), audible, index=None, placeholder=_("Choose a learner"), key="class-learner")
    if learner is None:
        return
    attempts = heard[learner][::-1]
    chosen = st.selectbox(
        _("Recording"), range(len(attempts)), key=f"class-recording-{learner}",
        format_func=lambda n: f"{attempts[n].text} ({minute(local(datetime.fromisoformat(attempts[n].at)))})",
    )  # fmt: skip
    attempt = attempts[chosen]
    if attempt.overall is not None:
        st.markdown(_("Score: {score}").format(score=points(attempt.overall)))
    st.audio(str(attempt.audio))


def invitation(learner: str) -> None:
    """On the Practise page, for who came by a class's link."""
    key = state.watched(state.CLASS)
    if not key or not learner or practice.kept(learner) not in UNDER_THE_NAME:
        return
    invited = classes.invitation(key, learner)
    if invited is None:
        return
    with st.container(border=True):
        words = _(
            "**{name}.** What may your teacher {teacher} see of your practice, from now on? You can take it back."
        )
        st.markdown(words.format(name=plain(invited.name), teacher=plain(invited.teacher)))
        with st.container(horizontal=True):
            for share, label in GIVE.items():
                if st.button(_(label), key=f"join-{share}", type="primary" if share is Share.SCORES else "secondary"):
                    classes.join(learner, invited.id, share)
                    st.rerun()
            st.button(_("Nothing"), key="join-nothing", on_click=state.watch, args=(state.CLASS, None))


def joined_classes(learner: str) -> None:
    """Under the learner's data: who sees what, and taking it back."""
    for membership in classes.memberships(learner):
        _membership(learner, membership)


def _membership(learner: str, membership: Membership) -> None:
    joined = membership.school_class
    with st.container(horizontal=True, vertical_alignment="center"):
        words = _("**{name}:** since {day} {teacher} sees your {what}.")
        st.markdown(
            words.format(
                name=plain(joined.name), day=day(local(membership.since)), teacher=plain(joined.teacher),
                what=_(SHARES[membership.share]),
            ),
            width="content",
        )  # fmt: skip
        if st.button(_("Leave class"), key=f"leave-{joined.id}"):
            classes.leave(learner, joined.id)
            st.rerun()
