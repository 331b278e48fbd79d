"""What the forms of both fine-tunings begin with: the recording set, the preset and the run's name."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pipeline.i18n import _


@dataclass(frozen=True)
class FirstFields:
    """`name` is empty where the run is named after its preset and seed."""

    set_name: str
    preset: str
    name: str

    def run_name(self, kind: str, seed: int) -> str:
        return self.name or f"{kind}-{self.preset}-seed{seed}"


def first_fields(
    sets: Sequence[str], presets: Sequence[str], default: str, preset_help: str | None = None
) -> FirstFields:
    """Draw them as the form's first row."""
    left, middle, right = st.columns(3)
    set_name = left.selectbox(_("Recording set"), sets)
    preset = middle.selectbox(_("Preset"), presets, index=list(presets).index(default), help=preset_help)
    name = right.text_input(_("Name of the run"), placeholder=_("default: preset and seed"), max_chars=60)
    return FirstFields(set_name, preset, name.strip())
