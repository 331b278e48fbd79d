"""The words of a recording with what raters marked on them: the words under the player."""

from collections.abc import Mapping

import streamlit as st

from dashboard.markup import plain
from dashboard.sections.review.history import MARK_NAMES
from pipeline.i18n import _, number
from pipeline.projects.review import Dispute

# Shapes differ, so that the kind of a mark is not told by colour alone.
SHAPES = {"mispronounced": "▲", "accent": "◆", "missing": "○", "added": "＋", "stress": "ˈ"}


def draw(dispute: Dispute) -> None:
    """Nothing where nobody marked anything."""
    marked = marks_of(dispute)
    if not marked:
        return
    words = dispute.recording.text.split()
    last = max([len(words) - 1, *marked])
    shown = [words[n] if n < len(words) else _("word {n}").format(n=number(n + 1)) for n in range(last + 1)]
    with st.container(horizontal=True, gap="medium", key="marked-words"):
        for n, word in enumerate(shown):
            st.markdown(in_markdown(word, marked.get(n, {})), width="content")


def marks_of(dispute: Dispute) -> dict[int, dict[tuple[int, str, str], list[str]]]:
    """By word: marks as (phone, or -1 for the whole word; kind; what was heard), each with the raters who made it."""
    marked: dict[int, dict[tuple[int, str, str], list[str]]] = {}
    for name, event in dispute.ratings.items():
        for mark in event.marks:
            place = (-1 if mark.phone is None else mark.phone, mark.kind, mark.heard)
            marked.setdefault(mark.word, {}).setdefault(place, []).append(name)
    return marked


def in_markdown(word: str, marks: Mapping[tuple[int, str, str], list[str]]) -> str:
    """A word, in bold where it was marked, and below it each mark with who made it."""
    if not marks:
        return plain(word)
    lines = (plain(f"{_mark(*place)} · {', '.join(names)}") for place, names in sorted(marks.items()))
    return "  \n".join([f"**{plain(word)}**", *lines])


def _mark(phone: int, kind: str, heard: str) -> str:
    words = _(MARK_NAMES.get(kind, kind))
    if phone >= 0:
        words = _("sound {n}: {mark}").format(n=number(phone + 1), mark=words)
    if heard:
        words = _("{mark}, heard as {heard}").format(mark=words, heard=heard)
    return f"{SHAPES.get(kind, '■')} {words}"
