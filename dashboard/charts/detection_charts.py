"""Figures of wake-word detectors: table -> plotly figure, pure, in the style of `charts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.charts.base import BLUE, GREEN, GREY, ORANGE, VERMILION, empty_figure, literal, literals, log_axis
from pipeline.i18n import _, ngettext, number, percent

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from plotly.graph_objects import Figure

SMALL, CURVE = 300, 320


def misses_by_alarms(points: Sequence[Mapping[str, Any]], targets: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Share of words missed over false alarms per hour, with the 95 % interval of the misses; the operating points are
    marked. No false alarm at all is drawn at the left edge."""
    ordered = _least_missed(points)
    lowest = min((p["fah"] for p in ordered if p["fah"] > 0), default=0.1) / 2
    x = [max(p["fah"], lowest) for p in ordered]
    widest = max((p["fah"] for p in points), default=lowest)
    ends = [*x[1:], max(widest, x[-1])] if x else []
    edges = [edge for step in zip(x, ends, strict=True) for edge in step]
    misses = _doubled(p["miss_rate"] for p in ordered)
    low, high = (_doubled(p["miss_interval"][side] for p in ordered) for side in (0, 1))
    figure = empty_figure(_("False alarms per hour"), _("Words missed (%)"), height=CURVE)
    figure.update_xaxes(**log_axis(edges))
    highest = max((100 * point["miss_interval"][1] for point in targets.values()), default=100.0)
    figure.update_yaxes(range=(0, min(102.0, 1.5 * highest + 1.0)))
    figure.add_scatter(
        x=[*edges, *edges[::-1]], y=[*high, *low[::-1]], mode="lines", line={"width": 0}, fill="toself",
        fillcolor="rgba(0,114,178,0.25)", hoverinfo="skip", name=_("95% interval"),
    )  # fmt: skip
    figure.add_scatter(
        x=edges, y=misses, mode="lines", line={"color": BLUE}, name=_("this detector"),
        hovertemplate="%{x:.2f}: %{y:.1f} %<extra></extra>",
    )  # fmt: skip
    marked: dict[tuple[float, float], list[str]] = {}  # targets may share a point
    for name, point in targets.items():
        marked.setdefault((max(point["fah"], lowest), 100 * point["miss_rate"]), []).append(f"≤ {rate_text(name)}")
    figure.add_scatter(
        x=[fah for fah, _miss in marked], y=[miss for _fah, miss in marked], mode="markers+text",
        marker={"color": ORANGE, "symbol": "diamond", "size": 10}, name=_("operating points"),
        text=[", ".join(names) for names in marked.values()], textposition="top right",  # not shown
        hovertemplate="%{text}: %{y:.1f} %<extra></extra>",
    )  # fmt: skip
    return figure


def _doubled(shares: Iterable[float]) -> list[float]:
    """In percent, each for both ends of a step."""
    return [100 * share for share in shares for _end in range(2)]


