"""Tables in which nothing is cut: columns as wide as their texts, the first one pinned."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import streamlit as st

from dashboard.components.widths import pixels

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
PADDING = 20  # pixels
LONGEST, ROW_HEIGHT = 20, 35  # rows before a table scrolls, pixels
NARROWEST, WIDEST = 56, 420
SCROLLBAR = 12  # pixels that it covers of the last column
SHADE = "background-color: rgba(43, 140, 179, 0.16)"  # not shown; over the ground of either theme
FIRST_WIDEST = 320  # it stays in sight while the others scroll


def without_empty(rows: Sequence[Mapping[str, T]]) -> list[dict[str, T]]:
    """Without the columns in which no row has anything."""
    return [{key: row[key] for key in row if any(other[key] not in ("", None) for other in rows)} for row in rows]


def fitted(
    rows: Sequence[Mapping[str, Any]] | pd.DataFrame,
    *,
    right: Collection[str] = (),
    helps: Mapping[str, str] | None = None,
    key: str | None = None,
    most_rows: int = LONGEST,
    ticks: Literal["single-row", "multi-row"] | None = None,
    marked: Collection[int] = (),
    first_widest: int = FIRST_WIDEST,
) -> list[int]:
    """Draw `rows` without an index, scrolling where there are more than `most_rows`. Columns in `right` are aligned to
    the right, as numbers are; `helps` explains columns, by their labels; the rows at the places in `marked` are shaded;
    the first of many columns has at most `first_widest` pixels. Returns the places of the rows that are
    ticked, where `ticks` says that they can be."""
    import pandas as pd

    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    scrolls = len(frame) > most_rows
    config = {}
    for index, label in enumerate(frame.columns):
        texts = [str(label), *("" if pd.isna(value) else str(value) for value in frame[label])]
        help_ = (helps or {}).get(str(label))
        widest = first_widest if not index and len(frame.columns) > 3 else WIDEST
        wide = max(map(pixels, texts)) + PADDING + (16 if help_ else 0)
        if scrolls and index == len(frame.columns) - 1:
            wide += SCROLLBAR
        config[str(label)] = st.column_config.Column(
            width=int(min(widest, max(NARROWEST, wide))),
            pinned=not index,
            alignment="right" if label in right else None,
            help=help_,
        )
    height: Literal["content"] | int = ROW_HEIGHT * (most_rows + 1) if scrolls else "content"
    shown: Any = frame
    if marked:
        shown = frame.style.apply(lambda row: [SHADE if row.name in marked else ""] * len(row), axis=1)
    drawn: Any = st.dataframe(
        shown, hide_index=True, column_config=config, key=key, width="content", height=height,
        on_select="rerun" if ticks else "ignore", selection_mode=ticks or "multi-row",
    )  # fmt: skip
    return list(drawn["selection"]["rows"]) if ticks else []
