"""Figures of the Monitor page: table -> plotly figure, pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from dashboard.charts.base import BLUE, GREY, HEIGHT, LOW, ORANGE, SCORE_RANGE, VERMILION, empty_figure, literals
from pipeline.i18n import _, day, language, percent

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from pipeline.monitoring.drift import Drift
    from pipeline.monitoring.outcomes import Calibration

FEW_DAYS = 8  # fewer stand side by side: an axis of time would show hours between them
MOST_TICKS = 6
COLOURS = {"steady": BLUE, "moderate": ORANGE, "large": VERMILION, "unknown": GREY}


def by_day(days: Sequence[str], values: Sequence[float | None], label: str, x_label: str | None = None) -> Figure:
    """One value per day (ISO dates); days without one leave a gap."""
    from babel.dates import format_skeleton

    figure = empty_figure(x_label or _("Day"), label, height=LOW)
    dates = [date.fromisoformat(name) for name in days]
    figure.add_scatter(
        x=list(days), y=list(values), mode="lines+markers", line={"color": BLUE}, showlegend=False,
        customdata=[day(datetime.combine(d, time())) for d in dates],
        hovertemplate="%{customdata}: %{y:.4g}<extra></extra>",
    )  # fmt: skip
    # Plotly knows the names of months in English only.
    marked = dates[:: -(-len(dates) // MOST_TICKS)] if dates else []
    figure.update_xaxes(
        type="date" if len(days) >= FEW_DAYS else "category",
        tickvals=[d.isoformat() for d in marked],
        ticktext=[format_skeleton("MMMd", d, locale=language()) for d in marked],
    )
    return figure.update_yaxes(rangemode="tozero")


def binned_scores(counts: Sequence[int]) -> Figure:
    """Numbers of predictions per score bin; the bins are equal parts of 0-100."""
    width = 100 / max(1, len(counts))
    figure = empty_figure(_("Score (0-100)"), _("Predictions"), x_range=SCORE_RANGE, height=LOW)
    figure.add_bar(
        x=[width * (number + 0.5) for number in range(len(counts))], y=list(counts), width=width * 0.95,
        marker_color=BLUE, hovertemplate="%{x:.0f}: %{y}<extra></extra>", showlegend=False,
    )  # fmt: skip
    return figure


def drift(features: Sequence[Drift]) -> Figure:
    """PSI of features as horizontal bars in the colour of their verdict, the largest on top, with the usual limits."""
    from pipeline.monitoring.drift import LARGE, MODERATE

    ranked = list(features)[::-1]
    figure = empty_figure("PSI", "", height=max(HEIGHT, 22 * len(ranked) + 80))
    figure.add_bar(
        x=[feature.psi or 0.0 for feature in ranked], y=literals(feature.name for feature in ranked), orientation="h",
        marker_color=[COLOURS[feature.verdict] for feature in ranked], showlegend=False,
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )  # fmt: skip
    for limit, name in ((MODERATE, _("moderate")), (LARGE, _("large"))):
        figure.add_vline(x=limit, line={"color": GREY, "dash": "dot", "width": 1}, annotation_text=name)
    return figure


def arms(a: Sequence[float], b: Sequence[float]) -> Figure:
    """The mean absolute error of each learner by arm of a comparison, with quartiles and the mean (dashed)."""
    figure = empty_figure(_("Mean absolute error per learner (points)"), "", height=240)
    for name, errors, colour in (("b", b, ORANGE), ("a", a, BLUE)):
        figure.add_box(
            x=list(errors), name=name, orientation="h", boxpoints="all", jitter=0.4, pointpos=0, boxmean=True,
            marker={"color": colour, "size": 6, "opacity": 0.6}, line={"width": 1.5}, showlegend=False,
        )  # fmt: skip
    return figure.update_xaxes(rangemode="tozero")


def confidence(bins: Sequence[Calibration]) -> Figure:
    """The share within 10 points of people's scores against the confidence, with 95 % intervals and the identity."""
    figure = empty_figure(_("Confidence"), _("Within 10 points"), x_range=(0, 1), y_range=(0, 1), height=LOW)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": GREY, "dash": "dash"}, hoverinfo="skip", showlegend=False
    )
    figure.add_scatter(
        x=[part.confidence for part in bins], y=[part.share for part in bins], mode="lines+markers", showlegend=False,
        marker={"size": 8, "color": BLUE},
        customdata=[[percent(part.confidence), percent(part.share), part.n] for part in bins],
        error_y={
            "array": [part.interval[1] - part.share for part in bins],
            "arrayminus": [part.share - part.interval[0] for part in bins], "color": GREY,
        },
        hovertemplate="%{customdata[0]} → %{customdata[1]}, n %{customdata[2]}<extra></extra>",
    )  # fmt: skip
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(tickvals=ticks, ticktext=[percent(tick) for tick in ticks])
    return figure
