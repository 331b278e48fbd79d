"""The player: waveform, spectrogram, zoom, exact playing of selections, speed.

A Components v2 component in the page itself, without a frame and without network: the JavaScript beside this file is
joined into one module. `player` draws it alone; the rating form joins the same files into its own module.
"""

import base64
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.components.player.strings import player_strings
from pipeline.audio.encode import to_wav
from pipeline.audio.load import Audio

FOLDER = Path(__file__).parent
# Joined in this order.
SCRIPTS = (
    "dom.js", "viewport.js", "fft.js", "waveform.js", "spectrogram.js", "pictures.js", "sound.js", "toolbar.js",
    "player.js", "keys.js",
)  # fmt: skip
NAME = "pronlab_player"


def player(audio: Audio, *, key: str, label: str = "") -> None:
    """Draw the player alone, for any page."""
    view = f"{key}:{hash(audio.samples.tobytes())}"
    _component()(key=key, data={**sound(audio), "view": view, "label": label, "strings": player_strings()})


def sound(audio: Audio) -> dict[str, Any]:
    """What the player's JavaScript loads of a recording."""
    wav = to_wav(audio.samples, audio.sample_rate_hz)
    return {"wav": base64.b64encode(wav).decode("ascii")}


@cache
def player_sources() -> tuple[str, str]:
    """The player's JavaScript, without an export, and its styles."""
    scripts = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return scripts, (FOLDER / "player.css").read_text(encoding="utf-8")


@cache
def _sources() -> tuple[str, str]:
    scripts, css = player_sources()
    return scripts + (FOLDER / "index.js").read_text(encoding="utf-8"), css


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="player-page"></div>', css=css, js=js)  # not shown