def _least_missed(points: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """From no false alarm on, the points that miss less than all with fewer: at a higher threshold there can be more
    false alarms, too, where the lockout after a detection hides fewer of them."""
    kept: list[Mapping[str, Any]] = []
    for point in sorted(points, key=lambda point: (point["fah"], point["miss_rate"])):
        if not kept or point["miss_rate"] < kept[-1]["miss_rate"]:
            kept.append(point)
    return kept


def rate_text(target: str | float) -> str:
    """False alarms per hour, which are the keys of an evaluation's operating points."""
    rate = float(target)
    return number(rate, 1 if round(rate, 1) == rate else 2)


def rate_range(rates: Sequence[float], losses: Sequence[float], suggested: float) -> Figure:
    """The smoothed loss over a rising learning rate, and the rate to use."""
    figure = empty_figure(_("Learning rate"), _("Training loss"), height=SMALL)
    figure.update_xaxes(**log_axis(rates))
    figure.update_yaxes(rangemode="tozero")
    figure.add_scatter(
        x=list(rates), y=list(losses), mode="lines", line={"color": BLUE}, showlegend=False,
        hovertemplate="%{x:.2e}: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=suggested, line={"color": ORANGE, "dash": "dash"})
    place = float(np.log10(suggested))  # of annotations, where the axis is logarithmic
    figure.add_annotation(x=place, y=1, yref="paper", text=f"{suggested:.1e}", showarrow=False, xanchor="left")
    return figure


def receiver(points: Sequence[tuple[float, float]], auc: float) -> Figure:
    """True over false positive rate, of single words and background files."""
    figure = empty_figure(_("Other clips accepted (%)"), _("Words detected (%)"), height=SMALL)
    figure.add_scatter(
        x=[100 * fpr for fpr, _tpr in points], y=[100 * tpr for _fpr, tpr in points], mode="lines",
        line={"color": BLUE}, name=_("area {area}").format(area=number(auc, 4)),
        hovertemplate="%{x:.1f} %, %{y:.1f} %<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"color": GREY, "dash": "dash"}, name=_("chance"), hoverinfo="skip"
    )
    return figure


def detection_error(points: Sequence[tuple[float, float]]) -> Figure:
    """Misses over false positives on normal deviates, where two normal classes make a straight line."""
    from scipy.stats import norm

    inside = [(fpr, 1 - tpr) for fpr, tpr in points if 0 < fpr < 1 and 0 < tpr < 1]
    figure = empty_figure(_("Other clips accepted (%)"), _("Words missed (%)"), height=SMALL)
    if not inside:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False,
            text=_("No errors to draw."),
        )  # fmt: skip
        return figure.update_xaxes(showticklabels=False, range=(0, 1)).update_yaxes(showticklabels=False, range=(0, 1))
    figure.add_scatter(
        x=[norm.ppf(fpr) for fpr, _miss in inside], y=[norm.ppf(miss) for _fpr, miss in inside],
        mode="lines+markers",
        line={"color": BLUE}, marker={"size": 4}, showlegend=False,
        text=[f"{percent(fpr, 2)}, {percent(miss, 1)}" for fpr, miss in inside],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    shares = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    ticks = {
        "tickvals": [norm.ppf(s) for s in shares],
        "ticktext": [number(100 * s, 1 if s < 0.01 else 0) for s in shares],
    }
    return figure.update_xaxes(**ticks).update_yaxes(**ticks)


def reliability_bars(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Figure:
    """Accuracy over confidence, before and after temperature scaling; a calibrated detector lies on the line."""
    figure = empty_figure(_("Confidence (%)"), _("Accuracy (%)"), x_range=(0, 102), y_range=(0, 102), height=SMALL)
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"color": GREY, "dash": "dash"}, name=_("calibrated"),
        hoverinfo="skip",
    )  # fmt: skip
    for name, bins, colour, symbol in ((_("before"), before, ORANGE, "diamond"), (_("after"), after, BLUE, "circle")):
        filled = [bin_ for bin_ in bins if bin_["n"]]
        figure.add_scatter(
            x=[100 * bin_["confidence"] for bin_ in filled], y=[100 * bin_["accuracy"] for bin_ in filled],
            mode="lines+markers", line={"color": colour}, marker={"symbol": symbol, "size": 8}, name=name,
            text=[ngettext("{n} clip", "{n} clips", bin_["n"]).format(n=number(bin_["n"])) for bin_ in filled],
            hovertemplate="%{text}: %{y:.0f} %<extra></extra>",
        )  # fmt: skip
    return figure


def confusion(counts: Mapping[str, int]) -> Figure:
    """The four counts at the operating point."""
    figure = empty_figure("", "", height=SMALL)
    rows = [
        [counts["true_positives"], counts["false_negatives"]], [counts["false_positives"], counts["true_negatives"]]
    ]  # fmt: skip
    shares = [[value / max(1, sum(row)) for value in row] for row in rows]
    texts = [
        [f"{number(n)}<br>{percent(share, 1)}" for n, share in zip(*pair, strict=True)]
        for pair in zip(rows, shares, strict=True)
    ]
    figure.add_heatmap(
        x=[_("detected"), _("not detected")], y=[_("the word"), _("other speech")], z=shares, zmin=0, zmax=1,
        showscale=False,
        colorscale=[[0, "#f4f4f4"], [1, BLUE]], texttemplate="%{text}", hoverinfo="skip",
        text=texts,
    )  # fmt: skip
    return figure.update_yaxes(autorange="reversed")


def score_trace(
    ends_s: Sequence[float], scores: Sequence[float], detected_s: Sequence[float], threshold: float
) -> Figure:
    """The score of each window when it ended, the threshold, and the detections."""
    figure = empty_figure(_("Seconds"), _("Score (logit)"), height=SMALL)
    figure.add_scatter(
        x=list(ends_s), y=list(scores), mode="lines", line={"color": BLUE}, name=_("score"),
        hovertemplate="%{x:.1f} s: %{y:.1f}<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=threshold, line={"color": GREY, "dash": "dash"}, annotation_text=_("threshold"))
    if detected_s:
        figure.add_scatter(
            x=list(detected_s), y=[threshold] * len(detected_s), mode="markers", name=_("detected"),
            marker={"color": VERMILION, "symbol": "star", "size": 14},
            hovertemplate="%{x:.1f} s<extra></extra>",
        )  # fmt: skip
    return figure


def robustness_bars(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Words detected and other clips accepted, one row per condition."""
    names = literals(row["condition"] for row in rows)
    figure = empty_figure(_("Share (%)"), "", x_range=(0, 102), height=90 + 22 * len(rows))
    for label, share, interval, colour, symbol in (
        (_("words detected"), "recall", "recall_interval", GREEN, "circle"),
        (_("other clips accepted"), "false_share", "false_interval", VERMILION, "x"),
    ):
        figure.add_scatter(
            x=[100 * row[share] for row in rows], y=names, mode="markers", name=label,
            marker={"color": colour, "symbol": symbol, "size": 8},
            error_x={
                "type": "data", "symmetric": False, "thickness": 1,
                "array": [100 * (row[interval][1] - row[share]) for row in rows],
                "arrayminus": [100 * (row[share] - row[interval][0]) for row in rows],
            },
            hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
        )  # fmt: skip
    return figure.update_yaxes(autorange="reversed")


def log_mel_image(frames: NDArray[np.float32], hop_s: float) -> Figure:
    """Features [frames, bins] over time, low bins below."""
    figure = empty_figure(_("Seconds"), _("Bin"), height=190)
    figure.add_heatmap(
        x=np.arange(len(frames)) * hop_s,
        z=frames.T,
        showscale=False,
        colorscale="Viridis",  # not shown
        hoverinfo="skip",
    )
    return figure


def feature_bands(statistics: Mapping[str, Any]) -> Figure:
    """Mean of each band of the features by class, with a standard deviation to both sides (`mean` and `std` [bins])."""
    figure = empty_figure(_("Band"), _("Log energy"), height=CURVE)
    for (name, of_class), colour in zip(statistics.items(), (GREEN, BLUE, VERMILION), strict=False):
        x = np.arange(len(of_class.mean))
        low, high = of_class.mean - of_class.std, of_class.mean + of_class.std
        figure.add_scatter(
            x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), mode="lines", line={"width": 0},
            fill="toself", fillcolor=colour, opacity=0.12, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        figure.add_scatter(
            x=x,
            y=of_class.mean,
            mode="lines",
            line={"color": colour},
            name=literal(name),
            hovertemplate="%{x}: %{y:.1f}<extra>%{fullData.name}</extra>",  # not shown
        )
    return figure
