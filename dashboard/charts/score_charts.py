"""Predicted scores against experts', feature importances, distributions of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log10
from typing import TYPE_CHECKING, Any

from dashboard.charts.base import (
    BLUE,
    GREY,
    HEIGHT,
    METHOD_COLOURS,
    METHOD_SYMBOLS,
    ORANGE,
    PALETTE,
    PATTERNS,
    PINK,
    SCORE_RANGE,
    SKY,
    VERMILION,
    empty_figure,
    error_range,
    literal,
    literals,
    log_axis,
)
from pipeline.i18n import N_, _, number

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

EXPERT_SCORE = N_("Expert score (0-100)")
PREDICTED_SCORE = N_("Predicted score (0-100)")
ERROR = N_("Predicted − expert (points)")
SCORE_BINS = 20
NEAR_PCC = 0.005  # two points that near are one to the eye

_MODEL_STYLES = ((BLUE, "circle"), (PINK, "square"), (SKY, "triangle-up"), (VERMILION, "x"))


def predicted_against_expert(table: pd.DataFrame) -> Figure:
    """Scatter of `predicted` over `expert`, one trace per `scorer`, with the identity line and the 10-point corridor.

    Needs columns expert, predicted, scorer, scoring_method, speaker, text.
    """
    figure = empty_figure(_(EXPERT_SCORE), _(PREDICTED_SCORE), x_range=SCORE_RANGE, y_range=SCORE_RANGE)
    figure.add_scatter(
        x=[0, 90, 100, 100, 10, 0],
        y=[10, 100, 100, 90, 0, 0],
        fill="toself",
        fillcolor="rgba(138,138,138,0.14)",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        name=_("within 10 points"),
    )
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"color": GREY, "dash": "dash"}, name=_("identity"), hoverinfo="skip"
    )
    markers = _scorer_markers(table)
    for scorer, rows in table.groupby("scorer", sort=True):
        figure.add_scatter(
            x=rows["expert"],
            y=rows["predicted"],
            mode="markers",
            name=literal(scorer),
            marker=markers[str(scorer)],
            customdata=rows[["speaker", "text"]].map(literal).to_numpy(),
            hovertemplate="%{customdata[1]} · %{customdata[0]}<br>"  # not shown
            + literal(_("expert {expert}, predicted {predicted}").format(expert="%{x:.1f}", predicted="%{y:.1f}")),
        )
    return figure


def bland_altman(table: pd.DataFrame, limits: Mapping[str, tuple[float, float, float]]) -> Figure:
    """Difference (predicted - expert) over their mean; `limits` gives (bias, lower, upper) by scorer."""
    figure = empty_figure(
        _("Mean of expert and predicted (0-100)"), _(ERROR), x_range=SCORE_RANGE,
        y_range=error_range(table["predicted"] - table["expert"]),
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    markers = _scorer_markers(table)
    for index, (scorer, rows) in enumerate(table.groupby("scorer", sort=True)):
        marker = markers[str(scorer)]
        figure.add_scatter(
            x=(rows["expert"] + rows["predicted"]) / 2,
            y=rows["predicted"] - rows["expert"],
            mode="markers",
            name=literal(scorer),
            marker=marker,
            customdata=rows[["speaker", "text"]].map(literal).to_numpy(),
            hovertemplate="%{customdata[1]} · %{customdata[0]}<br>"  # not shown
            + literal(_("difference {points}").format(points="%{y:+.1f}")),
        )
        if str(scorer) in limits:
            for value, dash, label in zip(
                limits[str(scorer)], ("solid", "dot", "dot"), (_("bias"), "−1.96 SD", "+1.96 SD"), strict=True
            ):
                figure.add_hline(
                    y=value,
                    line={"color": marker["color"], "dash": dash, "width": 1.5},
                    annotation_text=f"{label} {'+' if value > 0 else ''}{number(value, 1)}",
                    annotation_position=("top right", "top left", "top")[index % 3],  # not shown
                    annotation_font={"size": 11, "color": marker["color"]},
                )
    return figure


def residuals_by(table: pd.DataFrame, column: str, label: str, *, most: int = 40) -> Figure:
    """Box of predicted - expert for each value of `column` (speaker, text, rater), the most biased first."""
    differences = table.assign(residual=table["predicted"] - table["expert"])
    order = differences.groupby(column)["residual"].median().abs().sort_values(ascending=False).index[:most]
    figure = empty_figure(label, _(ERROR), y_range=error_range(differences["residual"]))
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    markers = _scorer_markers(table)
    for scorer, rows in differences[differences[column].isin(order)].groupby("scorer", sort=True):
        figure.add_box(
            x=rows[column].map(literal),
            y=rows["residual"],
            name=literal(scorer),
            marker_color=markers[str(scorer)]["color"],
            boxpoints="outliers",
        )
    figure.update_layout(boxmode="group")
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=literals(order))
    return figure


def calibration(table: pd.DataFrame, n_bins: int = 10) -> Figure:
    """Mean expert score (with its standard error) of the recordings in each tenth of the predictions."""
    import numpy as np

    figure = empty_figure(_(PREDICTED_SCORE), _(EXPERT_SCORE), x_range=SCORE_RANGE, y_range=SCORE_RANGE)
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"color": GREY, "dash": "dash"}, name=_("identity"), hoverinfo="skip"
    )
    ordered = table.sort_values("predicted")
    parts = [part for part in np.array_split(np.arange(len(ordered)), min(n_bins, len(ordered))) if len(part)]
    bins = [ordered.iloc[part] for part in parts]
    figure.add_scatter(
        x=[rows["predicted"].mean() for rows in bins],
        y=[rows["expert"].mean() for rows in bins],
        error_y={"array": [rows["expert"].sem() if len(rows) > 1 else 0.0 for rows in bins], "color": GREY},
        mode="lines+markers",
        marker={"color": BLUE, "size": 8},
        line={"color": BLUE},
        name=_("tenths of the predictions"),
        customdata=[len(rows) for rows in bins],
        hovertemplate=literal(
            _("predicted {predicted}, expert {expert}, n {n}").format(
                predicted="%{x:.1f}", expert="%{y:.1f}", n="%{customdata}"
            )
        ),
    )
    return figure


def error_rate_against_accuracy(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Each utterance's phone error rate (%) against its accuracy (0-10), by the experts and as predicted."""
    figure = empty_figure(_("Accuracy (0-10)"), _("Phone error rate (%)"), x_range=(-0.3, 10.3))
    for side, name, colour, symbol in (
        ("reference", _("experts"), ORANGE, "diamond"), ("predicted", _("predicted"), BLUE, "circle")
    ):  # fmt: skip
        figure.add_scatter(
            x=[row[side]["accuracy"] for row in rows],
            y=[100.0 * row["per"] for row in rows],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 6, "opacity": 0.45},
            customdata=literals(row["text"] for row in rows),
            hovertemplate="%{customdata}<br>"  # not shown
            + literal(_("accuracy {accuracy}, PER {per} %").format(accuracy="%{x:.1f}", per="%{y:.0f}")),
        )
    return figure


