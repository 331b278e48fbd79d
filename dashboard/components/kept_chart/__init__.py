"""A chart that stays where it was zoomed to while it is drawn anew, as the curves of a running training are.

Streamlit makes a new element of a chart whose data have changed. A Components v2 component beside it tells the server
which part is shown, and the next figure is drawn with these axes.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import state
from dashboard.components.player import no_op

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

FOLDER = Path(__file__).parent
NAME = "pronlab_kept_chart"


def kept_chart(figure: "Figure", *, key: str, revision: str) -> None:
    """Draw it; the zoom is kept as long as `revision` (what the axes mean, whose data they show) stays the same."""
    zoom = state.component_value(f"{key}-zoom", "zoom")
    if isinstance(zoom, dict) and zoom.get("revision") == revision:
        for axis, update in (("x", figure.update_xaxes), ("y", figure.update_yaxes)):
            span = zoom.get(axis)
            if isinstance(span, list) and len(span) == 2 and all(isinstance(end, int | float) for end in span):
                update(range=span, autorange=False)
    with st.container(gap=None):
        st.plotly_chart(figure, key=key)
        _component()(key=f"{key}-zoom", data={"chart": key, "revision": revision}, on_zoom_change=no_op)


@cache
def _component() -> Any:
    js = (FOLDER / "kept_chart.js").read_text(encoding="utf-8")
    return st.components.v2.component(NAME, html='<div class="kept-chart"></div>', js=js)  # not shown
