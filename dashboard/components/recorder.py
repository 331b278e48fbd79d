"""A recording from the microphone or from a file, bounded before anything decodes it."""

import streamlit as st

from pipeline.audio.load import MAX_UPLOAD_BYTES, TARGET_RATE_HZ

UPLOAD_TYPES = ["wav", "flac", "ogg", "opus", "mp3"]


def recorder(key: str) -> bytes | None:
    """Draw the recorder; returns the bytes of the newest recording, None while there is none.

    `key` should name what is being read: a new key clears the recording of the word before.
    """
    way = st.segmented_control(
        "How to record", ["Microphone", "File"], default="Microphone", required=True, key="recorder-way"
    )
    if way == "Microphone":
        recording = st.audio_input("Record yourself", sample_rate=TARGET_RATE_HZ, key=f"microphone-{key}")
    else:
        recording = st.file_uploader(
            "Upload a recording",
            type=UPLOAD_TYPES,
            key=f"file-{key}",
            max_upload_size=MAX_UPLOAD_BYTES // 2**20,
        )
    return None if recording is None else recording.getvalue()
