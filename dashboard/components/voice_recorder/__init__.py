"""The microphone of a page: one button, level and melody while one speaks, and a stop by itself after a pause.

A Components v2 component in the page itself, without a frame and without network. The browser sends 16-bit WAV as the
device recorded it, without the changes it makes for telephone calls; the server takes no more of it than a recording
may have, and decodes it as it decodes files.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import state
from pipeline.i18n import N_, _, language
from pipeline.records import Seconds

FOLDER = Path(__file__).parent
NAME = "pronlab_voice_recorder"
SCRIPTS = ("endpoint.js", "pitch.js", "wav.js", "capture.js", "picture.js", "index.js")  # joined in this order
HIGHEST_RATE_HZ = 48_000
HEADER_BYTES = 44  # of the WAV file that the browser makes
STRINGS = {
    "record": N_("Record"),
    "stop": N_("Stop"),
    "again": N_("Record again"),
    "idle": N_("Recording stops by itself when you have finished speaking."),
    "allow": N_("Allow the microphone in your browser."),
    "speak": N_("Speak now."),
    "listening": N_("Listening …"),
    "loud": N_("Too loud: move a little away from the microphone."),
    "sending": N_("Sending …"),
    "done": N_("Recorded: {seconds} s."),
    "hear": N_("Your recording"),
    "silent": N_("No speech for {seconds} s. Check the microphone, then record again."),
    "empty": N_("Nothing was recorded. Record again."),
    "lost": N_("The recording did not arrive in full. Record again."),
    "refused": N_("This page may not use the microphone. Allow it beside the page's address, or choose File."),
    "missing": N_("No microphone was found. Connect one, or choose File."),
    "failed": N_("The microphone cannot be used ({reason}). Close other programs that use it, or choose File."),
    "insecure": N_(
        "Browsers allow the microphone on HTTPS pages only. Ask for an https:// address, or choose File and upload a "
        "recording."
    ),
    "unsupported": N_("This browser cannot record. Choose File, or use another browser."),
}


@dataclass(frozen=True)
class Span:
    """When recording stops by itself: after a pause that follows speech, and at the latest."""

    pause_s: Seconds
    longest_s: Seconds
    waits_s: Seconds = 10.0  # for the first word

    @property
    def most_bytes(self) -> int:
        return HEADER_BYTES + 2 * round(self.longest_s * HIGHEST_RATE_HZ)


def voice_recorder(view: str, span: Span, *, key: str, starts: int = 0) -> bytes | None:
    """Draw it; returns the newest recording of `view`, None while there is none.

    A new `view` (what is being read) clears the recording of the one before; a higher `starts` than when it was last
    drawn begins to record at once.
    """
    newest: tuple[str, bytes] = state.recall(f"recording.{key}", ("", b""))
    data = {
        "view": view,
        "starts": starts,
        **vars(span),
        "answer": state.recall(f"recording-answer.{key}", {"nonce": "", "ok": True}),
        "strings": {"language": language(), **{name: _(text) for name, text in STRINGS.items()}},
    }
    _component()(key=key, data=data, on_recording_change=lambda: _take(key, span))
    return newest[1] if newest[0] == view else None


def _take(key: str, span: Span) -> None:
    """Keep what the browser has sent; one for each recorder, so that a long visit fills no memory."""
    sent = state.component_value(key, "recording")
    if not isinstance(sent, Mapping):
        return
    wav = wav_bytes(sent.get("wav"), span.most_bytes)
    if wav is not None:
        state.remember(f"recording.{key}", (str(sent.get("view")), wav))
    answer = {"nonce": str(sent.get("nonce"))[:64], "ok": wav is not None}
    state.remember(f"recording-answer.{key}", answer)


def wav_bytes(sent: object, most_bytes: int) -> bytes | None:
    """The file in what a browser has sent; None where it is too large or no WAV. Nothing is decoded before that."""
    if not isinstance(sent, str) or len(sent) > 4 * -(-most_bytes // 3):
        return None
    try:
        wav = base64.b64decode(sent, validate=True)
    except (binascii.Error, ValueError):
        return None
    is_whole = wav[:4] == b"RIFF" and wav[8:12] == b"WAVE" and int.from_bytes(wav[4:8], "little") == len(wav) - 8
    return wav if is_whole and HEADER_BYTES < len(wav) <= most_bytes else None


@cache
def _sources() -> tuple[str, str]:
    script = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return script, (FOLDER / "voice_recorder.css").read_text(encoding="utf-8")


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="voice-recorder"></div>', css=css, js=js)  # not shown
