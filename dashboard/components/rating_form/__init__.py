"""The rating desk: our own player (waveform, spectrogram, seek, loop, speed) with the rating form and its keys.

One Components v2 component in the page itself, no frame and no network: the JavaScript beside this file is joined
into one module. `rating_desk` draws player and form, `player` the player alone.
"""

import base64
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.services.label import Answer
from pipeline.audio.encode import spectrogram_u8, to_wav
from pipeline.audio.load import Audio
from pipeline.records import RatingEvent, to_json
from pipeline.rubrics import Rubric

FOLDER = Path(__file__).parent
# Joined in this order; index.js has the module's only export.
SCRIPTS = ("waveform.js", "player.js", "form.js", "keys.js", "index.js")
NAME = "pronlab_desk"


@dataclass(frozen=True)
class RatingTask:
    """All that the desk shows of one recording. `view` changes whenever the form must start afresh."""

    view: str
    item: str
    evaluator: str
    label: str
    hint: str
    rubric: Rubric
    words: list[dict[str, Any]]
    previous: RatingEvent | None
    done: int
    total: int
    can_undo: bool
    has_previous: bool
    has_next: bool
    reasons: dict[str, tuple[str, ...]]


def rating_desk(
    audio: Audio, task: RatingTask, answer: Answer | None, *, key: str, on_action: Callable[[], None]
) -> None:
    """Draw the desk; `on_action` runs when the expert has acted, with the action in the component's state."""
    rubric = {
        "dimensions": [asdict(dimension) for dimension in task.rubric.dimensions],
        "marks": [{"key": mark, "label": label} for mark, label in task.rubric.marks],
    }
    data = {
        **_sound(audio),
        **{name: value for name, value in vars(task).items() if name not in ("rubric", "previous", "done", "total")},
        "rubric": rubric,
        "previous": to_json(task.previous),
        "progress": {"done": task.done, "total": task.total},
        "answer": to_json(answer),
    }
    _component()(key=key, data=to_json(data), on_action_change=on_action)


def player(audio: Audio, *, key: str, label: str = "") -> None:
    """The player alone, for any page."""
    data = {**_sound(audio), "view": f"{key}:{hash(audio.samples.tobytes())}", "label": label}
    _component()(key=key, data=data)


@cache
def _sources() -> tuple[str, str]:
    scripts = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return scripts, (FOLDER / "rating_form.css").read_text(encoding="utf-8")


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="desk"></div>', css=css, js=js)


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
