"""Curves of trainings: one run, and several compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dashboard.charts.base import BLUE, DASHES, GREY, PALETTE, SYMBOLS, empty_figure, literal, log_axis
from pipeline.i18n import N_, _, number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from plotly.graph_objects import Figure


HEIGHT = 280  # of one of several curves in a row
TALL = 300  # of the curves of several runs
AXES = {"Step": N_("Step"), "Epoch": N_("Epoch")}  # not shown


def epochs(metrics: Sequence[Mapping[str, Any]], column: str, label: str, targets: Mapping[str, float]) -> Figure:
    """One line per fold of `column` over the epoch, from rows of `metrics.jsonl`; `targets` are dashed lines."""
    figure = empty_figure(_("Epoch"), label, height=HEIGHT)
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(tickformat="d")
    rows = [row for row in metrics if row.get(column) is not None and row.get("epoch") is not None]
    by_fold: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_fold.setdefault(row.get("fold"), []).append(row)
    epoch = literal(_("epoch"))
    ordered = sorted(by_fold.items(), key=lambda item: (item[0] is None, str(item[0])))
    for index, (fold, points) in enumerate(ordered):
        figure.add_scatter(
            x=[row["epoch"] for row in points],
            y=[row[column] for row in points],
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


def steps(curve: Curve, label: str, *, most: int = 500, log: bool = False) -> Figure:
    """A value over the step, `log` on a logarithmic scale; of more than `most` points the means of neighbours, and the
    range they lie in as a band, so that a long run draws as fast and still shows its jumps."""
    figure = empty_figure(_("Step"), label, height=HEIGHT)
    figure.update_yaxes(exponentformat="e", **(log_axis(curve[1]) if log else {"rangemode": "tozero"}))
    x, mean, low, high = _thinned(curve, most)
    if len(x) < len(curve[0]):
        figure.add_scatter(x=x, y=high, mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False)
        figure.add_scatter(
            x=x, y=low, mode="lines", line={"width": 0}, fill="tonexty", fillcolor="rgba(0,114,178,0.18)",
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    figure.add_scatter(
        x=x,
        y=mean,
        mode="lines+markers" if len(x) < 30 else "lines",
        line={"color": BLUE},
        hovertemplate=literal(_("step")) + " %{x:.0f}: %{y:.4g}<extra></extra>",  # not shown
        showlegend=False,
    )
    return figure


def overlay(curves: Mapping[str, Curve], x_label: str, y_label: str, *, most: int = 500) -> Figure:
    """Curves of several runs in one figure, told apart by colour, dash and symbol; `x_label` is Step or Epoch."""
    figure = empty_figure(_(AXES[x_label]) if x_label in AXES else x_label, y_label, height=TALL)
    figure.update_yaxes(exponentformat="e")
    for index, (name, curve) in enumerate(curves.items()):
        x, mean, _low, _high = _thinned(curve, most)
        figure.add_scatter(
            x=x,
            y=mean,
            mode="lines+markers" if len(x) < 30 else "lines",
            name=literal(name),
            line={"color": PALETTE[index % len(PALETTE)], "dash": DASHES[index // len(PALETTE) % len(DASHES)]},
            marker={"symbol": SYMBOLS[index % len(SYMBOLS)], "size": 7},
            hovertemplate="%{x:.4g}: %{y:.4g}<extra>%{fullData.name}</extra>",  # not shown
            showlegend=True,
        )
    return figure


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
