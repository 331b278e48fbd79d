"""What is kept of a learner: asked once, changed, downloaded, deleted."""

from contextlib import suppress

import streamlit as st

from dashboard.components.confirm import confirm
from dashboard.markup import plain
from dashboard.sections.practice.classes import joined_classes
from dashboard.sections.practice.learner import choose_pin
from dashboard.services import learner as learners
from dashboard.services import practice
from pipeline.errors import AccessError
from pipeline.i18n import N_, _, ngettext, number
from pipeline.practice.consent import IN_WORDS, Keep

BUTTONS = {
    Keep.RECORDINGS: N_("Keep recordings and scores"),
    Keep.SCORES: N_("Keep scores only"),
    Keep.NOTHING: N_("Keep nothing"),
}


def ask(learner: str) -> None:
    """Once, where a learner with a name has not answered yet."""
    if not learner or practice.kept(learner) is not None:
        return
    with st.container(border=True):
        st.markdown(
            _(
                "**What may we keep?** Your practice stays on the computer that runs this page, under your name. It is "
                "never used as a rating. Change your choice, download your data or delete it under Progress. Scores "
                "are always counted anonymously."
            )
        )
        with st.container(horizontal=True):
            for keep, label in BUTTONS.items():
                st.button(
                    _(label), key=f"keep-{keep}", type="primary" if keep is Keep.RECORDINGS else "secondary",
                    on_click=_let_keep, args=(learner, keep),
                )  # fmt: skip


def _let_keep(learner: str, keep: Keep) -> None:
    """Before the page is drawn anew; who has meanwhile left is told by the page."""
    with suppress(AccessError):
        practice.let_keep(learner, keep)


def what_is_kept(learner: str, n: int) -> None:
    """`n` attempts, and what else there is of the learner: drills, classes, a place, what cannot be read."""
    st.header(_("Your data"), anchor=False)
    keep = practice.kept(learner)
    st.markdown(_("You have not chosen yet what we may keep.") if keep is None else _(IN_WORDS[keep]))
    with st.container(horizontal=True):
        for other, label in BUTTONS.items():
            if other is not keep and st.button(_(label), key=f"change-{other}"):
                practice.let_keep(learner, other)
                st.rerun()
    joined_classes(learner)
    choose_pin(learner)
    if not practice.keeps_anything(learner):
        return
    with st.container(horizontal=True):
        st.download_button(
            _("Download my data"), learners.download_of(learner), f"{learner}.zip",
            "application/zip", icon=":material/download:",
            help=_("A ZIP file with a table of your attempts, their results as JSON and the recordings as WAV."),
        )  # fmt: skip
        if confirm(
            _("Delete my recordings"), _("All your recordings will be permanently deleted. Scores and progress stay."),
            answer=_("Yes, delete the recordings"), key="drop-recordings",
        ):  # fmt: skip
            deleted = practice.drop_recordings(learner)
            st.toast(ngettext("{n} recording deleted.", "{n} recordings deleted.", deleted).format(n=number(deleted)))
            st.rerun()
        question = ngettext(
            "{n} attempt of {learner}, with its scores and progress, will be permanently deleted.",
            "{n} attempts of {learner}, with scores and progress, will be permanently deleted.",
            n,
        )
        if confirm(
            _("Delete everything"), question.format(n=number(n), learner=plain(learner)),
            answer=_("Yes, delete everything"), key="delete-everything",
        ):  # fmt: skip
            practice.delete_everything(learner)
            st.rerun()
