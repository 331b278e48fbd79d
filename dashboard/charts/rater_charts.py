"""Who rated what, how, and how far people agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dashboard.charts.base import BLUE, GREY, ORANGE, PALETTE, PATTERNS, empty_figure, literal, literals
from pipeline.i18n import _, ngettext, number, signed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

DISTRIBUTION_HEIGHT = 240
LEGEND_ROW = 20  # pixels of one set
LONGEST_NAME = 12  # characters


def pairwise(names: Sequence[str], values: Sequence[Sequence[float | None]], label: str, *, centred: bool) -> Figure:
    """One figure for each pair of raters, row by column; `centred` colours around 0."""
    figure = empty_figure("", "", height=120 + 44 * len(names))
    texts = [["" if value is None else number(value, 2) for value in row] for row in values]
    figure.add_heatmap(
        x=literals(names), y=literals(names), z=[list(row) for row in values], text=texts, texttemplate="%{text}",
        colorscale=[[0, BLUE], [0.5, "#f4f4f4"], [1, ORANGE]] if centred else [[0, "#f4f4f4"], [1, BLUE]],
        zmid=0 if centred else None, colorbar={"title": label}, hovertemplate="%{y} – %{x}: %{text}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", **_short_names(names))
    return figure.update_xaxes(**_short_names(names))


def severities(names: Sequence[str], values: Sequence[float], intervals: Sequence[tuple[float, float]]) -> Figure:
    """How far each rater is above (lenient) or below (strict) the others' mean, with the 95 % interval."""
    figure = empty_figure(_("Points (negative: strict)"), "", height=max(240, 90 + 36 * len(names)))
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.add_scatter(
        x=list(values), y=literals(names), mode="markers", marker={"color": BLUE, "size": 9},
        error_x={
            "type": "data", "symmetric": False, "color": BLUE,
            "array": [high - value for value, (_low, high) in zip(values, intervals, strict=True)],
            "arrayminus": [value - low for value, (low, _high) in zip(values, intervals, strict=True)],
        },
        hovertemplate="%{y}: %{x:+.2f}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    return figure


def rating_distributions(ratings: Mapping[str, Sequence[float]], label: str) -> Figure:
    """How each rater uses the scale."""
    figure = empty_figure("", label, height=DISTRIBUTION_HEIGHT)
    for index, (name, values) in enumerate(ratings.items()):
        figure.add_violin(
            y=list(values), name=literal(name), line={"color": PALETTE[index % len(PALETTE)]}, box={"visible": True},
            meanline={"visible": True}, points=False, spanmode="hard", showlegend=False,
        )  # fmt: skip
    return figure.update_xaxes(**_short_names(list(ratings)))


def _short_names(names: Sequence[str]) -> dict[str, list[str]]:
    """Of an axis: long names are cut, as they would leave no room for the figure on a phone."""
    short = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…" for name in names]
    return {"tickvals": literals(names), "ticktext": literals(short)}


def pair_differences(a: Sequence[float], b: Sequence[float], names: tuple[str, str], texts: Sequence[str]) -> Figure:
    """Bland and Altman's plot of two raters on the items both rated, with bias and limits of agreement."""
    import numpy as np

    first, second = np.asarray(a), np.asarray(b)
    difference = second - first
    figure = empty_figure(_("Mean of both"), f"{names[1]} − {names[0]}")
    figure.add_scatter(
        x=(first + second) / 2, y=difference, mode="markers", marker={"color": BLUE, "size": 6, "opacity": 0.4},
        customdata=literals(texts), hovertemplate="%{customdata}<br>%{y:+.2f}<extra></extra>", showlegend=False,
    )  # fmt: skip
    bias, spread = float(difference.mean()), 1.96 * float(difference.std(ddof=1))
    for value, dash, label in (
        (bias, "solid", _("bias")),
        (bias - spread, "dot", _("−1.96 SD")),
        (bias + spread, "dot", _("+1.96 SD")),
    ):
        figure.add_hline(
            y=value, line={"color": ORANGE, "dash": dash, "width": 1.5}, annotation_text=f"{label} {signed(value, 2)}"
        )
    return figure


def coverage(sets: Sequence[str], labelled: Sequence[int], total: Sequence[int]) -> Figure:
    """Labelled and unlabelled recordings per set, as stacked bars, the first set on top."""
    figure = empty_figure(_("Recordings"), "", height=max(180, min(60 * len(sets), 24 * len(sets) + 144) + 110))
    rest = [whole - part for whole, part in zip(total, labelled, strict=True)]
    figure.add_bar(x=list(labelled), y=literals(sets), orientation="h", name=_("labelled"), marker_color=BLUE)
    figure.add_bar(
        x=rest,
        y=literals(sets),
        orientation="h",
        name=_("not labelled yet"),
        marker={"color": "rgba(138,138,138,0.45)", "pattern": {"shape": "/"}},
    )
    return _from_the_top(figure)


def ratings_by_evaluator(counts: Mapping[str, Mapping[str, int]]) -> Figure:
    """Number of ratings per rater; `counts` maps set -> rater -> ratings. Sets beyond those that have a colour of their
    own, by their ratings, are one."""
    evaluators = sorted({name for by_evaluator in counts.values() for name in by_evaluator})
    counts = _with_rest(counts)
    legend = LEGEND_ROW * len(counts) if len(counts) > 1 else 0
    figure = empty_figure(_("Ratings"), "", height=max(180, 34 * len(evaluators) + 110 + legend))
    for index, (set_name, by_evaluator) in enumerate(counts.items()):
        figure.add_bar(
            x=[by_evaluator.get(name, 0) for name in evaluators],
            y=literals(evaluators),
            orientation="h",
            name=literal(set_name),
            marker={"color": PALETTE[index % len(PALETTE)], "pattern": {"shape": PATTERNS[index % len(PATTERNS)]}},
        )
    return _from_the_top(figure)


def _with_rest(counts: Mapping[str, Mapping[str, int]]) -> Mapping[str, Mapping[str, int]]:
    if len(counts) <= len(PALETTE):
        return counts
    by_size = sorted(counts, key=lambda name: sum(counts[name].values()), reverse=True)
    kept, rest = by_size[: len(PALETTE) - 1], by_size[len(PALETTE) - 1 :]
    together: Counter[str] = Counter()
    for name in rest:
        together.update(counts[name])
    others = ngettext("{n} other set", "{n} other sets", len(rest)).format(n=number(len(rest)))
    return {**{name: counts[name] for name in kept}, others: together}


def _from_the_top(figure: Figure) -> Figure:
    """Stacked bars that begin at the top, with the legend above them: a long figure scrolls."""
    figure.update_layout(
        barmode="stack", legend={"yref": "paper", "yanchor": "bottom", "y": 1.0, "traceorder": "normal"}
    )
    return figure.update_yaxes(autorange="reversed")
