"""Table -> plotly figure. Pure: no Streamlit, no reading. Scores are 0-100 unless an axis says otherwise.

Colours are the Okabe-Ito palette, told apart by colour-blind readers and legible on light and dark ground; where a
colour carries meaning, a symbol or a text carries it too. Backgrounds are left clear for the page's own theme.
Plotly is imported with the first figure, not with this module.
"""

from __future__ import annotations

import html
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

from pipeline.i18n import language, number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plotly.graph_objects import Figure

BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, GREY = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#8a8a8a",
)
PALETTE = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, GREY)
SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up", "x", "star")
METHOD_COLOURS = {"ml_model": BLUE, "heuristic": ORANGE}
METHOD_SYMBOLS = {"ml_model": "circle", "heuristic": "diamond"}
DASHES = ("solid", "dash", "dot", "dashdot")
PATTERNS = ("", "/", "x", ".")
GRID = "rgba(138,138,138,0.2)"

SCORE_RANGE = (-2, 102)
LEAST_ERROR = 20.0  # points: an axis of errors shows at least as much on both sides of zero
HEIGHT = 380
MANY_POWERS = 5  # of ten, on one axis
LOW = 260  # of two figures above each other on one screen


def literal(text: object) -> str:
    """A name, text or category of people, shown as it is: Plotly reads some HTML, links among it."""
    return html.escape(str(text), quote=False)


def literals(texts: Iterable[object]) -> list[str]:
    return [literal(text) for text in texts]


def separators() -> str:
    """The decimal mark and the one between thousands, as Plotly wants them: ".," in English, ",." in Turkish."""
    from babel.numbers import get_decimal_symbol, get_group_symbol

    return get_decimal_symbol(language()) + get_group_symbol(language())


def error_range(errors: Iterable[float]) -> tuple[float, float]:
    """The same distance on both sides of zero, in whole tens of points, so that lenient and strict look alike."""
    largest = max((abs(error) for error in errors), default=0.0)
    bound = max(LEAST_ERROR, 10.0 * ceil((largest + 2.0) / 10.0))
    return -bound, bound


def log_axis(values: Iterable[float]) -> dict[str, Any]:
    """A logarithmic axis with ticks at 1, 2 and 5 of each power of ten: Plotly writes single digits between them."""
    known = [value for value in values if value > 0]
    low, high = (min(known), max(known)) if known else (1.0, 1.0)
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    factors = (1, 2, 5) if len(powers) < MANY_POWERS else (1,)
    ticks = [(factor * 10.0**power, power) for power in powers for factor in factors]
    return {
        "type": "log",
        "tickvals": [value for value, _power in ticks],
        "ticktext": [number(value, max(0, -power)) for value, power in ticks],
    }


def empty_figure(
    x_title: str,
    y_title: str,
    *,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    height: int = HEIGHT,
) -> Figure:
    """An empty figure with named axes and the legend below, where neither a toolbar nor a narrow screen cuts it."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0.0, "x": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        separators=separators(),
        modebar={"remove": ["select2d", "lasso2d", "autoScale2d"]},  # not shown
    )
    figure.update_xaxes(
        title=literal(x_title), range=x_range, gridcolor=GRID, zeroline=False, automargin=True, title_standoff=8
    )
    figure.update_yaxes(
        title=literal(y_title), range=y_range, gridcolor=GRID, zeroline=False, automargin=True, title_standoff=8
    )
    return figure
