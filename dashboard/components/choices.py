"""A choice of one of a few that the URL keeps, by names that are the same in every language.

`bind="query-params"` would write what is shown into the URL: a link would then only work in its own language.
"""

from collections.abc import Mapping

import streamlit as st

from dashboard import state


def segments(label: str, options: Mapping[str, str], *, key: str, show_label: bool = False) -> str:
    """Draw the choice; `options` are what to show by name, the first of them is the default. Returns a name.

    The choice is kept in the URL under `key`, and over page changes.
    """
    default = next(iter(options))
    known = (state.watched(key), state.recall(f"choice.{key}"))
    chosen = str(next((name for name in known if name in options), default))
    _keep(key, chosen, default)
    state.choose(key, chosen)
    st.segmented_control(
        label, list(options), key=key, required=True, format_func=options.__getitem__, on_change=_choose,
        args=(key, default), label_visibility="visible" if show_label else "collapsed",
    )  # fmt: skip
    return chosen


def _choose(key: str, default: str) -> None:
    chosen = state.chosen(key)
    _keep(key, chosen or default, default)


def _keep(key: str, chosen: str, default: str) -> None:
    state.remember(f"choice.{key}", chosen)
    state.watch(key, None if chosen == default else chosen)
