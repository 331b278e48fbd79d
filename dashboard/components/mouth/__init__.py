"""How sounds are made: pictures of the mouth, each with words beside it. A Components v2 component without a frame."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pipeline.i18n import _
from pipeline.practice.contrasts import shown_sound
from pipeline.practice.mouth import mouth_svg
from pipeline.practice.sounds import how_to_say

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class MouthNote:
    """Words beside the picture of a sound; without one where the sound is not known."""

    language: str
    sound: str
    title: str
    text: str


def how_to_make(language: str, sounds: Iterable[str], *, key: str, named: bool = True) -> None:
    """Pictures and descriptions; each with the sound's name before it where it has not been said."""
    notes = []
    for sound in sounds:
        name = shown_sound(language, sound) if named and language == "en" else ""
        notes.append(MouthNote(language, sound, name, _(how_to_say(language, sound))))
    beside_mouths(notes, key=key)


def beside_mouths(notes: Iterable[MouthNote], *, key: str) -> None:
    items = [
        {"picture": _source(note.language, note.sound), "title": note.title, "text": note.text} for note in notes
    ]  # fmt: skip
    _component()(key=key, data={"items": items})


def _source(language: str, sound: str) -> str:
    svg = mouth_svg(language, sound)
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode('ascii')}" if svg else ""  # not shown


@cache
def _sources() -> tuple[str, str]:
    script, style = ((FOLDER / name).read_text(encoding="utf-8") for name in ("mouth.js", "mouth.css"))
    return script, style


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component("pronlab_mouth", html='<div class="mouths"></div>', css=css, js=js)
