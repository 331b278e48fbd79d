"""What this browser keeps for a learner between visits: small cookies, written by a component without a frame."""

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import streamlit as st

SCRIPT = Path(__file__).parent / "cookies.js"
YEAR_S = 31_536_000


def kept(name: str) -> str:
    """As it was when the visit began; "" for nothing."""
    value = st.context.cookies.get(name)
    return unquote(value) if isinstance(value, str) else ""


def keep(values: dict[str, tuple[str, int]]) -> None:
    """Each value by name, with the seconds that it lasts; an empty value removes it."""
    cookies = [[name, quote(value), lasts_s if value else 0] for name, (value, lasts_s) in values.items()]
    _component()(key="browser-cookies", data={"cookies": cookies})


def _component() -> Any:
    return st.components.v2.component("pronlab_cookies", js=_script())


@cache
def _script() -> str:
    return SCRIPT.read_text(encoding="utf-8")
