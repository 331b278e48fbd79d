"""The player (waveform, spectrogram, seek, loop, speed) with the rating form and its keys.

A Components v2 component in the page itself, without a frame and without network: the JavaScript beside this file is
joined into one module. `rating_form` draws player and form, `player` the player alone.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.components.rating_form.strings import form_strings, player_strings
from dashboard.services.label import Answer
from pipeline.audio.encode import spectrogram_u8, to_wav
from pipeline.audio.load import Audio
from pipeline.i18n import _
from pipeline.records import RatingEvent, to_json
from pipeline.rubrics import Dimension, Rubric

FOLDER = Path(__file__).parent
# Joined in this order; index.js has the module's only export.
SCRIPTS = ("waveform.js", "player.js", "form.js", "keys.js", "index.js")
NAME = "pronlab_rating_form"


@dataclass(frozen=True)
class FormContent:
    """All that the form shows of one recording.

    `view` changes whenever the form must start afresh. `progress` is the text on the right, `share` (0-1) its bar.
    `hear_share` is the share of the recording (0-1) that must be heard before a rating can be saved. `reasons` maps
    skip and flag to what can be chosen: the value that is stored, by what is shown for it.
    """

    view: str
    item: str
    evaluator: str
    label: str
    hint: str
    rubric: Rubric
    words: list[dict[str, Any]]
    previous: RatingEvent | None
    progress: str
    share: float
    can_undo: bool
    has_previous: bool
    has_next: bool
    hear_share: float
    reasons: Mapping[str, Sequence[tuple[str, str]]]


def rating_form(
    audio: Audio, content: FormContent, answer: Answer | None, *, key: str, on_action: Callable[[], None]
) -> None:
    """Draw the form; `on_action` runs when the rater has acted, with the action in the component's state."""
    rubric = {
        "dimensions": [_dimension(dimension) for dimension in content.rubric.dimensions],
        "marks": [{"key": mark, "label": _(label)} for mark, label in content.rubric.marks],
    }
    data = {
        **_sound(audio),
        **{name: value for name, value in vars(content).items() if name not in ("rubric", "previous")},
        "rubric": rubric,
        "previous": to_json(content.previous),
        "answer": to_json(answer),
        "strings": form_strings(),
    }
    _component()(key=key, data=to_json(data), on_action_change=on_action)


def player(audio: Audio, *, key: str, label: str = "") -> None:
    """Draw the player alone, for any page."""
    view = f"{key}:{hash(audio.samples.tobytes())}"
    _component()(key=key, data={**_sound(audio), "view": view, "label": label, "strings": player_strings()})


def _dimension(dimension: Dimension) -> dict[str, Any]:
    return {
        **vars(dimension),
        "label": _(dimension.label),
        "levels": [
            {"low": level.low, "label": _(level.label), "meaning": _(level.meaning)} for level in dimension.levels
        ],
    }


@cache
def _sources() -> tuple[str, str]:
    scripts = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return scripts, (FOLDER / "rating_form.css").read_text(encoding="utf-8")


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="rating-form"></div>', css=css, js=js)  # not shown


def _sound(audio: Audio) -> dict[str, Any]:
    image = spectrogram_u8(audio)
    return {
        "wav": _base64(to_wav(audio.samples, audio.sample_rate_hz)),
        "spectrogram": {
            "data": _base64(image.tobytes()),
            "n_frequency": image.shape[0],
            "n_time": image.shape[1],
            "max_hz": audio.sample_rate_hz // 2,
        },
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
