"""Table -> plotly figure. Pure: no Streamlit, no reading. Scores are 0-100 unless an axis says otherwise.

Colours are the Okabe-Ito palette, told apart by colour-blind readers and legible on light and dark ground; where a
colour carries meaning, a symbol or a text carries it too. Backgrounds are left clear for the page's own theme.
Plotly is imported with the first figure, not with this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
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

_MODEL_STYLES = ((BLUE, "circle"), (PINK, "square"), (SKY, "triangle-up"), (VERMILION, "x"))

SCORE_RANGE = (-2, 102)
HEIGHT = 380


def predicted_against_expert(table: pd.DataFrame) -> Figure:
    """Scatter of `predicted` over `expert`, a trace a `scorer`, with the identity line and the 10-point corridor.

    Needs columns expert, predicted, scorer, scoring_method, speaker, text.
    """
    figure = empty_figure("Expert score (0-100)", "Predicted score (0-100)", x_range=SCORE_RANGE, y_range=SCORE_RANGE)
    figure.add_scatter(
        x=[0, 90, 100, 100, 10, 0],
        y=[10, 100, 100, 90, 0, 0],
        fill="toself",
        fillcolor="rgba(138,138,138,0.14)",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        name="within 10 points",
    )
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"color": GREY, "dash": "dash"}, name="identity", hoverinfo="skip"
    )
    markers = _scorer_markers(table)
    for scorer, rows in table.groupby("scorer", sort=True):
        figure.add_scatter(
            x=rows["expert"],
            y=rows["predicted"],
            mode="markers",
            name=str(scorer),
            marker=markers[str(scorer)],
            customdata=rows[["speaker", "text"]].to_numpy(),
            hovertemplate="%{customdata[1]} · %{customdata[0]}<br>expert %{x:.1f}, predicted %{y:.1f}",
        )
    return figure


def bland_altman(table: pd.DataFrame, limits: Mapping[str, tuple[float, float, float]]) -> Figure:
    """Difference (predicted - expert) over their mean; `limits` gives (bias, lower, upper) a scorer."""
    figure = empty_figure(
        "Mean of expert and predicted (0-100)", "Predicted − expert (points)", x_range=SCORE_RANGE, height=HEIGHT
    )
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    markers = _scorer_markers(table)
    for scorer, rows in table.groupby("scorer", sort=True):
        marker = markers[str(scorer)]
        figure.add_scatter(
            x=(rows["expert"] + rows["predicted"]) / 2,
            y=rows["predicted"] - rows["expert"],
            mode="markers",
            name=str(scorer),
            marker=marker,
            customdata=rows[["speaker", "text"]].to_numpy(),
            hovertemplate="%{customdata[1]} · %{customdata[0]}<br>difference %{y:+.1f}",
        )
        if scorer in limits:
            for value, dash, label in zip(
                limits[scorer], ("solid", "dot", "dot"), ("bias", "−1.96 SD", "+1.96 SD"), strict=True
            ):
                figure.add_hline(
                    y=value,
                    line={"color": marker["color"], "dash": dash, "width": 1.5},
                    annotation_text=f"{label} {value:+.1f}",
                    annotation_font_size=11,
                )
    return figure


def pairwise(names: Sequence[str], values: Sequence[Sequence[float | None]], label: str, *, centred: bool) -> Figure:
    """A figure of each pair of raters, row beside column; `centred` colours around 0."""
    figure = empty_figure("", "", height=120 + 44 * len(names))
    texts = [["" if value is None else f"{value:.2f}" for value in row] for row in values]
    figure.add_heatmap(
        x=list(names), y=list(names), z=[list(row) for row in values], text=texts, texttemplate="%{text}",
        colorscale=[[0, BLUE], [0.5, "#f4f4f4"], [1, ORANGE]] if centred else [[0, "#f4f4f4"], [1, BLUE]],
        zmid=0 if centred else None, colorbar={"title": label}, hovertemplate="%{y} and %{x}: %{text}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    return figure


def severities(names: Sequence[str], values: Sequence[float], intervals: Sequence[tuple[float, float]]) -> Figure:
    """How far each rater lies above (lenient) or below (strict) the others, with the 95 % interval."""
    figure = empty_figure("Beside the others' mean (negative: strict)", "", height=120 + 36 * len(names))
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.add_scatter(
        x=list(values), y=list(names), mode="markers", marker={"color": BLUE, "size": 9},
        error_x={
            "type": "data", "symmetric": False, "color": BLUE,
            "array": [high - value for value, (_, high) in zip(values, intervals, strict=True)],
            "arrayminus": [value - low for value, (low, _) in zip(values, intervals, strict=True)],
        },
        hovertemplate="%{y}: %{x:+.2f}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    return figure


def rating_distributions(ratings: Mapping[str, Sequence[float]], label: str) -> Figure:
    """How each rater uses the scale."""
    figure = empty_figure("", label)
    for number, (name, values) in enumerate(ratings.items()):
        figure.add_violin(
            y=list(values), name=name, line={"color": PALETTE[number % len(PALETTE)]}, box={"visible": True},
            meanline={"visible": True}, points=False, spanmode="hard", showlegend=False,
        )  # fmt: skip
    return figure


def pair_differences(a: Sequence[float], b: Sequence[float], names: tuple[str, str], texts: Sequence[str]) -> Figure:
    """Bland and Altman's plot of two raters on the items both rated, with bias and limits of agreement."""
    import numpy as np

    first, second = np.asarray(a), np.asarray(b)
    difference = second - first
    figure = empty_figure("Mean of both", f"{names[1]} − {names[0]}")
    figure.add_scatter(
        x=(first + second) / 2, y=difference, mode="markers", marker={"color": BLUE, "size": 6, "opacity": 0.4},
        customdata=list(texts), hovertemplate="%{customdata}<br>%{y:+.2f}<extra></extra>", showlegend=False,
    )  # fmt: skip
    bias, spread = float(difference.mean()), 1.96 * float(difference.std(ddof=1))
    for value, dash, label in (
        (bias, "solid", "bias"),
        (bias - spread, "dot", "−1.96 SD"),
        (bias + spread, "dot", "+1.96 SD"),
    ):
        figure.add_hline(
            y=value, line={"color": ORANGE, "dash": dash, "width": 1.5}, annotation_text=f"{label} {value:+.2f}"
        )
    return figure


