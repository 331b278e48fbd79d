"""Step 4, the owner's voice: five takes of the word enrol it, so that a detector can react to it alone."""

import streamlit as st

from dashboard import state
from dashboard.components.confirm import confirm
from dashboard.components.page import errors_in_words
from dashboard.components.recorder import WORD, recorder
from dashboard.components.widths import box_width
from dashboard.markup import message, plain
from dashboard.services import wakeword_clips, wakeword_detectors
from pipeline.i18n import _, ngettext, number
from pipeline.wakeword.file_names import LONGEST_NAME
from pipeline.wakeword.owner.enrolment import WANTED, Enrolment

TAKES, COUNT, PROBLEMS, ENROLLED = "owner-takes", "owner-count", "owner-problems", "owner-enrolled"  # not shown


def draw() -> None:
    """Who is enrolled, and the takes of a new voice."""
    takes: list[bytes] = state.recall(TAKES, [])
    enrolled = state.recall(ENROLLED)
    with st.expander(_("Enrol a voice"), icon=":material/person_add:", expanded=bool(takes or enrolled)):
        st.caption(
            _(
                "Say the wake word {wanted} times, as you would to the device. Only a vector of the voice is kept, "
                "no sound."
            ).format(wanted=number(WANTED))
        )
        if enrolled is not None:
            _outcome(enrolled)
        name = st.text_input(_("Name of the owner"), key="owner-name", max_chars=LONGEST_NAME)
        n = len(takes)
        st.progress(min(1.0, n / WANTED), text=_("{n} of {wanted} takes").format(n=number(n), wanted=number(WANTED)))
        count = state.recall(COUNT, 0)
        with errors_in_words():
            if n < WANTED:
                _take(takes, recorder(f"owner-{count}", of=WORD, key="owner-recorder"), count)
        for problem in state.recall(PROBLEMS, []):
            st.warning(message(problem), icon=":material/replay:")
        with st.container(horizontal=True):
            start = st.button(
                _("Enrol"), type="primary", icon=":material/person_add:", disabled=n < WANTED or not name.strip(),
                help=_("Needs a name and {wanted} takes.").format(wanted=number(WANTED)),
            )  # fmt: skip
            if st.button(_("Undo the last take"), icon=":material/undo:", disabled=not takes, key="owner-undo"):
                state.remember(TAKES, takes[:-1])
                st.rerun()
        if start:
            _enrol(name, takes)
        _enrolled_here()


def _take(takes: list[bytes], recording: bytes | None, count: int) -> None:
    """Check a new recording, keep it for this visit where it is good, and ask for the next."""
    if recording is None:
        return
    state.remember(COUNT, count + 1)  # an empty recorder, whatever comes of this take
    state.forget(ENROLLED)
    problems = wakeword_clips.problems_of_take(recording)
    state.remember(PROBLEMS, problems)
    if not problems:
        state.remember(TAKES, [*takes, recording])
    st.rerun()


def _enrol(name: str, takes: list[bytes]) -> None:
    with errors_in_words(), st.spinner(_("Comparing the takes …")):
        state.remember(ENROLLED, wakeword_detectors.enrol(name, takes))
        state.forget(TAKES)
        state.forget(PROBLEMS)
        st.rerun()


def _outcome(enrolled: Enrolment) -> None:
    owner = enrolled.owner
    st.success(
        _("{name} is enrolled; any two takes are alike by {agreement} on average.").format(
            name=plain(owner.name), agreement=number(owner.agreement, 2)
        ),
        icon=":material/check:",
    )
    if enrolled.other_voices:
        text = ngettext(
            "Perhaps another person's voice: take {takes}. Enrol again with takes of one person if so.",
            "Perhaps another person's voice: takes {takes}. Enrol again with takes of one person if so.",
            len(enrolled.other_voices),
        )
        st.warning(text.format(takes=", ".join(enrolled.other_voices)), icon=":material/warning:")
    if enrolled.odd_takes:
        text = ngettext(
            "Not like the other takes, perhaps another word: take {takes}. Enrol again with takes of the same word "
            "if so.",
            "Not like the other takes, perhaps another word: takes {takes}. Enrol again with takes of the same word "
            "if so.",
            len(enrolled.odd_takes),
        )
        st.warning(text.format(takes=", ".join(enrolled.odd_takes)), icon=":material/warning:")


def _enrolled_here() -> None:
    names = wakeword_detectors.owners()
    if not names:
        st.caption(_("Nobody is enrolled yet."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(_("Enrolled voices"), names, key="owner-enrolled-name", width=box_width(names))
        if name and confirm(
            _("Delete"), _("Delete the voice of **{name}** permanently?").format(name=plain(name)),
            answer=_("Yes, delete it"), key="owner-delete", icon=":material/delete:",
        ):  # fmt: skip
            with errors_in_words():
                wakeword_detectors.forget_owner(name)
                st.toast(_("The voice is deleted."))
                st.rerun()
