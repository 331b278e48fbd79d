"""The player (waveform, spectrogram, seek, loop, speed) with the rating form and its keys.

A Components v2 component in the page itself, without a frame and without network: the JavaScript beside this file is
joined into one module. `rating_form` draws player and form, `player` the player alone, `rubric_preview` the form alone.
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
from pipeline.i18n import _, translated
from pipeline.records import RatingEvent, to_json
from pipeline.rubrics import MARKS, Dimension, Rubric

FOLDER = Path(__file__).parent
# Joined in this order; index.js has the module's only export.
SCRIPTS = ("waveform.js", "player.js", "form.js", "keys.js", "index.js")
NAME = "pronlab_rating_form"


@dataclass(frozen=True)
class Shown:
    """One recording as the form shows it. `view` changes whenever the form must start afresh."""

    view: str
    item: str
    label: str
    hint: str
    words: list[dict[str, Any]]


@dataclass(frozen=True)
class FormContent:
    """All that the form shows besides the recording.

    `progress` is the text on the right, `share` (0-1) its bar. `hear_share` is the share of the recording (0-1) that
    must be heard before a rating can be saved. `reasons` maps skip and flag to what can be chosen: the value that is
    stored, by what is shown for it.
    """

    evaluator: str
    rubric: Rubric
    previous: RatingEvent | None
    progress: str
    share: float
    can_undo: bool
    has_previous: bool
    has_next: bool
    hear_share: float
    reasons: Mapping[str, Sequence[tuple[str, str]]]


def rating_form(
    shown: Shown,
    audio: Audio,
    content: FormContent,
    answer: Answer | None,
    *,
    ahead: tuple[Shown, Audio] | None = None,
    key: str,
    on_action: Callable[[], None],
) -> None:
    """Draw the form; `on_action` runs when the rater has acted, with the action in the component's state. `ahead` is
    the recording that is likely to come next: it is shown while this one is saved."""
    data = {
        **_recording(shown, audio),
        **{name: value for name, value in vars(content).items() if name not in ("rubric", "previous")},
        "rubric": _rubric(content.rubric),
        "previous": _previous(content.rubric, content.previous),
        "ahead": None if ahead is None else _recording(*ahead),
        "answer": to_json(answer),
        "strings": form_strings(),
    }
    _component()(key=key, data=to_json(data), on_action_change=on_action)


def player(audio: Audio, *, key: str, label: str = "") -> None:
    """Draw the player alone, for any page."""
    view = f"{key}:{hash(audio.samples.tobytes())}"
    _component()(key=key, data={**_sound(audio), "view": view, "label": label, "strings": player_strings()})


def rubric_preview(rubric: Rubric, *, key: str) -> None:
    """Draw the form of a rubric alone, as raters will see it; nothing is saved."""
    data = {"preview": True, "item": "", "evaluator": "", "rubric": _rubric(rubric), "strings": form_strings()}
    _component()(key=key, data=to_json(data))


def _rubric(rubric: Rubric) -> dict[str, Any]:
    labels = dict(MARKS)
    return {
        "reference": rubric.reference,
        "digits": rubric.digits,
        "dimensions": [_dimension(dimension) for dimension in rubric.dimensions],
        "marks": [{"key": kind, "label": _(labels[kind])} for kind in rubric.marks],
        "keys": dict(rubric.keys),
    }


def _dimension(dimension: Dimension) -> dict[str, Any]:
    return {
        **vars(dimension),
        "label": translated(dimension.label),
        "levels": [
            {"low": level.low, "label": translated(level.label), "meaning": translated(level.meaning)}
            for level in dimension.levels
        ],
    }


def _previous(rubric: Rubric, event: RatingEvent | None) -> dict[str, Any] | None:
    return None if event is None else {**to_json(event), "dimensions": rubric.values_of(event)}


@cache
def _sources() -> tuple[str, str]:
    scripts = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return scripts, (FOLDER / "rating_form.css").read_text(encoding="utf-8")


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="rating-form"></div>', css=css, js=js)  # not shown


def _recording(shown: Shown, audio: Audio) -> dict[str, Any]:
    return {**vars(shown), **_sound(audio)}


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