def quality_against_size(systems: Sequence[Mapping[str, Any]], people: float | None) -> Figure:
    """PCC of the total against the megabytes of all weights. Each of `systems` has a `name`, `total`, `size_mb`,
    `at_least` (drawn as an arrow) and `ours`; the line is one expert against the others."""
    figure = empty_figure(_("Size (MB, logarithmic)"), _("Total (PCC)"))
    for ours, name, colour, symbol in (
        (True, _("here"), BLUE, "circle"), (False, _("published"), ORANGE, "diamond")
    ):  # fmt: skip
        points = _joined([row for row in systems if row["ours"] == ours])
        figure.add_scatter(
            x=[row["size_mb"] for row in points],
            y=[row["total"] for row in points],
            mode="markers+text",
            name=name,
            text=literals(row["name"] for row in points),
            # Towards the middle, so that no label leaves a narrow screen; below where a better one is close by.
            textposition=[
                "bottom right" if ours else f"{'bottom' if _is_under_another(row, points) else 'top'} left"  # not shown
                for row in points
            ],
            marker={
                "color": colour, "size": 11,
                "symbol": ["triangle-right" if row["at_least"] else symbol for row in points],
            },
            hovertemplate="%{text}<br>" + literal(_("{size} MB, PCC {pcc}").format(size="%{x:,.0f}", pcc="%{y:.3f}"))
            + "<extra></extra>",
        )  # fmt: skip
    sizes = [row["size_mb"] for row in systems]
    if sizes:
        figure.update_xaxes(log_axis([min(sizes) / 2, 2 * max(sizes)]), range=_log_range(sizes))
    if people is not None:
        figure.add_hline(
            y=people, line={"color": GREY, "dash": "dash"}, annotation_text=literal(_("one expert")),
            annotation_position="bottom left",  # not shown
        )  # fmt: skip
    return figure


