"""Step 1, from a typed word: hear it, correct how it is said, and have synthesisers speak it and phrases near it."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from dashboard.components.confirm import confirm
from dashboard.components.job_panel import job_panel
from dashboard.components.page import errors_in_words
from dashboard.markup import message, plain
from dashboard.services import wakeword_clips
from dashboard.services.wakeword_clips import SpeakTask
from pipeline.i18n import N_, _, ngettext, number
from pipeline.i18n import language as page_language
from pipeline.optional import needs
from pipeline.runs import ACTIVE
from pipeline.text import lines_of
from pipeline.text.languages import LANGUAGE_NAMES
from pipeline.text.turkish import has_turkish_letters
from pipeline.wakeword.data.clip_library import ClipLibrary

LANGUAGES = list(LANGUAGE_NAMES)
EXAMPLE = "[[k@mpj'u:t3]]"  # not shown
FOLDER_IS_SPEAKER = "([^/]+)/[^/]+$"  # not shown
JOINED_IN = "en"
MOST_NEAR = 24  # that are shown


def draw(clips: ClipLibrary, *, is_open: bool) -> None:
    """The form, what it made so far, and the work while it runs."""
    with st.expander(_("Speak the word"), icon=":material/record_voice_over:", expanded=is_open):
        made = wakeword_clips.spoken(clips)
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
        task = _task(clips)
        is_empty = not task.word.strip()
        with st.container(horizontal=True):
            heard = st.button(_("Listen"), icon=":material/volume_up:", disabled=is_empty)
            near = st.button(_("Similar phrases"), icon=":material/compare_arrows:", disabled=is_empty)
            start = st.button(_("Speak clips"), type="primary", icon=":material/play_arrow:", disabled=is_empty)
            _offer_deletion(clips)
        with errors_in_words():
            if start:
                wakeword_clips.start_speaking(clips, task)
                st.rerun()
            for way in (task.pronunciations or [task.word]) if heard else ():
                st.caption(plain(way))
                st.audio(wakeword_clips.said(way, task.language), format="audio/wav")
            if near:
                st.markdown(plain(", ".join(wakeword_clips.similar(task.word, task.language, MOST_NEAR))))
        job = wakeword_clips.last_speaking(clips)
        if job is not None and job.state.status in (*ACTIVE, "failed", "lost"):
            job_panel(job.directory)


def _offer_deletion(clips: ClipLibrary) -> None:
    """Of what was spoken, so that another text can be, or recordings alone are left."""
    text, _language = wakeword_clips.spoken_as(clips)
    if text and confirm(
        _("Delete synthetic clips"),
        _("All synthetic clips of “{word}”, of similar phrases and of other words will be permanently deleted.").format(
            word=plain(text)
        ),
        answer=_("Delete permanently"), key=f"delete-spoken-{clips.name}", icon=":material/delete:",
    ):  # fmt: skip
        with errors_in_words():
            n = wakeword_clips.delete_spoken(clips)
            st.toast(ngettext("{n} clip deleted.", "{n} clips deleted.", n).format(n=number(n)))
            st.rerun()


def _task(clips: ClipLibrary) -> SpeakTask:
    word = st.text_input(_("Text"), clips.name, max_chars=60, key=f"speak-text-{clips.name}")
    left, right = st.columns(2)
    language = _language(clips, left)
    n_clips = right.number_input(_("Clips of the word"), 10, 5000, 400, 50, key="speak-clips")
    left, right = st.columns(2)
    n_near = left.number_input(_("Clips of similar phrases"), 0, 5000, 200, 50, key="speak-near")
    n_other = right.number_input(
        _("Clips of other words"), 0, 5000, 200, 50, key="speak-other",
        help=_("The same voices say other words too, so that a voice tells nothing about the word."),
    )  # fmt: skip
    written = st.text_area(
        _("Pronunciations"), key=f"speak-say-{clips.name}", height=80, placeholder=EXAMPLE,
        help=_("One per line: another spelling, or [[phonemes]] of eSpeak NG. Empty: the text."),
    )  # fmt: skip
    ways = tuple(line.strip() for line in lines_of(written) if line.strip())
    joined, pattern = _joined(clips) if language == JOINED_IN else ((), "")
    return SpeakTask(word, language, int(n_clips), int(n_near), int(n_other), ways, joined, pattern)


def _language(clips: ClipLibrary, where: DeltaGenerator) -> str:
    """Of the word: as it was chosen or spoken before, else Turkish where its letters say so, else the page's."""
    _text, spoken_in = wakeword_clips.spoken_as(clips)
    reads = "tr" if has_turkish_letters(clips.name) else page_language()
    key = f"speak-language-{clips.name}"
    state.restore(key, next((code for code in (spoken_in, reads) if code in LANGUAGES), LANGUAGES[0]))
    language: str = where.selectbox(
        _("Language"), LANGUAGES, format_func=lambda code: _(LANGUAGE_NAMES[code]), key=key,
        help=_("The language that the word belongs to, whatever the language of this page."),
    )  # fmt: skip
    state.remember(key, language)
    return language


def _joined(clips: ClipLibrary) -> tuple[tuple[str, ...], str]:
    """Recordings whose sounds are joined to the word, and where their speaker is in a path."""
    sources = wakeword_clips.sounds_to_join(clips)
    if not sources:
        st.caption(
            _(
                "Clips of an English word can also be made of the sounds of recordings: import English recordings on "
                "the Data page, or add other speech under **Add clips**."
            )
        )
        return (), ""
    chosen = st.multiselect(
        _("Join sounds of recordings"), sources, key=f"speak-joined-{clips.name}",
        placeholder=_("Choose English recordings"),
        help=_(
            "The speech scorer finds the sounds of these recordings, and pieces of one speaker are joined to the word, "
            "in that voice, microphone and room. They speak half of the clips."
        ),
    )  # fmt: skip
    if not chosen:
        return (), ""
    needed = needs(N_("Joining sounds of recordings"), ("librosa",))
    if needed is not None:
        st.info(message(needed), icon=":material/download:")
    pattern = st.text_input(
        _("Speaker in the paths"), FOLDER_IS_SPEAKER, key="speak-source",
        placeholder=_("all recordings are one speaker's"),
        help=_(
            "A pattern (regular expression) whose first group is the speaker: `{example}` takes the name of the folder "
            "that a recording lies in. Sounds of different people are not joined."
        ).format(example=FOLDER_IS_SPEAKER),
    )  # fmt: skip
    return tuple(chosen), pattern.strip()
