"""The desk of a pair project: two players side by side, the answer, and its keys.

A Components v2 component in the page itself, without a frame and without network: the player's JavaScript and that
beside this file are joined into one module. Neither the speaker nor anything else that names a recording is sent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.components.pair_desk.strings import pair_strings
from dashboard.components.player import no_op, player_sources, sound
from dashboard.components.rating_form import FOLDER as FORM_FOLDER
from dashboard.services.label import Answer
from pipeline.audio.load import Audio
from pipeline.records import to_json

FOLDER = Path(__file__).parent
NAME = "pronlab_pair_desk"


@dataclass(frozen=True)
class PairContent:
    """All that the desk shows of one pair.

    `view` changes whenever the desk must start afresh. `texts` are what was to be said on the left and on the right.
    `previous` is the answer that was taken back, "" for none. `hear_share` is the share (0-1) of each recording that
    must be heard before an answer. `reasons` are what can be chosen for a skip: the value that is stored, and what is
    shown for it.
    """

    view: str
    texts: tuple[str, str]
    previous: str
    ties: bool
    progress: str
    share: float
    can_undo: bool
    hear_share: float
    reasons: Sequence[tuple[str, str]]


def pair_desk(
    left: Audio, right: Audio, content: PairContent, answer: Answer | None, *, key: str, on_action: Callable[[], None]
) -> None:
    """Draw the desk; `on_action` runs when the rater has acted, with the action in the component's state."""
    data = {
        "sounds": [sound(audio, None, key=key) for audio in (left, right)],
        **vars(content),
        "answer": to_json(answer),
        "strings": pair_strings(ties=content.ties),
    }
    _component()(key=key, data=to_json(data), on_action_change=on_action, on_ceiling_hz_change=no_op)


@cache
def _sources() -> tuple[str, str]:
    scripts, css = player_sources()
    styles = (FORM_FOLDER / "rating_form.css", FOLDER / "pair_desk.css")
    return (
        "\n".join((scripts, (FOLDER / "index.js").read_text(encoding="utf-8"))),
        "\n".join((css, *(file.read_text(encoding="utf-8") for file in styles))),
    )


def _component() -> Any:
    js, css = _sources()
    html = '<div class="rating-form pair-desk"></div>'  # not shown
    return st.components.v2.component(NAME, html=html, css=css, js=js)
