"""Figures of the Practise page: table -> plotly figure, pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING

from dashboard.charts.base import (
    BLUE,
    GREY,
    METHOD_COLOURS,
    METHOD_SYMBOLS,
    ORANGE,
    SCORE_RANGE,
    empty_figure,
    stacked_figure,
)
from pipeline.i18n import _, ngettext, number
from pipeline.i18n import day as day_name
from pipeline.practice.bands import BAND_NAMES
from pipeline.practice.sounds import known_sound
from pipeline.records import whole_points

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from pipeline.practice.comparison import AlignedComparison
    from pipeline.practice.progress import Day, Sound

FRAME_S = 0.01
FLOOR_DB = 60.0  # under the loudest, in spectrograms
HEIGHT = 300
FEWEST_BETWEEN_NAMES = 1 / 3  # of the days shown: more names run into each other on a phone


def comparison(aligned: AlignedComparison, *, warped: bool) -> Figure:
    """Envelopes, spectrograms and melodies of both; `warped` puts mine on the reference's time."""
    import numpy as np

    mine = aligned.warped if warped else aligned.mine
    figure = stacked_figure((0.2, 0.25, 0.25, 0.3), height=560)
    you, reference = _("you"), _("reference")
    for side, name, colour, dash, sign in (
        (mine, you, BLUE, "solid", 1), (aligned.reference, reference, ORANGE, "dot", -1)
    ):  # fmt: skip
        times = np.arange(len(side.level_db)) * FRAME_S
        figure.add_scatter(
            x=times, y=sign * 10 ** ((side.level_db - side.level_db.max()) / 20), row=1, col=1, mode="lines",
            fill="tozeroy", line={"color": colour, "width": 1}, name=name, legendgroup=name, hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=times, y=side.semitones, row=4, col=1, mode="lines", connectgaps=False, name=name, legendgroup=name,
            showlegend=False, line={"color": colour, "width": 3, "dash": dash},
        )  # fmt: skip
    for row, side, name in ((2, mine, you), (3, aligned.reference, reference)):
        figure.add_heatmap(
            z=np.maximum(side.mel_db.T, side.mel_db.max() - FLOOR_DB), x=np.arange(len(side.level_db)) * FRAME_S,
            row=row, col=1, colorscale="Cividis", showscale=False, hoverinfo="skip",  # not shown
        )  # fmt: skip
        figure.update_yaxes(title=name, row=row, col=1, showticklabels=False)
    for stretch in aligned.slow:
        start, end = stretch.reference if warped else stretch.mine
        figure.add_vrect(start, end, row=1, col=1, fillcolor=GREY, opacity=0.25, line_width=0)
    figure.update_yaxes(title=_("level"), range=(-1.05, 1.05), showticklabels=False, row=1, col=1)
    figure.update_yaxes(title=_("semitones"), row=4, col=1)
    figure.update_xaxes(title=_("Time of the reference (s)") if warped else _("Time (s)"), row=4, col=1)
    return figure


def by_day(days: Sequence[Day]) -> Figure:
    """Mean and best score of each day, the number of attempts as the marker's size."""
    figure = empty_figure("", _("Score (0-100)"), y_range=SCORE_RANGE, height=HEIGHT)
    dates = [day.day.isoformat() for day in days]
    names = [day_name(datetime.combine(day.day, time())) for day in days]
    most = max(day.n for day in days)
    counts = [
        ngettext("{day}: {score}, {n} attempt", "{day}: {score}, {n} attempts", day.n).format(
            day=name, score=_("not scored") if day.mean is None else number(whole_points(day.mean)), n=number(day.n)
        )
        for day, name in zip(days, names, strict=True)
    ]
    figure.add_scatter(
        x=dates, y=[day.best for day in days], mode="lines+markers", name=_("best of the day"), hoverinfo="skip",
        line={"color": GREY, "dash": "dot"}, marker={"symbol": "diamond"},
    )  # fmt: skip
    figure.add_scatter(
        x=dates, y=[day.mean for day in days], mode="lines+markers", name=_("average of the day"),
        line={"color": BLUE}, marker={"size": [8 + 12 * day.n / most for day in days]}, text=counts,
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    named = _spaced([day.day.toordinal() for day in days])
    figure.update_xaxes(
        type="date", tickvals=[dates[i] for i in named], ticktext=[names[i] for i in named], tickangle=0
    )
    return figure


def _spaced(ordinals: Sequence[int]) -> list[int]:
    """Which days to name: the last one, and going back those that are far enough from the next."""
    least = FEWEST_BETWEEN_NAMES * (ordinals[-1] - ordinals[0])
    chosen = [len(ordinals) - 1]
    for index in range(len(ordinals) - 2, -1, -1):
        if ordinals[chosen[-1]] - ordinals[index] >= least:
            chosen.append(index)
    return chosen[::-1]


def by_sound(sounds: Sequence[Sound]) -> Figure:
    """Mean score of each phone, the weakest first; where there are enough attempts, a diamond for the later half."""
    figure = empty_figure(_("Sound"), _("Average score (0-100)"), y_range=SCORE_RANGE, height=HEIGHT)
    known = [known_sound(sound.phone) for sound in sounds]
    names = [sound.shown for sound in known]
    words = [
        (
            ngettext(
                "{sound} as in {example}: {score}, {n} time", "{sound} as in {example}: {score}, {n} times", sound.n
            )
            if shown.example
            else ngettext("{sound}: {score}, {n} time", "{sound}: {score}, {n} times", sound.n)
        ).format(sound=shown.shown, example=shown.example, score=number(whole_points(sound.mean)), n=number(sound.n))
        for sound, shown in zip(sounds, known, strict=True)
    ]
    figure.add_bar(
        x=names, y=[sound.mean for sound in sounds], marker={"color": BLUE}, name=_("all attempts"), text=words,
        textposition="none", hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=names, y=[sound.after for sound in sounds], mode="markers", name=_("later half"), hoverinfo="skip",
        marker={"color": ORANGE, "symbol": "diamond", "size": 9},
    )  # fmt: skip
    return figure


def attempts(numbers: Sequence[int], scores: Sequence[float | None], methods: Sequence[str]) -> Figure:
    """Scores over the number of the attempt, with the bands' lower bounds; attempts without a score leave a gap."""
    from pipeline.records import BANDS

    figure = empty_figure(_("Attempt"), _("Score (0-100)"), y_range=SCORE_RANGE, height=HEIGHT)
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
        text=["" if score is None else number(whole_points(score)) for score in scores],
        hovertemplate="%{x}: %{text}<extra></extra>",
        name=_("score"),
        showlegend=False,
    )
    for band in BANDS[:-1]:
        figure.add_hline(
            y=band.low, line={"color": GREY, "dash": "dot", "width": 1}, annotation_text=_(BAND_NAMES[band.key])
        )
    figure.update_xaxes(dtick=1 if len(numbers) < 20 else None)
    return figure