def residuals_by(table: pd.DataFrame, column: str, label: str, *, most: int = 40) -> Figure:
    """Box of predicted - expert for each value of `column` (speaker, text, evaluator), the most biased first."""
    differences = table.assign(residual=table["predicted"] - table["expert"])
    order = differences.groupby(column)["residual"].median().abs().sort_values(ascending=False).index[:most]
    figure = empty_figure(label, "Predicted − expert (points)")
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    markers = _scorer_markers(table)
    for scorer, rows in differences[differences[column].isin(order)].groupby("scorer", sort=True):
        figure.add_box(
            x=rows[column].astype(str),
            y=rows["residual"],
            name=str(scorer),
            marker_color=markers[str(scorer)]["color"],
            boxpoints="outliers",
        )
    figure.update_layout(boxmode="group")
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=[str(value) for value in order])
    return figure


def calibration(table: pd.DataFrame, n_bins: int = 10) -> Figure:
    """Mean expert score (with its standard error) of the recordings in each tenth of the predictions."""
    import numpy as np

    figure = empty_figure("Predicted score (0-100)", "Expert score (0-100)", x_range=SCORE_RANGE, y_range=SCORE_RANGE)
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"color": GREY, "dash": "dash"}, name="identity", hoverinfo="skip"
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
        name="tenths of the predictions",
        customdata=[len(rows) for rows in bins],
        hovertemplate="predicted %{x:.1f}, expert %{y:.1f}, n %{customdata}",
    )
    return figure


def error_rate_against_accuracy(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Each utterance's phone error rate (%) against its accuracy (0-10), by the experts and as predicted."""
    figure = empty_figure("Accuracy (0-10)", "Phone error rate (%)", x_range=(-0.3, 10.3))
    for side, name, colour, symbol in (
        ("reference", "experts", ORANGE, "diamond"), ("predicted", "predicted", BLUE, "circle")
    ):  # fmt: skip
        figure.add_scatter(
            x=[row[side]["accuracy"] for row in rows],
            y=[100.0 * row["per"] for row in rows],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 6, "opacity": 0.45},
            customdata=[row["text"] for row in rows],
            hovertemplate="%{customdata}<br>accuracy %{x:.1f}, PER %{y:.0f} %",
        )
    return figure


