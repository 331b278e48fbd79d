"""The player with the rating form below it, and its keys.

A Components v2 component in the page itself, without a frame and without network: the player's JavaScript and that
beside this file are joined into one module. `rating_form` draws player and form, `rubric_preview` the form alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.components.player import no_op, player_sources, sound
from dashboard.components.rating_form.strings import form_strings
from dashboard.services.label import Answer
from pipeline.audio.load import Audio
from pipeline.i18n import _, translated
from pipeline.labels.marked_words import MarkedWord
from pipeline.records import RatingEvent, Segment, to_json
from pipeline.rubrics import MARKS, Dimension, Rubric

FOLDER = Path(__file__).parent
# Joined in this order after the player's; index.js has the module's only export.
SCRIPTS = ("tier_model.js", "tier_lane.js", "tier_panel.js", "form.js", "index.js")
STYLES = ("rating_form.css", "tiers.css")
NAME = "pronlab_rating_form"


@dataclass(frozen=True)
class Shown:
    """One recording as the form shows it, with a recording of how it should sound, where there is one.

    `view` changes whenever the form must start afresh. `words` are those that marks can be put on, with their `phones`;
    `tiers` the segments to start from; `sounds` the symbols that can be heard in place of another sound, with their
    IPA.
    """

    view: str
    item: str
    label: str
    hint: str
    language: str
    words: Sequence[MarkedWord]
    tiers: Sequence[Segment]
    sounds: Sequence[tuple[str, str]]
    audio: Audio
    reference: Audio | None


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
    content: FormContent,
    answer: Answer | None,
    *,
    ahead: Shown | None = None,
    key: str,
    on_action: Callable[[], None],
) -> None:
    """Draw the form; `on_action` runs when the rater has acted, with the action in the component's state. `ahead` is
    the recording that is likely to come next: it is shown while this one is saved."""
    data = {
        **_recording(shown, key),
        **{name: value for name, value in vars(content).items() if name not in ("rubric", "previous")},
        "rubric": _rubric(content.rubric),
        "previous": _previous(content.rubric, content.previous),
        "ahead": None if ahead is None else _recording(ahead, key),
        "answer": to_json(answer),
        "strings": form_strings(),
    }
    _component()(key=key, data=to_json(data), on_action_change=on_action, on_ceiling_hz_change=no_op,
                 on_tiers_change=no_op)  # fmt: skip


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
    scripts, css = player_sources()
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in (*SCRIPTS, *STYLES)]
    return "\n".join((scripts, *texts[: len(SCRIPTS)])), "\n".join((css, *texts[len(SCRIPTS) :]))


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="rating-form"></div>', css=css, js=js)  # not shown


def _recording(shown: Shown, key: str) -> dict[str, Any]:
    texts = {name: value for name, value in vars(shown).items() if name not in ("audio", "reference")}
    return {**texts, **sound(shown.audio, shown.reference, key=key)}
