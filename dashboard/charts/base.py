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
    from collections.abc import Iterable, Sequence

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
    """A logarithmic axis with ticks at 1, 2 and 5 of each power of ten (Plotly writes single digits between them);
    at even steps where fewer than two of those lie in it."""
    known = [value for value in values if value > 0]
    low, high = (min(known), max(known)) if known else (1.0, 1.0)
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    factors = (1, 2, 5) if len(powers) < MANY_POWERS else (1,)
    ticks = [(factor * 10.0**power, power) for power in powers for factor in factors]
    if low < high and sum(low <= value <= high for value, _power in ticks) < 2:
        ticks = _even_ticks(low, high)
    return {
        "type": "log",
        "tickvals": [value for value, _power in ticks],
        "ticktext": [number(value, max(0, -power)) for value, power in ticks],
    }


def _even_ticks(low: float, high: float) -> list[tuple[float, int]]:
    """At least two between the values, at steps of 1, 2 or 5 of a power of ten, each with that power."""
    power = floor(log10((high - low) / 2))
    step = max(factor for factor in (1, 2, 5) if 2 * factor * 10.0**power <= high - low) * 10.0**power
    return [(n * step, power) for n in range(ceil(low / step), floor(high / step) + 1)]


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

    def axis(title: str, span: tuple[float, float] | None) -> dict[str, object]:
        return {
            "title": {"text": literal(title), "standoff": 14}, "range": span, "gridcolor": GRID, "zeroline": False,
            "automargin": True,
        }  # fmt: skip

    # Made whole: `update_layout` takes several times as long.
    layout = _layout(height) | {"xaxis": axis(x_title, x_range), "yaxis": axis(y_title, y_range)}
    return go.Figure(layout=layout)


def stacked_figure(row_heights: Sequence[float], *, height: int) -> Figure:
    """Empty figures above each other on one x axis, from the top down, with the legend above them; `row_heights` are
    shares of the height."""
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=len(row_heights), cols=1, shared_xaxes=True, vertical_spacing=0.03, row_heights=list(row_heights)
    )
    layout = _layout(height) | {
        "margin": {"l": 8, "r": 8, "t": 36, "b": 8},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
    }
    return figure.update_layout(layout)


def _layout(height: int) -> dict[str, Any]:
    """What all figures share, the language's decimal mark among it."""
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
        "legend": {"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0.0, "x": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "separators": separators(),
        "modebar": {"remove": ["select2d", "lasso2d", "autoScale2d"]},  # not shown
    }
