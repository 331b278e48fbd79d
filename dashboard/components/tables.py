"""Tables whose numbers are written as the reader's language writes them, and those in which nothing is cut: columns as
wide as their texts, the first one pinned."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import streamlit as st

from dashboard.components.widths import pixels
from pipeline.i18n import number

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

T = TypeVar("T")
PADDING = 20  # pixels
LONGEST, ROW_HEIGHT = 20, 35  # rows before a table scrolls, pixels
NARROWEST, WIDEST = 56, 420
SCROLLBAR = 12  # pixels that it covers of the last column
SHADE = "background-color: rgba(43, 140, 179, 0.16)"  # not shown; over the ground of either theme
FIRST_WIDEST = 320  # it stays in sight while the others scroll
MOST_WRITTEN = 50_000  # cells, a second or two: larger tables have the browser's numbers
MOST_DECIMALS = 2  # of columns that nothing is said of


def without_empty(rows: Sequence[Mapping[str, T]]) -> list[dict[str, T]]:
    """Without the columns in which no row has anything."""
    return [{key: row[key] for key in row if any(other.get(key) not in ("", None) for other in rows)} for row in rows]


def data_table(
    rows: Sequence[Mapping[str, Any]] | pd.DataFrame,
    *,
    decimals: Mapping[str, int] | None = None,
    marked: Collection[int] = (),
    column_config: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Draw `rows` without an index, as `st.dataframe` does with `options`, and return what that returns. Numbers are
    written as in `localised`, missing values are left blank, and the rows at the places in `marked` are shaded."""
    frame, config = _frame(rows), dict(column_config or {})
    digits = _digits(frame, decimals or {})
    shown: Any = frame
    if frame.size > MOST_WRITTEN:  # a `Styler` would take many seconds, and stops at 262,144 cells
        config = {label: st.column_config.NumberColumn(format="localized") for label in digits} | config
        shown = frame.round(digits)
    elif digits or marked:
        shown = localised(frame, digits)
        if marked:
            shown = shown.apply(lambda row: [SHADE if row.name in marked else ""] * len(row), axis=1)
    return st.dataframe(shown, hide_index=True, placeholder="", column_config=config, **options)


def localised(rows: Sequence[Mapping[str, Any]] | pd.DataFrame, decimals: Mapping[str, int] | None = None) -> Styler:
    """The rows with their numbers as the reader's language writes them, which sort as numbers: Streamlit's formats have
    a decimal point in every language, or ask the browser. `decimals` are the digits after the sign, by column; others
    have as many as their values need, at most `MOST_DECIMALS`."""
    frame = _frame(rows)
    written: Any = {label: _writer(digits) for label, digits in _digits(frame, decimals or {}).items()}
    return frame.style.format(written, na_rep="")


def _frame(rows: Sequence[Mapping[str, Any]] | pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))


def _digits(frame: pd.DataFrame, decimals: Mapping[str, int]) -> dict[str, int]:
    """After the decimal sign, of each column of numbers."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    columns = [label for label in frame.columns if is_numeric_dtype(frame[label]) and not is_bool_dtype(frame[label])]
    return {str(label): decimals.get(str(label), _needed(frame[label])) for label in columns}


def _needed(values: pd.Series[Any]) -> int:
    rounded = values.dropna().round(MOST_DECIMALS)
    return next(digits for digits in range(MOST_DECIMALS + 1) if (rounded.round(digits) == rounded).all())


def _writer(digits: int) -> Callable[[float], str]:
    return lambda value: number(value, digits)


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

    frame = _frame(rows)
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
    drawn = data_table(
        frame, marked=marked, column_config=config, key=key, width="content", height=height,
        on_select="rerun" if ticks else "ignore", selection_mode=ticks or "multi-row",
    )  # fmt: skip
    return list(drawn["selection"]["rows"]) if ticks else []