def epochs(metrics: Sequence[Mapping[str, Any]], column: str, label: str, targets: Mapping[str, float]) -> Figure:
    """One line a fold of `column` over the epoch, from rows of `metrics.jsonl`; `targets` are dashed lines."""
    figure = empty_figure("Epoch", label)
    rows = [row for row in metrics if row.get(column) is not None and row.get("epoch") is not None]
    by_fold: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_fold.setdefault("final fit" if row.get("fold") is None else f"fold {row['fold']}", []).append(row)
    for number, (fold, points) in enumerate(
        sorted(by_fold.items(), key=lambda item: (item[0] == "final fit", item[0]))
    ):
        figure.add_scatter(
            x=[row["epoch"] for row in points],
            y=[row[column] for row in points],
            mode="lines+markers" if len(points) < 30 else "lines",
            name=fold,
            line={"color": PALETTE[number % len(PALETTE)]},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 6},
        )
    # The highest is named above its line, the others below: so two that lie close do not write over each other.
    for place, (name, value) in enumerate(sorted(targets.items(), key=lambda item: -item[1])):
        figure.add_hline(
            y=value, line={"color": GREY, "dash": "dash", "width": 1}, annotation_text=f"{name} {value:g}",
            annotation_position="bottom right" if place else "top right",
        )  # fmt: skip
    if not rows and targets:
        figure.update_yaxes(range=[0.0, 1.5 * max(targets.values())])
        figure.update_xaxes(visible=False)
        figure.add_annotation(
            text="could not be measured", x=0.5, y=0.25, xref="paper", yref="paper", showarrow=False,
            font={"color": GREY},
        )  # fmt: skip
    return figure


Curve = tuple["NDArray[np.float64]", "NDArray[np.float64]"]


def steps(curve: Curve, label: str, *, most: int = 500, log: bool = False) -> Figure:
    """A value over the step, `log` on a logarithmic scale; of more than `most` points the means of neighbours, and the
    range they lie in as a band, so that a long run draws as fast and still shows its jumps."""
    figure = empty_figure("Step", label)
    if log:
        figure.update_yaxes(type="log")
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
        hovertemplate="step %{x:.0f}: %{y:.4g}<extra></extra>",
        showlegend=False,
    )
    return figure


