"""Choices that the URL keeps by names, whatever is shown for them.

`bind="query-params"` would write what is shown into the URL: a link would then only work in its own language, and for
as long as a short name is short.
"""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from dashboard.components.widths import box_width


def segments(label: str, options: Mapping[str, str], *, key: str, show_label: bool = False) -> str:
    """Draw the choice; `options` are what to show by name, the first of them is the default. Returns a name.

    The choice is kept in the URL under `key`, and over page changes.
    """
    default = next(iter(options))
    chosen = _known(key, options)
    _keep(key, chosen, default)
    st.segmented_control(
        label, list(options), key=key, required=True, format_func=options.__getitem__, on_change=_choose,
        args=(key, default), label_visibility="visible" if show_label else "collapsed", wrap=True,
    )  # fmt: skip
    return chosen


def pick(
    label: str, options: Mapping[str, str], *, key: str, show_label: bool = False, help_: str | None = None
) -> str:
    """As `segments`, from any number, as in a page's header: the URL always names the one that is shown."""
    chosen = _known(key, options)
    _keep(key, chosen, "")
    st.selectbox(
        label, list(options), key=key, format_func=options.__getitem__, on_change=_choose, args=(key, ""),
        label_visibility="visible" if show_label else "collapsed", help=help_, width=box_width(options.values()),
    )  # fmt: skip
    return chosen


def pick_several(
    label: str, options: Mapping[str, str], *, key: str, placeholder: str, help_: str, where: DeltaGenerator
) -> list[str]:
    """As `pick`, any number of them, in `where`."""
    asked = state.watched_all(key) or state.recall(f"choice.{key}", [])
    chosen = [name for name in asked if name in options]
    _keep_several(key, chosen)
    state.choose(key, chosen)
    where.multiselect(
        label, list(options), key=key, format_func=options.__getitem__, on_change=_choose_several, args=(key,),
        placeholder=placeholder, help=help_, label_visibility="collapsed",
    )  # fmt: skip
    return chosen


def turn_to(key: str, name: str) -> None:
    """Choose in `segments` or `pick` from code, as a button's callback."""
    state.remember(f"choice.{key}", name)
    state.watch(key, name)


def _choose_several(key: str) -> None:
    _keep_several(key, state.chosen_several(key))


def _keep_several(key: str, chosen: list[str]) -> None:
    state.remember(f"choice.{key}", chosen)
    state.watch_all(key, chosen)


def _known(key: str, options: Mapping[str, str]) -> str:
    """What the URL asks for, else what was chosen last, else the first."""
    known = (state.watched(key), state.recall(f"choice.{key}"))
    chosen = str(next((name for name in known if name in options), next(iter(options))))
    state.choose(key, chosen)
    return chosen


def _choose(key: str, default: str) -> None:
    chosen = state.chosen(key)
    _keep(key, chosen or default, default)


def _keep(key: str, chosen: str, default: str) -> None:
    state.remember(f"choice.{key}", chosen)
    state.watch(key, None if chosen == default else chosen)
