"""Who practises: a name that this browser keeps, and its PIN where it has one."""

import streamlit as st

from dashboard import identity, state
from dashboard.components import browser
from dashboard.components.page import errors_in_words
from dashboard.markup import plain
from dashboard.services import learner as learners
from pipeline.i18n import _
from pipeline.practice.pin import KEY_LASTS, LONGEST, SHORTEST

TURN = "practice.turn"  # not shown
NAME_COOKIE, KEY_COOKIE = "pronlab-learner", "pronlab-learner-key"
KNOWN = "practice.known"  # not shown


def learner_name() -> str:
    """Who practises; "" while no name is given. A name is asked for where there is neither a list nor a sign-in, and
    kept in this browser."""
    learners.take_key(browser.kept(KEY_COOKIE))
    if not identity.is_open():
        me = learners.learner("")
        st.caption(
            _("You practise as **{name}**.").format(name=plain(me)),
            help=_("Your attempts are kept under this name, and only you can see them."),
        )
        _keep_in_browser("")
        return me
    if state.recall(KNOWN) is None and state.chosen(state.LEARNER) is None:
        state.choose(state.LEARNER, browser.kept(NAME_COOKIE) or None)
    state.remember(KNOWN, True)
    name = st.text_input(
        _("Your name"), key=state.LEARNER, bind="query-params", max_chars=80, label_visibility="collapsed",
        placeholder=_("Your name"),
    )  # fmt: skip
    me = learners.learner(name or "")
    _keep_in_browser(me)
    return me


def turn(learner: str) -> int:
    """How often another learner's name took the place of one: nobody is shown what the one before recorded. A name that
    is typed after a recording keeps it."""
    before, count = state.recall(TURN, ("", 0))
    if before and learner != before:
        count += 1
    state.remember(TURN, (learner, count))
    return int(count)


def is_open(learner: str) -> bool:
    """Whether the learner's practice may be shown; else the PIN is asked for in its place."""
    if not learners.is_locked(learner):
        return True
    with st.form("pin", width=420), errors_in_words():
        st.markdown(_("**{name} has a PIN.** Give it to go on, or choose another name.").format(name=plain(learner)))
        digits = st.text_input(_("PIN"), type="password", max_chars=LONGEST, key="pin-given")
        if st.form_submit_button(_("Open"), type="primary", key="pin-open"):
            learners.give_pin(learner, digits)
            st.rerun()
    return False


def choose_pin(learner: str, *, is_needed: bool = False) -> None:
    """Set, change or remove it; where it is needed, why has been said."""
    if not learners.may_have_pin():
        return
    has = learners.has_pin(learner)
    with st.form("pin-set", width=420, clear_on_submit=True), errors_in_words():
        if has:
            st.markdown(_("**You have a PIN.** Nobody can open your practice by typing your name."))
        elif not is_needed:
            st.markdown(_("**PIN (optional).** With one, nobody can open your practice by typing your name."))
        digits = st.text_input(
            _("New PIN, {shortest} to {longest} digits").format(shortest=SHORTEST, longest=LONGEST), type="password",
            max_chars=LONGEST, key="pin-new",
        )  # fmt: skip
        row = st.container(horizontal=True)
        if row.form_submit_button(_("Change PIN") if has else _("Set PIN"), key="pin-save"):
            learners.set_pin(learner, digits)
            st.rerun()
        if has and row.form_submit_button(_("Remove PIN"), key="pin-remove"):
            learners.remove_pin(learner)
            st.rerun()


def _keep_in_browser(name: str) -> None:
    key_s = int(KEY_LASTS.total_seconds())
    # Without a gap, as the component shows nothing.
    with st.sidebar.container(gap=None):
        browser.keep({NAME_COOKIE: (name, browser.YEAR_S), KEY_COOKIE: (learners.key(), key_s)})
