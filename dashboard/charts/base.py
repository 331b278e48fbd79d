"""Table -> plotly figure. Pure: no Streamlit, no reading. Scores are 0-100 unless an axis says otherwise.

Colours are the Okabe-Ito palette, told apart by colour-blind readers and legible on light and dark ground; where a
colour carries meaning, a symbol or a text carries it too. Backgrounds are left clear for the page's own theme.
Plotly is imported with the first figure, not with this module.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

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

SCORE_RANGE = (-2, 102)
HEIGHT = 380


def literal(text: object) -> str:
    """A name, text or category of people, shown as it is: Plotly reads some HTML, links among it."""
    return html.escape(str(text), quote=False)


def literals(texts: Iterable[object]) -> list[str]:
    return [literal(text) for text in texts]


def empty_figure(
    x_title: str,
    y_title: str,
    *,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    height: int = HEIGHT,
) -> Figure:
    """An empty figure with named axes and the legend above, where a narrow screen still has room for it."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(
        title=literal(x_title), range=x_range, gridcolor="rgba(138,138,138,0.2)", zeroline=False, automargin=True
    )
    figure.update_yaxes(
        title=literal(y_title), range=y_range, gridcolor="rgba(138,138,138,0.2)", zeroline=False, automargin=True
    )
    return figure
