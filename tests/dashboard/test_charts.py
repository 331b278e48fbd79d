"""The figures hold exactly the data they were given, and name their axes with units."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dashboard.charts import (
    base,
    detection_charts,
    monitor_charts,
    practice_charts,
    rater_charts,
    run_charts,
    score_charts,
)
from dashboard.charts.base import stacked_figure
from pipeline.i18n import significant, speaking


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "recording_id": ["a", "b", "a", "b"],
            "speaker": ["s1", "s2", "s1", "s2"],
            "text": ["araba", "ev", "araba", "ev"],
            "expert": [80.0, 50.0, 80.0, 50.0],
            "predicted": [70.0, 55.0, 60.0, 60.0],
            "scorer": ["acoustic57", "acoustic57", "heuristic", "heuristic"],
            "scoring_method": ["ml_model", "ml_model", "heuristic", "heuristic"],
        }
    )


def traces(figure, kind: str) -> dict[str, object]:
    return {trace.name: trace for trace in figure.data if trace.type == kind}


def test_scatter_has_a_trace_for_each_scorer_and_the_identity_line(table: pd.DataFrame) -> None:
    found = traces(score_charts.predicted_against_expert(table), "scatter")
    assert list(found["acoustic57"].x) == [80.0, 50.0]
    assert list(found["acoustic57"].y) == [70.0, 55.0]
    assert list(found["heuristic"].y) == [60.0, 60.0]
    assert list(found["identity"].x) == list(found["identity"].y) == [0, 100]


def test_scorers_differ_in_symbol_as_well_as_colour(table: pd.DataFrame) -> None:
    second = table.assign(scorer=table["scorer"] + "-b")
    found = traces(score_charts.predicted_against_expert(pd.concat([table, second[:2]])), "scatter")
    models = [found[name].marker for name in ("acoustic57", "acoustic57-b", "heuristic")]
    assert len({marker.symbol for marker in models}) == len({marker.color for marker in models}) == 3


def test_bland_altman_plots_differences_over_means_with_its_limits(table: pd.DataFrame) -> None:
    figure = score_charts.bland_altman(table, {"acoustic57": (-2.5, -23.0, 18.0)})
    found = traces(figure, "scatter")["acoustic57"]
    assert list(found.x) == [75.0, 52.5]
    assert list(found.y) == [-10.0, 5.0]
    assert {shape.y0 for shape in figure.layout.shapes} == {0, -2.5, -23.0, 18.0}


def test_residuals_put_the_most_biased_first(table: pd.DataFrame) -> None:
    figure = score_charts.residuals_by(table, "speaker", "Participant")
    assert figure.layout.xaxis.categoryarray == ("s1", "s2")
    assert list(traces(figure, "box")["heuristic"].y) == [-20.0, 10.0]


def test_epochs_draw_one_line_per_fold_and_the_targets() -> None:
    rows = [{"fold": fold, "epoch": epoch, "val_mae": 10 - fold - epoch} for fold in (0, 1) for epoch in (1, 2)]
    figure = run_charts.epochs(
        [*rows, {"fold": 0, "message": "no epoch here"}], "val_mae", "MAE (points)", {"good": 7.0}
    )
    found = traces(figure, "scatter")
    assert list(found["fold 1"].y) == [9, 8]
    assert list(found["fold 2"].y) == [8, 7]
    assert [shape.y0 for shape in figure.layout.shapes] == [7.0]


def test_long_curves_are_thinned_to_means_and_their_range() -> None:
    step = np.arange(1.0, 10_002.0)
    figure = run_charts.steps((step, step % 2), "Loss", most=500)
    high, low, mean = figure.data
    assert len(mean.x) <= 500
    assert mean.x[-1] == 10_001
    assert mean.y[0] == pytest.approx(0.5, abs=0.03)
    assert (set(high.y), set(low.y)) == ({1.0}, {0.0})
    (short,) = run_charts.steps((step[:3], step[:3] % 2), "Loss").data
    assert list(short.y) == [1.0, 0.0, 1.0]
    assert len(run_charts.steps((step[:0], step[:0]), "Loss").data[0].x) == 0
    raw, smooth = run_charts.steps((step[:3], step[:3] % 2), "Loss", smoothing=0.5).data
    assert raw.opacity == run_charts.FAINT
    assert smooth.y.tolist() == run_charts.smoothed(raw.y, 0.5).tolist()


def test_runs_laid_over_each_other_can_be_told_apart() -> None:
    curve = (np.arange(3.0), np.arange(3.0))
    figure = run_charts.overlay({f"run {n}": curve for n in range(9)}, "Epoch", "Total")
    styles = {(trace.line.color, trace.line.dash) for trace in figure.data}
    assert len(styles) == 9
    assert [trace.name for trace in figure.data] == [f"run {n}" for n in range(9)]


def test_smoothing_is_a_moving_average_that_does_not_begin_at_zero() -> None:
    values = np.array([10.0, 10.0, 20.0])
    assert run_charts.smoothed(values, 0.0).tolist() == values.tolist()
    # (0.5 * 10 + 20 - 10 ...): weights 1/7, 2/7 and 4/7 of a half-life of one.
    assert run_charts.smoothed(values, 0.5).tolist() == pytest.approx([10.0, 10.0, (10 + 20 + 80) / 7])
    curve = (np.array([1.0, 2.0, 3.0]), values)
    figure = run_charts.overlay({"one": curve}, "Epoch", "Loss", smoothing=0.5, log=True)
    raw, smooth = figure.data
    assert (raw.opacity, raw.showlegend, smooth.showlegend) == (run_charts.FAINT, False, True)
    assert raw.y.tolist() == values.tolist()
    assert figure.layout.yaxis.type == "log"


def test_trials_are_lines_through_their_settings_to_their_error() -> None:
    trials = [{"rate": 1e-4, "depth": 2, "kind": "a"}, {"rate": 1e-1, "depth": 4, "kind": "b"}]
    figure = run_charts.parallel_coordinates(trials, ["rate", "depth", "kind"], [9.0, 8.0], "Error")
    (parallel,) = figure.data
    assert [dimension.label for dimension in parallel.dimensions] == ["rate", "depth", "kind", "Error"]
    rate, depth, kind, error = parallel.dimensions
    assert list(rate.values) == [-4.0, -1.0], "a thousandfold range is logarithmic"
    assert list(depth.values) == [2, 4]
    assert (list(kind.values), list(kind.ticktext)) == ([0, 1], ["a", "b"])
    assert list(error.values) == [9.0, 8.0]


def test_usage_leaves_out_what_was_not_measured() -> None:
    rows = [{"at": "2026-01-01T00:00:00Z", "cpu": 1.5, "gpu": None}, {"at": "2026-01-01T00:00:10Z", "cpu": 0.5}]
    assert list(run_charts.usage(rows, "cpu", "Cores").data[0].y) == [1.5, 0.5]
    assert len(run_charts.usage(rows, "gpu", "GPU").data[0].y) == 0
    assert run_charts.usage(rows, "cpu", "Cores").layout.xaxis.tickformat == "%H:%M", "no month in English"


def test_size_is_drawn_on_a_logarithmic_axis_and_systems_at_one_place_share_a_label() -> None:
    def system(name: str, total: float, size_mb: float, at_least: bool = False, ours: bool = False) -> dict[str, Any]:
        return {"name": name, "total": total, "size_mb": size_mb, "at_least": at_least, "ours": ours}

    figure = score_charts.quality_against_size(
        [
            system("here, 39 MB", 0.822, 39.0, ours=True),
            system("A", 0.830, 4000.0, True),
            system("B", 0.829, 4000.0, True),
            system("C", 0.821, 24_000.0),
        ],
        0.795,
    )
    here, published = figure.data
    assert (list(here.x), list(here.y)) == ([39.0], [0.822])
    assert list(published.text) == ["C", "A, B"]
    assert list(published.marker.symbol) == ["diamond", "triangle-right"], "an arrow: at least so large"
    assert list(published.textposition) == ["bottom left", "top left"]
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.shapes[0].y0 == 0.795


def test_importance_shows_the_greatest_on_top() -> None:
    figure = score_charts.importance(["a", "b", "c"], [0.1, 0.7, 0.2], most=2)
    assert list(figure.data[0].y) == ["c", "b"]
    assert list(figure.data[0].x) == [0.2, 0.7]


def test_coverage_adds_up_to_the_whole() -> None:
    labelled, rest = rater_charts.coverage(["demo", "other"], [3, 0], [5, 7]).data
    assert [a + b for a, b in zip(labelled.x, rest.x, strict=True)] == [5, 7]
    heights = [rater_charts.coverage([f"s{n}" for n in range(k)], [0] * k, [1] * k).layout.height for k in (2, 4, 14)]
    assert heights == [230, 350, 590], "many sets take less room each"


def test_ratings_by_evaluator_fill_missing_ones_with_zero() -> None:
    figure = rater_charts.ratings_by_evaluator({"one": {"ada": 2}, "two": {"can": 5}})
    assert [list(trace.x) for trace in figure.data] == [[2, 0], [0, 5]]


def test_long_names_of_raters_leave_room_for_the_figure() -> None:
    names = ["Ayşe", "Abdurrahman <b>Çelebioğlu</b>"]
    heat = rater_charts.pairwise(names, [[None, 1.0], [-1.0, None]], "Bias", centred=True)
    violins = rater_charts.rating_distributions({name: [50.0, 60.0] for name in names}, "Score")
    for figure in (heat, violins):
        assert list(figure.layout.xaxis.ticktext) == ["Ayşe", "Abdurrahman…"]
        assert list(figure.layout.xaxis.tickvals) == ["Ayşe", "Abdurrahman &lt;b&gt;Çelebioğlu&lt;/b&gt;"]


def test_ratings_of_many_sets_are_those_of_the_largest_and_of_the_others_together() -> None:
    counts = {f"set {n}": {"ada": n, "can": 1} for n in range(12)}
    figure = rater_charts.ratings_by_evaluator(counts)
    assert [trace.name for trace in figure.data] == [*(f"set {n}" for n in range(11, 5, -1)), "6 other sets"]
    assert sum(trace.x[0] for trace in figure.data) == sum(range(12))
    assert list(figure.data[-1].x) == [sum(range(6)), 6]
    assert figure.layout.height > rater_charts.ratings_by_evaluator({"one": {"ada": 2, "can": 1}}).layout.height


def test_histogram_keeps_every_score() -> None:
    figure = score_charts.score_histogram({"human": [1.0, 99.0, 100.0], "synthetic": [50.0]})
    human, synthetic = figure.data
    assert (human.x[0], human.y[0]) == (2.5, 1)
    assert (human.x[-1], human.y[-1], human.customdata[-1]) == (97.5, 2, "95–100")
    assert sum(synthetic.y) == 1
    low, high = figure.layout.xaxis.range
    assert low <= 0
    assert high > 100  # so that 100 is named too


def test_a_try_without_a_score_is_a_gap_not_a_zero() -> None:
    figure = practice_charts.attempts([1, 2, 3], [50.0, None, 70.0], ["heuristic", "none", "ml_model"])
    assert figure.data[0].y == (50.0, None, 70.0)
    assert figure.data[0].connectgaps is False


def test_every_score_axis_names_its_unit(table: pd.DataFrame) -> None:
    for figure in (
        score_charts.predicted_against_expert(table),
        score_charts.bland_altman(table, {}),
        score_charts.residuals_by(table, "text", "Word"),
    ):
        titles = figure.layout.xaxis.title.text + figure.layout.yaxis.title.text
        assert "0-100" in titles or "points" in titles


def test_decimal_marks_follow_the_language(table: pd.DataFrame) -> None:
    for language, marks in (("en", ".,"), ("tr", ",.")):
        with speaking(language):
            assert score_charts.predicted_against_expert(table).layout.separators == marks
            assert stacked_figure((0.5, 0.5), height=200).layout.separators == marks
            assert significant(0.0254) == f"0{marks[0]}025" and significant(1.5e-5) == f"1{marks[0]}5e-05"


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ((1.6, 2.9), ["2.0", "2.5"]), ((0.031, 0.034), ["0.031", "0.032", "0.033", "0.034"]), ((3.0, 3.0), []),
        ((0.8, 30.0), ["1", "2", "5", "10", "20"]),
    ],
)  # fmt: skip
def test_a_narrow_logarithmic_axis_has_ticks_too(values: tuple[float, float], ticks: list[str]) -> None:
    axis = base.log_axis(values)
    inside = zip(axis["tickvals"], axis["ticktext"], strict=True)
    assert [text for value, text in inside if values[0] <= value <= values[1]] == ticks


def test_every_figure_is_made_where_the_decimal_mark_is_set() -> None:
    makers = [
        path.name
        for path in Path(base.__file__).parent.glob("*.py")
        if re.search(r"go\.Figure\(|make_subplots\(", path.read_text(encoding="utf-8"))
    ]
    assert makers == ["base.py"]


def test_ticks_in_words_have_the_decimal_mark_of_the_language() -> None:
    trials = [{"rate": 1e-5}, {"rate": 0.25}]
    with speaking("tr"):
        rate = run_charts.parallel_coordinates(trials, ["rate"], [1.0, 2.0], "Error").data[0].dimensions[0]
    assert rate.ticktext == ("1e-05", "0,0016", "0,25")


def test_error_axes_reach_as_far_above_zero_as_below(table: pd.DataFrame) -> None:
    for figure in (score_charts.bland_altman(table, {}), score_charts.residuals_by(table, "speaker", "Speaker")):
        low, high = figure.layout.yaxis.range
        assert low == -high
        assert high == 30


def test_days_are_named_in_the_language() -> None:
    days = [f"2026-01-{day:02}" for day in range(1, 11)]
    with speaking("tr"):
        figure = monitor_charts.by_day(days, [1.0] * 10, "n")
    assert figure.layout.xaxis.ticktext[0] == "1 Oca"
    assert figure.data[0].customdata[0] == "1 Oca 2026"


def test_fewer_misses_are_never_reached_with_fewer_alarms_than_they_take() -> None:
    counted = [(0.0, 0.96), (3.2, 0.9), (3.2, 0.8), (0.0, 0.7), (0.0, 0.28), (3.2, 0.06), (6.5, 0.06), (9.7, 0.04)]
    points = [{"fah": fah, "miss_rate": miss, "miss_interval": (miss / 2, (1 + miss) / 2)} for fah, miss in counted]
    band, curve, marked = detection_charts.misses_by_alarms(points, {"0.5": points[4]}).data
    assert list(curve.x) == [1.6, 3.2, 3.2, 9.7, 9.7, 9.7], "as many alarms as it takes, then fewer misses"
    assert list(curve.y) == pytest.approx([28, 28, 6, 6, 4, 4])
    assert (marked.x[0], marked.y[0]) == (curve.x[0], curve.y[0])
    assert list(band.x[:6]) == list(curve.x) and list(band.y[6:]) == pytest.approx([2, 2, 3, 3, 14, 14])
    assert detection_charts.misses_by_alarms([], {}).data[1].x in ((), None)
