"""Step 1, from a typed word: hear it, correct how it is said, and have synthesisers speak it and phrases near it."""

import streamlit as st

from dashboard.components.job_panel import job_panel
from dashboard.components.page import errors_in_words
from dashboard.markup import plain
from dashboard.services import wakeword
from pipeline.i18n import _, ngettext, number
from pipeline.i18n import language as page_language
from pipeline.runs import ACTIVE
from pipeline.text import lines_of
from pipeline.text.languages import LANGUAGE_NAMES
from pipeline.wakeword.data.clip_library import ClipLibrary

LANGUAGES = list(LANGUAGE_NAMES)
EXAMPLE = "[[k@mpj'u:t3]]"  # not shown
MOST_NEAR = 24  # that are shown


def draw(clips: ClipLibrary) -> None:
    """The form, what it made so far, and the work while it runs."""
    with st.expander(_("Speak the word"), icon=":material/record_voice_over:", expanded=not any(clips.counts.values())):
        made = wakeword.spoken(clips)
        if made:
            st.caption(
                ngettext("{n} synthetic clip of the word", "{n} synthetic clips of the word", made.clips).format(
                    n=number(made.clips)
                )
                + "; "
                + ngettext("{n} of similar phrases", "{n} of similar phrases", made.near).format(n=number(made.near))
                + "; "
                + ngettext("{n} of other words.", "{n} of other words.", made.other).format(n=number(made.other))
                + " "
                + _("Training uses them. What the detector misses is known only from recordings of people.")
            )
        columns = st.columns(3)
        word = columns[0].text_input(_("Text"), clips.name, max_chars=60, key=f"speak-text-{clips.name}")
        reads = page_language()
        language = columns[1].selectbox(
            _("Language"), LANGUAGES, index=LANGUAGES.index(reads) if reads in LANGUAGES else 0,
            format_func=lambda code: _(LANGUAGE_NAMES[code]), key=f"speak-language-{reads}",
        )  # fmt: skip
        n_clips = columns[2].number_input(_("Clips"), 10, 5000, 400, 50, key="speak-clips")
        written = st.text_area(
            _("Pronunciations"), key=f"speak-say-{clips.name}", height=80, placeholder=EXAMPLE,
            help=_("One per line: another spelling, or [[phonemes]] of eSpeak NG. Empty: the text."),
        )  # fmt: skip
        ways = [line.strip() for line in lines_of(written) if line.strip()]
        with st.container(horizontal=True):
            heard = st.button(_("Listen"), icon=":material/volume_up:", disabled=not word.strip())
            near = st.button(_("Similar phrases"), icon=":material/compare_arrows:", disabled=not word.strip())
            start = st.button(_("Speak clips"), type="primary", icon=":material/play_arrow:", disabled=not word.strip())
        with errors_in_words():
            if start:
                wakeword.start_speaking(clips, word, language, int(n_clips), ways)
                st.rerun()
            for way in (ways or [word]) if heard else ():
                st.caption(plain(way))
                st.audio(wakeword.said(way, language), format="audio/wav")
            if near:
                st.markdown(plain(", ".join(wakeword.similar(word, language, MOST_NEAR))))
        job = wakeword.last_speaking(clips)
        if job is not None and job.state.status in (*ACTIVE, "failed", "lost"):
            job_panel(job.directory)
