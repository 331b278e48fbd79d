"""The settings of a training as fields, in groups: one rule for all of them, from the configuration's own types, limits
and choices."""

import math
from typing import Any

import streamlit as st

from dashboard import state
from pipeline.i18n import _, significant
from pipeline.wakeword.config import WakewordConfig
from pipeline.wakeword.devices import TARGETS
from pipeline.wakeword.setting_groups import GROUPS, Setting, settings_of, value_of

VERSION = "wakeword-fields"
COLUMNS = 4


def draw_fields(preset: str, config: WakewordConfig) -> dict[str, Any]:
    """Draw them inside a form, with the values of a preset; the settings as they stand, by key."""
    given: dict[str, Any] = {}
    for group, tab in zip(GROUPS, st.tabs([_(title) for title, _labels in GROUPS.values()]), strict=True):
        with tab:
            for index, setting in enumerate(settings_of(group)):
                if index % COLUMNS == 0:  # a row of its own, so that Tab and a narrow screen keep their order
                    columns = st.columns(COLUMNS, vertical_alignment="bottom")
                key = field_key(preset, setting.key)
                with columns[index % COLUMNS]:
                    given[setting.key] = _field(setting, value_of(config, setting.key), key)
                state.remember(key, given[setting.key])  # for the way back from another step
    return given


def field_key(preset: str, setting: str) -> str:
    """Of a field's widget: those of another preset, or after a reset, are others."""
    return f"{VERSION}-{preset}-{state.recall(VERSION, 0)}-{setting}"


def use(preset: str, given: dict[str, Any]) -> None:
    """Fill fields from code, as a button's callback."""
    for key, value in given.items():
        state.choose(field_key(preset, key), value)


def reset() -> None:
    """Give all fields the preset's values again, as a button's callback."""
    state.remember(VERSION, state.recall(VERSION, 0) + 1)


def _field(setting: Setting, value: Any, key: str) -> Any:
    label, hint = _(setting.label), f"`{setting.key}`"
    state.restore(key, value)
    if setting.kind is bool:
        return st.checkbox(label, key=key, help=hint)
    if setting.choices:
        return st.selectbox(label, setting.choices, key=key, format_func=_choice, help=hint)
    if setting.kind is str:
        return st.text_input(label, key=key, help=hint).strip()
    low, high = setting.limits or (None, None)
    if low is not None and high is not None:
        hint += " " + _("between {low} and {high}").format(low=significant(low, 6), high=significant(high, 6))
    common: dict[str, Any] = {"key": key, "help": hint}
    if low is not None and high is not None:
        common |= {"min_value": setting.kind(low), "max_value": setting.kind(high)}
    if setting.kind is int:
        return int(st.number_input(label, step=1, **common))
    return float(st.number_input(label, step=_step(value), format="%g", **common))  # not shown


def _choice(name: str) -> str:
    return _(TARGETS[name].title) if name in TARGETS else name


def _step(value: float) -> float:
    """A tenth of its order of magnitude."""
    return float(10.0 ** (math.floor(math.log10(abs(value))) - 1)) if value else 0.1
