"""Curves of trainings: one run, and several compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dashboard.charts.base import (
    BLUE,
    DASHES,
    GREY,
    ORANGE,
    PALETTE,
    SKY,
    SYMBOLS,
    empty_figure,
    literal,
    log_axis,
)  # fmt: skip
from pipeline.i18n import N_, _, number, significant
from pipeline.runs.metrics import is_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from plotly.graph_objects import Figure


HEIGHT = 280  # of one of several curves in a row
FAINT = 0.3  # opacity of what is smoothed over
TALL = 300  # of the curves of several runs
AXES = {"Step": N_("Step"), "Epoch": N_("Epoch")}  # not shown


def epochs(
    metrics: Sequence[Mapping[str, Any]],
    column: str,
    label: str,
    targets: Mapping[str, float],
    *,
    smoothing: float = 0.0,
    log: bool = False,
) -> Figure:
    """One line per fold of `column` over the epoch, from rows of `metrics.jsonl`; `targets` are dashed lines.
    `smoothing` (0-1) draws moving averages, `log` a logarithmic axis."""
    import numpy as np

    figure = empty_figure(_("Epoch"), label, height=HEIGHT)
    figure.update_xaxes(tickformat="d")
    rows = [row for row in metrics if is_number(row.get(column)) and row.get("epoch") is not None]
    figure.update_yaxes(**(log_axis([row[column] for row in rows]) if log else {"rangemode": "tozero"}))
    by_fold: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_fold.setdefault(row.get("fold"), []).append(row)
    epoch = literal(_("epoch"))
    ordered = sorted(by_fold.items(), key=lambda item: (item[0] is None, str(item[0])))
    for index, (fold, points) in enumerate(ordered):
        figure.add_scatter(
            x=[row["epoch"] for row in points],
            y=smoothed(np.array([row[column] for row in points], dtype=np.float64), smoothing),
            mode="lines+markers" if len(points) < 30 else "lines",
            name=literal(_("final fit") if fold is None else _("fold {fold}").format(fold=_numbered(fold))),
            line={"color": PALETTE[index % len(PALETTE)]},
            marker={"symbol": SYMBOLS[index % len(SYMBOLS)], "size": 6},
            hovertemplate=epoch + " %{x}: %{y:.4g}<extra>%{fullData.name}</extra>",  # not shown
            showlegend=len(ordered) > 1,
        )
    # The lowest is named below its line, the others above: so two that lie close do not write over each other.
    for index, (name, value) in enumerate(sorted(targets.items(), key=lambda item: item[1])):
        figure.add_hline(
            y=value, line={"color": GREY, "dash": "dash", "width": 1},
            annotation_text=f"{literal(name)} {number(value, 0 if value >= 1 else 3)}",
            annotation_position="bottom right" if not index and len(targets) > 1 else "top right",  # not shown
        )  # fmt: skip
    if not rows and targets:
        figure.update_yaxes(range=[0.0, 1.5 * max(targets.values())])
        figure.update_xaxes(visible=False)
        figure.add_annotation(
            text=literal(_("not measured")), x=0.5, y=0.25, xref="paper", yref="paper", showarrow=False,
            font={"color": GREY},
        )  # fmt: skip
    return figure


def _numbered(fold: object) -> object:
    """Folds are counted from 0 in files, from 1 for people."""
    return fold + 1 if isinstance(fold, int) else fold


Curve = tuple["NDArray[np.float64]", "NDArray[np.float64]"]  # not shown


def steps(curve: Curve, label: str, *, most: int = 500, smoothing: float = 0.0, log: bool = False) -> Figure:
    """A value over the step, `log` on a logarithmic scale; of more than `most` points the means of neighbours, and the
    range they lie in as a band, so that a long run draws as fast and still shows its jumps. `smoothing` (0-1) draws
    moving averages, over the values in faint."""
    figure = empty_figure(_("Step"), label, height=HEIGHT)
    figure.update_yaxes(exponentformat="e", **(log_axis(curve[1]) if log else {"rangemode": "tozero"}))
    x, mean, low, high = _thinned(curve, most)
    if len(x) < len(curve[0]):
        figure.add_scatter(x=x, y=high, mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False)
        figure.add_scatter(
            x=x, y=low, mode="lines", line={"width": 0}, fill="tonexty", fillcolor="rgba(0,114,178,0.18)",
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    if smoothing:
        figure.add_scatter(
            x=x, y=mean, mode="lines", line={"color": BLUE}, opacity=FAINT, hoverinfo="skip", showlegend=False
        )
    figure.add_scatter(
        x=x,
        y=smoothed(mean, smoothing),
        mode="lines+markers" if len(x) < 30 else "lines",
        line={"color": BLUE},
        hovertemplate=literal(_("step")) + " %{x:.0f}: %{y:.4g}<extra></extra>",  # not shown
        showlegend=False,
        cliponaxis=False,  # a rate ends at 0, on the axis
    )
    return figure


def overlay(
    curves: Mapping[str, Curve],
    x_label: str,
    y_label: str,
    *,
    smoothing: float = 0.0,
    log: bool = False,
    most: int = 500,
) -> Figure:
    """Curves of several runs in one figure, told apart by colour, dash and symbol; `x_label` is Step or Epoch.
    `smoothing` (0-1) draws a moving average over the curve, which stays faintly behind it."""
    figure = empty_figure(_(AXES[x_label]) if x_label in AXES else x_label, y_label, height=TALL)
    values = [value for _x, y in curves.values() for value in y.tolist()]
    figure.update_yaxes(exponentformat="e", **(log_axis(values) if log else {}))
    for index, (name, curve) in enumerate(curves.items()):
        x, mean, _low, _high = _thinned(curve, most)
        line = {"color": PALETTE[index % len(PALETTE)], "dash": DASHES[index // len(PALETTE) % len(DASHES)]}
        if smoothing:
            figure.add_scatter(
                x=x, y=mean, mode="lines", line=line, opacity=FAINT, hoverinfo="skip", showlegend=False,
                legendgroup=literal(name),
            )  # fmt: skip
        figure.add_scatter(
            x=x,
            y=smoothed(mean, smoothing),
            mode="lines+markers" if len(x) < 30 else "lines",
            name=literal(name),
            line=line,
            marker={"symbol": SYMBOLS[index % len(SYMBOLS)], "size": 7},
            hovertemplate="%{x:.4g}: %{y:.4g}<extra>%{fullData.name}</extra>",  # not shown
            showlegend=True,
            legendgroup=literal(name),
        )
    return figure


def smoothed(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """An exponential moving average as TensorBoard draws it: each point weighs `weight` (0-1) of the one before, and
    the beginning is not pulled to zero."""
    import numpy as np

    if not weight or not len(values):
        return values
    averages, last = np.empty(len(values)), 0.0
    for index, value in enumerate(values):
        last = weight * last + (1.0 - weight) * float(value)
        averages[index] = last / (1.0 - weight ** (index + 1))
    return averages


def parallel_coordinates(
    trials: Sequence[Mapping[str, Any]], names: Sequence[str], values: Sequence[float], label: str
) -> Figure:
    """One line per trial through its settings (`trials` by `names`) to its value, the smaller the darker."""
    import plotly.graph_objects as go

    figure = empty_figure("", "", height=TALL)
    dimensions = [_dimension(name, [trial.get(name) for trial in trials]) for name in names]
    dimensions.append({"label": literal(label), "values": list(values)})
    scale = [[0.0, BLUE], [0.5, SKY], [1.0, ORANGE]]
    line = {"color": list(values), "colorscale": scale, "showscale": False}
    figure.add_trace(go.Parcoords(dimensions=dimensions, line=line))
    figure.update_layout(margin={"l": 56, "r": 40, "t": 48, "b": 40})
    return figure


def _dimension(name: str, values: Sequence[Any]) -> dict[str, Any]:
    """An axis of numbers (logarithmic where they lie over a hundredfold range), or of texts by their places."""
    from math import log10

    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        low, high = min(values), max(values)
        if low > 0 and high / low >= 100:
            ticks = sorted({low, (low * high) ** 0.5, high})
            return {
                "label": literal(name), "values": [log10(value) for value in values],
                "tickvals": [log10(tick) for tick in ticks], "ticktext": [significant(tick) for tick in ticks],
            }  # fmt: skip
        return {"label": literal(name), "values": list(values)}
    known = sorted({str(value) for value in values})
    return {
        "label": literal(name), "values": [known.index(str(value)) for value in values],
        "tickvals": list(range(len(known))), "ticktext": [literal(text) for text in known],
    }  # fmt: skip


def usage(rows: Sequence[Mapping[str, Any]], column: str, label: str) -> Figure:
    """CPU, memory or GPU of a run over time."""
    figure = empty_figure(_("Time (UTC)"), label, height=220)
    known = [row for row in rows if row.get(column) is not None]
    figure.add_scatter(
        x=[row.get("at") for row in known],
        y=[row[column] for row in known],
        mode="lines",
        line={"color": BLUE},
        fill="tozeroy",
        fillcolor="rgba(0,114,178,0.12)",
        hovertemplate="%{y:.2f}<extra></extra>",  # not shown
    )
    figure.update_xaxes(type="date", tickformat="%H:%M")  # not shown; plotly.js names months in English alone
    figure.update_yaxes(rangemode="tozero")
    return figure


def _thinned(
    curve: Curve, most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """x of the last point, mean, lowest and highest of each of at most `most` groups of neighbours."""
    import numpy as np

    x, y = curve
    group = max(1, -(-len(x) // most))
    starts = np.arange(0, len(x), group)
    if not len(starts):
        return x, y, y, y
    ends = np.minimum(starts + group, len(x))
    mean = np.add.reduceat(y, starts) / (ends - starts)
    return x[ends - 1], mean, np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