def _log_range(values: Sequence[float]) -> tuple[float, float]:
    return log10(min(values)) - 0.3, log10(max(values)) + 0.3


def _joined(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Systems at nearly the same place share a point and a label."""
    joined: list[dict[str, Any]] = []
    for row in rows:
        same = [j for j in joined if j["size_mb"] == row["size_mb"] and abs(j["total"] - row["total"]) < NEAR_PCC]
        if same:
            same[0]["name"] += f", {row['name']}"
        else:
            joined.append(dict(row))
    return sorted(joined, key=lambda row: bool(row["at_least"]))  # the legend has the first one's symbol


def _is_under_another(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> bool:
    return any(0 < other["total"] - row["total"] < 4 * NEAR_PCC for other in rows)


def importance(names: Sequence[str], values: Sequence[float], *, most: int = 20, label: str | None = None) -> Figure:
    """The `most` important features as horizontal bars, the greatest on top."""
    ranked = sorted(zip(names, values, strict=True), key=lambda pair: pair[1], reverse=True)[:most][::-1]
    figure = empty_figure(label or _("Importance"), "", height=max(HEIGHT, 24 * len(ranked) + 80))
    figure.add_bar(
        x=[value for _name, value in ranked],
        y=literals(name for name, _value in ranked),
        orientation="h",
        marker_color=BLUE,
    )
    return figure


def score_histogram(scores: Mapping[str, Sequence[float]], of: str | None = None) -> Figure:
    """Counts of scores in bins of five points, the highest with 100, stacked by the kind of label (human, corpus,
    synthetic, mock); `of` names what was scored."""
    import numpy as np

    figure = empty_figure(_("Score (0-100)"), of or _("Recordings"), x_range=SCORE_RANGE)
    for index, (name, values) in enumerate(scores.items()):
        counts, edges = np.histogram(values, bins=SCORE_BINS, range=(0, 100))
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=0.96 * 100 / SCORE_BINS,
            name=literal(name),
            marker={"color": PALETTE[index % len(PALETTE)], "pattern": {"shape": PATTERNS[index % len(PATTERNS)]}},
            customdata=[f"{number(low)}–{number(high)}" for low, high in pairwise(edges)],
            hovertemplate="%{customdata}: %{y}",
        )
    return figure.update_layout(barmode="stack")


def _scorer_markers(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """A colour and a symbol for each scorer: the heuristic always orange diamonds, models from blue circles on."""
    markers: dict[str, dict[str, Any]] = {}
    models = 0
    for scorer, rows in table.groupby("scorer", sort=True):
        if rows["scoring_method"].iloc[0] == "heuristic":
            colour, symbol = METHOD_COLOURS["heuristic"], METHOD_SYMBOLS["heuristic"]
        else:
            colour, symbol = _MODEL_STYLES[models % len(_MODEL_STYLES)]
            models += 1
        opacity = 0.85 if len(rows) < 300 else 0.5
        markers[str(scorer)] = {"color": colour, "symbol": symbol, "size": 7, "opacity": opacity}
    return markers
