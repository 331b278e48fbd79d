"""Step 1, recordings of the word in the browser: one take after another, each checked and kept where it is good."""

import streamlit as st

from dashboard import state
from dashboard.components.page import errors_in_words
from dashboard.components.recorder import WORD, recorder
from dashboard.markup import message, plain
from dashboard.services import wakeword_clips
from pipeline.i18n import _, ngettext, number
from pipeline.wakeword.data.clip_library import ClipLibrary
from pipeline.wakeword.data.takes import WANTED


def draw(clips: ClipLibrary) -> None:
    """The prompt, the recorder, and what was kept in this session."""
    kept: list[str] = state.recall(f"takes-{clips.name}", [])
    with st.expander(_("Record the word"), icon=":material/mic:", expanded=bool(kept)):
        n = len(kept)
        st.markdown(
            _("Say **{word}** – take {n} of {wanted}").format(
                word=plain(clips.name), n=number(n + 1), wanted=number(WANTED)
            )
            if n < WANTED
            else ngettext("**{n} take is kept.** More voices help more than more takes.",
                          "**{n} takes are kept.** More voices help more than more takes.", n).format(n=number(n))
        )  # fmt: skip
        st.progress(min(1.0, n / WANTED))
        st.caption(
            _(
                "Takes are kept as clips of the word, to train on. Say it as you would to the device: near and far, "
                "loud and soft, a little faster and slower."
            )
        )
        count = state.recall(f"takes-count-{clips.name}", 0)
        with errors_in_words():
            _take(clips, kept, recorder(f"take-{clips.name}-{count}", of=WORD), count)
        problems = state.recall(f"takes-problems-{clips.name}", [])
        for problem in problems:
            st.warning(message(problem), icon=":material/replay:")
        is_there = bool(kept) and (clips.folder("positive") / kept[-1]).is_file()  # neither deleted nor set aside
        if st.button(_("Undo the last take"), icon=":material/undo:", disabled=not is_there):
            with errors_in_words():
                wakeword_clips.undo_take(clips, kept[-1])
                state.remember(f"takes-{clips.name}", kept[:-1])
                st.toast(_("The last take is deleted."))
                st.rerun()


def _take(clips: ClipLibrary, kept: list[str], recording: bytes | None, count: int) -> None:
    """Check a new recording, keep it where it is good, and ask for the next."""
    if recording is None:
        return
    state.remember(f"takes-count-{clips.name}", count + 1)  # an empty recorder, whatever comes of this take
    name, problems = wakeword_clips.keep_take(clips, recording)
    state.remember(f"takes-problems-{clips.name}", problems)
    if name:
        state.remember(f"takes-{clips.name}", [*kept, name])
        st.toast(_("Kept."))
    st.rerun()
