"""A recording from the microphone or from a file, bounded before anything decodes it."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.components.microphone_advice import NEEDS_HTTPS, NO_MICROPHONE
from dashboard.components.webrtc import insecure_origin
from pipeline.audio.load import MAX_UPLOAD_BYTES, TARGET_RATE_HZ
from pipeline.i18n import N_, _

UPLOAD_TYPES = ["wav", "flac", "ogg", "opus", "mp3"]
MICROPHONE, LIVE, FILE = "microphone", "live", "file"
WAYS = {MICROPHONE: N_("Microphone"), LIVE: N_("Live"), FILE: N_("File")}


def recorder(key: str, *, live_for: str = "", choice_in: DeltaGenerator | None = None) -> bytes | None:
    """Draw the recorder; returns the bytes of the newest recording, None while there is none.

    `key` should name what is being read: a new key clears the recording of the word before. `live_for` (word or
    sentence) also offers recording that stops by itself. The choice of how to record goes into `choice_in`.
    """
    ways = [source for source in WAYS if source != LIVE or live_for]
    with st.container() if choice_in is None else choice_in:
        source = st.segmented_control(
            _("How to record"), ways, default=MICROPHONE, required=True, key="recorder-way",
            format_func=lambda key: _(WAYS[key]), label_visibility="collapsed",
        )  # fmt: skip
    if source == LIVE:
        from dashboard.components.live_recorder import live_recorder

        return live_recorder(key, live_for)
    if source == FILE:
        recording = st.file_uploader(
            _("Upload a recording"), type=UPLOAD_TYPES, key=f"file-{key}", label_visibility="collapsed",
            max_upload_size=MAX_UPLOAD_BYTES // 2**20,
        )  # fmt: skip
    else:
        recording = st.audio_input(
            _("Record yourself"), sample_rate=TARGET_RATE_HZ, key=f"microphone-{key}", label_visibility="collapsed"
        )
        if recording is None:
            st.caption(_(NEEDS_HTTPS if insecure_origin() else NO_MICROPHONE))
    return None if recording is None else recording.getvalue()
