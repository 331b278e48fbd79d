"""A recording from the microphone or from a file, bounded before anything decodes it."""

import streamlit as st

from dashboard.components.microphone_advice import NEEDS_HTTPS, NO_MICROPHONE
from pipeline.audio.load import MAX_UPLOAD_BYTES, TARGET_RATE_HZ

UPLOAD_TYPES = ["wav", "flac", "ogg", "opus", "mp3"]
MICROPHONE, FILE, LIVE = "Microphone", "File", "Live"


def recorder(key: str, *, live_for: str = "") -> bytes | None:
    """Draw the recorder; returns the bytes of the newest recording, None while there is none.

    `key` should name what is being read: a new key clears the recording of the word before. `live_for` (word or
    sentence) also offers recording that stops by itself.
    """
    ways = [MICROPHONE, *([LIVE] if live_for else []), FILE]
    way = st.segmented_control(
        "How to record", ways, default=MICROPHONE, required=True, key="recorder-way",
        help="Live shows level and melody while you speak and stops by itself." if live_for else None,
    )  # fmt: skip
    if way == LIVE:
        from dashboard.components.live_recorder import live_recorder

        return live_recorder(key, live_for)
    if way == FILE:
        recording = st.file_uploader(
            "Upload a recording",
            type=UPLOAD_TYPES,
            key=f"file-{key}",
            max_upload_size=MAX_UPLOAD_BYTES // 2**20,
        )
    else:
        recording = st.audio_input(
            "Record yourself",
            sample_rate=TARGET_RATE_HZ,
            key=f"microphone-{key}",
            help=f"{NO_MICROPHONE} {NEEDS_HTTPS}",
        )  # fmt: skip
    return None if recording is None else recording.getvalue()
