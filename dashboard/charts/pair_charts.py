"""The scale of a pair project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.charts.base import BLUE, GREY, ORANGE, empty_figure, literals
from pipeline.i18n import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plotly.graph_objects import Figure

MOST_NAMED = 60  # recordings: more than that have no names beside them
ROW_HEIGHT, HIGHEST = 22, 480


def scale_dots(
    names: Sequence[str],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    anchors: Sequence[bool],
    label: str,
    x_range: tuple[float, float] | None = None,
) -> Figure:
    """One dot per recording with its 95 % interval, the best at the top; anchors are diamonds."""
    named = len(names) <= MOST_NAMED
    figure = empty_figure(label, "", x_range=x_range, height=max(220, min(HIGHEST, 90 + ROW_HEIGHT * len(names))))
    texts = literals(names)
    for is_anchor, colour, symbol, legend in (
        (False, BLUE, "circle", _("compared")), (True, ORANGE, "diamond", _("anchor")),
    ):  # fmt: skip
        rows = [k for k, anchor in enumerate(anchors) if anchor == is_anchor]
        if not rows:
            continue
        figure.add_scatter(
            x=[values[k] for k in rows], y=rows, mode="markers", name=legend,
            marker={"color": colour, "symbol": symbol, "size": 9 if named else 5},
            error_x={
                "type": "data", "symmetric": False, "color": colour if named else GREY, "thickness": 1,
                "width": 4 if named else 0,
                "array": [intervals[k][1] - values[k] for k in rows],
                "arrayminus": [values[k] - intervals[k][0] for k in rows],
            },
            text=[texts[k] for k in rows], hovertemplate="%{text}: %{x:.2f}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(
        autorange="reversed", tickmode="array", tickvals=list(range(len(names))) if named else [], ticktext=texts,
        showgrid=named,
    )  # fmt: skip
    figure.update_layout(showlegend=any(anchors))
    return figure