def overlay(curves: Mapping[str, Curve], x_label: str, y_label: str, *, most: int = 500) -> Figure:
    """Curves of several runs in one picture, told apart by colour, dash and symbol."""
    figure = empty_figure(x_label, y_label, height=HEIGHT + 60)
    for number, (name, curve) in enumerate(curves.items()):
        x, mean, _, _ = _thinned(curve, most)
        figure.add_scatter(
            x=x,
            y=mean,
            mode="lines+markers" if len(x) < 30 else "lines",
            name=name,
            line={"color": PALETTE[number % len(PALETTE)], "dash": DASHES[number // len(PALETTE) % len(DASHES)]},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 7},
            hovertemplate=f"%{{x:.4g}}: %{{y:.4g}}<extra>{name}</extra>",
            showlegend=True,
        )
    return figure


def usage(rows: Sequence[Mapping[str, Any]], column: str, label: str) -> Figure:
    """What a run takes of its machine, over the time."""
    figure = empty_figure("Time (UTC)", label, height=220)
    known = [row for row in rows if row.get(column) is not None]
    figure.add_scatter(
        x=[row["at"] for row in known],
        y=[row[column] for row in known],
        mode="lines",
        line={"color": BLUE},
        fill="tozeroy",
        fillcolor="rgba(0,114,178,0.12)",
        hovertemplate="%{y:.2f}<extra></extra>",
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


def importance(names: Sequence[str], values: Sequence[float], *, most: int = 20, label: str = "Importance") -> Figure:
    """The `most` important features as horizontal bars, the greatest on top."""
    ranked = sorted(zip(names, values, strict=True), key=lambda pair: pair[1], reverse=True)[:most][::-1]
    figure = empty_figure(label, "", height=max(HEIGHT, 24 * len(ranked) + 80))
    figure.add_bar(x=[value for _, value in ranked], y=[name for name, _ in ranked], orientation="h", marker_color=BLUE)
    return figure


def score_histogram(scores: Mapping[str, Sequence[float]], of: str = "Recordings") -> Figure:
    """Counts of scores in bins of five points, stacked by the kind of label (human, corpus, synthetic, mock); `of` is
    what was scored."""
    figure = empty_figure("Score (0-100)", of, x_range=(0, 100))
    for number, (name, values) in enumerate(scores.items()):
        figure.add_histogram(
            x=list(values),
            name=name,
            xbins={"start": 0, "end": 105, "size": 5},
            marker={"color": PALETTE[number % len(PALETTE)], "pattern": {"shape": PATTERNS[number % len(PATTERNS)]}},
        )
    figure.update_layout(barmode="stack", bargap=0.04)
    return figure


def coverage(sets: Sequence[str], labelled: Sequence[int], total: Sequence[int]) -> Figure:
    """Labelled and unlabelled recordings a set, as stacked bars."""
    figure = empty_figure("Recordings", "", height=max(180, 60 * len(sets) + 110))
    rest = [whole - part for whole, part in zip(total, labelled, strict=True)]
    figure.add_bar(x=list(labelled), y=list(sets), orientation="h", name="labelled", marker_color=BLUE)
    figure.add_bar(
        x=rest,
        y=list(sets),
        orientation="h",
        name="not labelled yet",
        marker={"color": "rgba(138,138,138,0.45)", "pattern": {"shape": "/"}},
    )
    figure.update_layout(barmode="stack")
    return figure


def ratings_by_evaluator(counts: Mapping[str, Mapping[str, int]]) -> Figure:
    """Number of ratings for each evaluator; `counts` maps set -> evaluator -> ratings."""
    evaluators = sorted({name for by_evaluator in counts.values() for name in by_evaluator})
    figure = empty_figure("Ratings", "", height=max(180, 34 * len(evaluators) + 110))
    for number, (set_name, by_evaluator) in enumerate(counts.items()):
        figure.add_bar(
            x=[by_evaluator.get(name, 0) for name in evaluators],
            y=evaluators,
            orientation="h",
            name=set_name,
            marker={"color": PALETTE[number % len(PALETTE)], "pattern": {"shape": PATTERNS[number % len(PATTERNS)]}},
        )
    figure.update_layout(barmode="stack")
    return figure


def attempts(numbers: Sequence[int], scores: Sequence[float | None], methods: Sequence[str]) -> Figure:
    """Scores over the number of the try, with the bands' lower bounds; tries without a score leave a gap."""
    from pipeline.records import BANDS

    figure = empty_figure("Try", "Score (0-100)", y_range=SCORE_RANGE, height=300)
    figure.add_scatter(
        x=list(numbers),
        y=list(scores),
        mode="lines+markers",
        line={"color": GREY, "width": 1},
        marker={
            "size": 10,
            "color": [METHOD_COLOURS.get(method, GREY) for method in methods],
            "symbol": [METHOD_SYMBOLS.get(method, "x") for method in methods],
        },
        connectgaps=False,
        name="score",
        showlegend=False,
    )
    for band in BANDS[:-1]:
        figure.add_hline(
            y=band.low, line={"color": GREY, "dash": "dot", "width": 1}, annotation_text=band.label.lower()
        )
    figure.update_xaxes(dtick=1 if len(numbers) < 20 else None)
    return figure


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
        title=x_title, range=x_range, gridcolor="rgba(138,138,138,0.2)", zeroline=False, automargin=True
    )
    figure.update_yaxes(
        title=y_title, range=y_range, gridcolor="rgba(138,138,138,0.2)", zeroline=False, automargin=True
    )
    return figure


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
        opacity = 0.75 if len(rows) < 300 else 0.4
        markers[str(scorer)] = {"color": colour, "symbol": symbol, "size": 7, "opacity": opacity}
    return markers
