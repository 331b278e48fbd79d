"""The player: waveform, spectrogram, zoom, exact playing of selections, speed.

A Components v2 component in the page itself, without a frame and without network: the JavaScript beside this file is
joined into one module. `player` draws it alone; the rating form joins the same files into its own module.
"""

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import identity, state
from dashboard.components.player.strings import CEILINGS, player_keys, player_strings, rater_tier_keys
from pipeline.audio.encode import to_wav
from pipeline.audio.load import Audio
from pipeline.audio.tracks import measure
from pipeline.i18n import _
from pipeline.records import Segment, to_json
from pipeline.rubrics import MARKS

FOLDER = Path(__file__).parent
# Joined in this order.
SCRIPTS = (
    "dom.js", "viewport.js", "segments.js", "settings.js", "fft.js", "waveform.js", "spectrogram.js", "tracks.js",
    "pictures.js", "other_sound.js", "readout.js", "scrollbar.js", "sound.js", "toolbar.js", "player.js", "keys.js",
    "rater_tiers.js",
)  # fmt: skip
STYLES = ("player.css", "segments.css")
NAME = "pronlab_player"


def player(
    audio: Audio,
    *,
    key: str,
    label: str = "",
    reference: Audio | None = None,
    tiers: Mapping[str, Sequence[Segment]] | None = None,
) -> None:
    """Draw the player alone, for any page; `reference` is a recording of how it should sound, to switch to. `tiers` are
    the segments of raters by name, to compare below the pictures; who has none is left out."""
    data = {
        **sound(audio, reference, key=key),
        "view": f"{key}:{hash((audio.samples.tobytes(), None if reference is None else reference.samples.tobytes()))}",
        "label": label,
        "tiers": [
            {"rater": name, "segments": to_json(segments)} for name, segments in (tiers or {}).items() if segments
        ],
        "mark_names": {kind: _(name) for kind, name in MARKS},
        "strings": {**player_strings(), "keys": _("Keys (?)"), "key_list": [*player_keys(), *_tier_keys(tiers)]},
    }
    _component()(key=key, data=data, on_ceiling_hz_change=no_op)


def _tier_keys(tiers: object) -> list[tuple[list[str], str]]:
    """In the list of keys only where there can be tiers."""
    return [] if tiers is None else rater_tier_keys()


def sound(audio: Audio, reference: Audio | None, *, key: str) -> dict[str, Any]:
    """What the player's JavaScript loads: the recording, its reference, whose settings to use, and the tracks if the
    component `key` has asked for them (its state `ceiling_hz`, for which `on_ceiling_hz_change` must be given)."""
    me = identity.present()
    asked = state.component_value(key, "ceiling_hz")
    ceiling_hz = asked if isinstance(asked, int) and asked in CEILINGS else None
    data: dict[str, Any] = {"wav": _base64(audio), "person": "" if me is None else me.name}
    if ceiling_hz is not None:
        tracks = _tracks(audio.samples, audio.sample_rate_hz, ceiling_hz)
        data["tracks"] = {"ceiling_hz": ceiling_hz, "recording": tracks}
    if reference is not None:
        data["reference"] = _base64(reference)
        if ceiling_hz is not None:
            data["tracks"]["reference"] = _tracks(reference.samples, reference.sample_rate_hz, ceiling_hz)
    return data


def no_op() -> None:
    """For a component's state that is read when the page is drawn again."""


@st.cache_data(max_entries=64, show_spinner=False)
def _tracks(samples: NDArray[np.float32], rate_hz: int, ceiling_hz: float) -> dict[str, Any]:
    """As JSON, rounded to what can be read off; None where there is no value."""
    tracks = measure(Audio(samples, rate_hz), ceiling_hz)
    return {
        "step_s": tracks.step_s,
        "f0_hz": _rounded(tracks.f0_hz, 1),
        "formants_hz": [_rounded(row, 0) for row in tracks.formants_hz],
        "intensity_db": _rounded(np.maximum(tracks.intensity_db, 0.0), 1),
    }


def _rounded(values: NDArray[np.float64], digits: int) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), digits) for value in values]


def _base64(audio: Audio) -> str:
    return base64.b64encode(to_wav(audio.samples, audio.sample_rate_hz)).decode("ascii")


@cache
def player_sources() -> tuple[str, str]:
    """The player's JavaScript, without an export, and its styles."""
    scripts = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return scripts, "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in STYLES)


@cache
def _sources() -> tuple[str, str]:
    scripts, css = player_sources()
    return scripts + (FOLDER / "index.js").read_text(encoding="utf-8"), css


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="player-page"></div>', css=css, js=js)  # not shown
