"""The player with the rating form below it, and its keys.

A Components v2 component in the page itself, without a frame and without network: the player's JavaScript and that
beside this file are joined into one module.
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
from pipeline.i18n import _
from pipeline.labels.marked_words import MarkedWord
from pipeline.records import RatingEvent, Segment, to_json
from pipeline.rubrics import Dimension, Rubric

FOLDER = Path(__file__).parent
# Joined in this order after the player's; index.js has the module's only export.
SCRIPTS = ("tier_model.js", "tier_lane.js", "tier_panel.js", "form.js", "index.js")
STYLES = ("rating_form.css", "tiers.css")
NAME = "pronlab_rating_form"


@dataclass(frozen=True)
class FormContent:
    """All that the form shows of one recording.

    `view` changes whenever the form must start afresh. `progress` is the text on the right, `share` (0-1) its bar.
    `hear_share` is the share of the recording (0-1) that must be heard before a rating can be saved. `reasons` maps
    skip and flag to what can be chosen: the value that is stored, by what is shown for it. `words` are those that marks
    can be put on, with their `phones`; `tiers` the segments to start from; `sounds` the symbols that can be heard in
    place of another sound, with their IPA.
    """

    view: str
    item: str
    evaluator: str
    label: str
    hint: str
    rubric: Rubric
    words: Sequence[MarkedWord]
    previous: RatingEvent | None
    progress: str
    share: float
    can_undo: bool
    has_previous: bool
    has_next: bool
    hear_share: float
    reasons: Mapping[str, Sequence[tuple[str, str]]]
    tiers: Sequence[Segment]
    sounds: Sequence[tuple[str, str]]


def rating_form(
    audio: Audio,
    reference: Audio | None,
    content: FormContent,
    answer: Answer | None,
    *,
    key: str,
    on_action: Callable[[], None],
) -> None:
    """Draw the form; `on_action` runs when the rater has acted, with the action in the component's state. `reference`
    is a recording of how the text should sound, None where there is none."""
    rubric = {
        "dimensions": [_dimension(dimension) for dimension in content.rubric.dimensions],
        "marks": [{"key": mark, "label": _(label)} for mark, label in content.rubric.marks],
    }
    data = {
        **sound(audio, reference, key=key),
        **{name: value for name, value in vars(content).items() if name not in ("rubric", "previous")},
        "rubric": rubric,
        "previous": to_json(content.previous),
        "answer": to_json(answer),
        "strings": form_strings(),
    }
    _component()(key=key, data=to_json(data), on_action_change=on_action, on_ceiling_hz_change=no_op,
                 on_tiers_change=no_op)  # fmt: skip


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
    scripts, css = player_sources()
    scripts = "\n".join((scripts, *((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)))
    return scripts, "".join(
        (css, *((FOLDER / name).read_text(encoding="utf-8") for name in ("rating_form.css", "tiers.css")))
    )


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="rating-form"></div>', css=css, js=js)  # not shown
