"""What is kept of a learner: asked once, changed, taken along, deleted."""

from contextlib import suppress

import streamlit as st

from dashboard import identity
from dashboard.components.confirm import confirm
from dashboard.markup import plain
from dashboard.services import practice as practising
from pipeline.errors import AccessError
from pipeline.practice.consent import IN_WORDS, Keep

BUTTONS = {Keep.RECORDINGS: "Keep recordings and scores", Keep.SCORES: "Keep scores only", Keep.NOTHING: "Keep nothing"}


def counted(n: int) -> str:
    return "One try" if n == 1 else f"All {n} tries"


def ask(learner: str) -> None:
    """Once, where a learner with a name has not answered yet."""
    if not learner or practising.kept(learner) is not None:
        return
    with st.container(border=True):
        st.markdown(
            "**What may be kept of your practice?** It stays on the computer that runs this page, under your name; "
            "nobody is shown it as a label. You can change your mind, take everything along, or delete it under "
            "Progress. That something was scored, and how, is counted in any case, without your name."
        )
        with st.container(horizontal=True):
            for keep, label in BUTTONS.items():
                kind = "primary" if keep is Keep.RECORDINGS else "secondary"
                st.button(label, key=f"keep-{keep}", type=kind, on_click=_let_keep, args=(learner, keep))


def _let_keep(learner: str, keep: Keep) -> None:
    """Before the page is drawn anew; who has meanwhile left is told by the page."""
    with suppress(AccessError):
        practising.let_keep(learner, keep)


def what_is_kept(learner: str, n: int) -> None:
    st.subheader("What is kept")
    keep = practising.kept(learner)
    st.markdown("You have not said yet what may be kept." if keep is None else f"From you is kept: {IN_WORDS[keep]}.")
    with st.container(horizontal=True):
        for other, label in BUTTONS.items():
            if other is not keep and st.button(label, key=f"change-{other}"):
                practising.let_keep(learner, other)
                st.rerun()
    if not n:
        return
    with st.container(horizontal=True):
        st.download_button(
            "Take everything along", identity.held(lambda: practising.exported(learner)), f"{learner}.zip",
            "application/zip", icon=":material/download:", help="A zip: tries.csv, results as JSON, recordings as WAV.",
        )  # fmt: skip
        if confirm(
            "Delete my recordings", "The sound of all tries goes for good; scores and progress stay.",
            answer="Yes, delete the recordings", key="drop-recordings",
        ):  # fmt: skip
            st.toast(f"{practising.drop_recordings(learner)} recordings deleted.")
            st.rerun()
        if confirm(
            "Delete everything", f"{counted(n)} of {plain(learner)}, with scores and progress: gone for good.",
            answer="Yes, delete everything", key="delete-everything",
        ):  # fmt: skip
            practising.delete_everything(learner)
            st.rerun()
