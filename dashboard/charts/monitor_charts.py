"""Figures of the Monitor page: table -> plotly figure, pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dashboard.charts.base import BLUE, GREY, ORANGE, SCORE_RANGE, VERMILION, empty_figure, literals

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from pipeline.monitoring.drift import Drift
    from pipeline.monitoring.outcomes import Calibration

FEW_DAYS = 8  # fewer stand side by side: an axis of time would show hours between them
COLOURS = {"steady": BLUE, "moderate": ORANGE, "large": VERMILION, "unknown": GREY}


def by_day(days: Sequence[str], values: Sequence[float | None], label: str, x_label: str = "Day") -> Figure:
    """A value a day; days without one leave a gap."""
    figure = empty_figure(x_label, label, height=300)
    figure.add_scatter(
        x=list(days), y=list(values), mode="lines+markers", line={"color": BLUE}, showlegend=False,
        hovertemplate="%{x}: %{y:.4g}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(type="date" if len(days) >= FEW_DAYS else "category")
    return figure.update_yaxes(rangemode="tozero")


def binned_scores(counts: Sequence[int]) -> Figure:
    """How often each stretch of the scale was answered; the bins are equal parts of 0-100."""
    width = 100 / max(1, len(counts))
    figure = empty_figure("Score (0-100)", "Predictions", x_range=SCORE_RANGE, height=300)
    figure.add_bar(
        x=[width * (number + 0.5) for number in range(len(counts))], y=list(counts), width=width * 0.95,
        marker_color=BLUE, hovertemplate="about %{x:.0f}: %{y}<extra></extra>", showlegend=False,
    )  # fmt: skip
    return figure


def drift(found: Sequence[Drift]) -> Figure:
    """PSI of features as horizontal bars in the colour of their verdict, the largest on top, with the usual limits."""
    from pipeline.monitoring.drift import LARGE, MODERATE

    ranked = list(found)[::-1]
    figure = empty_figure("PSI", "", height=max(300, 22 * len(ranked) + 80))
    figure.add_bar(
        x=[one.psi or 0.0 for one in ranked], y=literals(one.name for one in ranked), orientation="h",
        marker_color=[COLOURS[one.verdict] for one in ranked], showlegend=False,
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )  # fmt: skip
    for limit, name in ((MODERATE, "moderate"), (LARGE, "large")):
        figure.add_vline(x=limit, line={"color": GREY, "dash": "dot", "width": 1}, annotation_text=name)
    return figure


def sides(a: Sequence[float], b: Sequence[float]) -> Figure:
    """Each learner's mean error on their side of a comparison, with quartiles and the mean (dashed)."""
    figure = empty_figure("Mean error of a learner (points)", "", height=240)
    for name, errors, colour in (("b", b, ORANGE), ("a", a, BLUE)):
        figure.add_box(
            x=list(errors), name=name, orientation="h", boxpoints="all", jitter=0.4, pointpos=0, boxmean=True,
            marker={"color": colour, "size": 6, "opacity": 0.6}, line={"width": 1.5}, showlegend=False,
        )  # fmt: skip
    return figure.update_xaxes(rangemode="tozero")


def confidence(bins: Sequence[Calibration]) -> Figure:
    """The share within 10 points of what people said against the confidence, with 95 % intervals and the identity."""
    figure = empty_figure("Confidence", "Within 10 points", x_range=(0, 1), y_range=(0, 1), height=300)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": GREY, "dash": "dash"}, hoverinfo="skip", showlegend=False
    )
    figure.add_scatter(
        x=[one.confidence for one in bins], y=[one.share for one in bins], mode="lines+markers", showlegend=False,
        marker={"size": 8, "color": BLUE}, customdata=[one.n for one in bins],
        error_y={
            "array": [one.interval[1] - one.share for one in bins],
            "arrayminus": [one.share - one.interval[0] for one in bins], "color": GREY,
        },
        hovertemplate="%{y:.0%} at %{x:.0%}, n %{customdata}<extra></extra>",
    )  # fmt: skip
    return figure
