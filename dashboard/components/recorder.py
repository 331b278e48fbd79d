"""A recording from the microphone or from a file, bounded before anything decodes it."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from dashboard.components.uploader import upload
from dashboard.components.voice_recorder import Span, voice_recorder
from pipeline.audio.load import (
    AUDIO_KINDS,
    KINDS_IN_WORDS,
    MAX_UPLOAD_BYTES,
    MEGABYTE,
    AudioCutError,
    AudioTooLongError,
)
from pipeline.errors import AudioError
from pipeline.i18n import N_, _

MOST_MB = MAX_UPLOAD_BYTES // MEGABYTE
MICROPHONE, FILE = "microphone", "file"
WAYS = {MICROPHONE: N_("Microphone"), FILE: N_("File")}
WORD, SENTENCE, FREE = "word", "sentence", "free"
# Learners pause within a sentence, and more while they think.
SPANS = {WORD: Span(0.8, 8.0), SENTENCE: Span(1.4, 25.0), FREE: Span(2.5, 30.0)}


def recorder(
    view: str,
    *,
    of: str = WORD,
    starts: int = 0,
    choice_in: DeltaGenerator | None = None,
    key: str = "recorder",
) -> bytes | None:
    """Draw the recorder; returns the bytes of the newest recording, None while there is none.

    `view` names what is being read: a new one clears the recording of the one before. `of` (WORD, SENTENCE or FREE)
    says how long a pause ends it; `starts` is how many recordings were asked to begin at once. The choice of how to
    record goes into `choice_in`; a second recorder on a page needs a `key` of its own.
    """
    with st.container() if choice_in is None else choice_in:
        source = st.segmented_control(
            _("How to record"), list(WAYS), default=MICROPHONE, required=True, key=f"{key}-way",
            format_func=lambda way: _(WAYS[way]), label_visibility="collapsed", wrap=True,
        )  # fmt: skip
    if source == MICROPHONE:
        return voice_recorder(view, SPANS[of], key=key, starts=starts)
    recording = upload(
        _("Upload a recording"), AUDIO_KINDS, key=f"file-{view}", label_visibility="collapsed", most_mb=MOST_MB
    )
    return None if recording is None else recording.getvalue()


def shows_player(key: str = "recorder") -> bool:
    """Whether that recorder plays its newest recording itself: the microphone does, a file does not."""
    return state.chosen(f"{key}-way") != FILE


def refused(error: AudioError) -> None:
    """Tell a learner why a recording cannot be used, and what to do."""
    if isinstance(error, AudioTooLongError):
        words = _("This recording is too long. Record one word or sentence at a time.")
    elif isinstance(error, AudioCutError):
        words = _("This recording is cut off. Copy or record it again.")
    else:
        words = _("This file cannot be read as audio. Choose a file of one of these kinds: {kinds}.").format(
            kinds=KINDS_IN_WORDS
        )
    st.error(words, icon=":material/error:")
