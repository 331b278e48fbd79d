"""Metrics against hand-worked cases, scipy and scikit-learn; intervals that behave like intervals."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from pipeline.metrics.bootstrap import interval, resample_weights
from pipeline.metrics.correlation import pearson, spearman
from pipeline.metrics.human_ceiling import bland_altman, leave_one_out
from pipeline.metrics.regression import TARGETS, regression_metrics


@pytest.fixture
def scores() -> tuple[np.ndarray, np.ndarray, list[str]]:
    generator = np.random.default_rng(3)
    expert = generator.uniform(20, 100, 400).round()
    predicted = np.clip(expert + generator.normal(2, 9, 400), 0, 100)
    return expert, predicted, [f"s{i // 20}" for i in range(400)]


def test_hand_worked() -> None:
    found = regression_metrics([10, 20, 30, 40], [12, 17, 30, 51], n_boot=0)
    assert found.mae == pytest.approx(4.0)
    assert found.rmse == pytest.approx(np.sqrt((4 + 9 + 0 + 121) / 4))
    assert found.bias == pytest.approx(2.5)
    assert found.r2 == pytest.approx(1 - 134 / 500)
    assert (found.within_5, found.within_10, found.n) == (0.75, 0.75, 4)


def test_against_scipy_and_sklearn(scores: tuple[np.ndarray, np.ndarray, list[str]]) -> None:
    expert, predicted, _ = scores
    found = regression_metrics(expert, predicted)
    assert found.mae == pytest.approx(sk.mean_absolute_error(expert, predicted))
    assert found.rmse == pytest.approx(sk.root_mean_squared_error(expert, predicted))
    assert found.r2 == pytest.approx(sk.r2_score(expert, predicted))
    assert found.pcc == pytest.approx(stats.pearsonr(expert, predicted).statistic)
    assert found.spearman == pytest.approx(stats.spearmanr(expert, predicted).statistic)


def test_intervals_hold_the_figure_and_agree_with_scipy(scores: tuple[np.ndarray, np.ndarray, list[str]]) -> None:
    expert, predicted, _ = scores
    found = regression_metrics(expert, predicted, n_boot=4000)
    for name, (low, high) in found.intervals.items():
        assert low <= getattr(found, name) <= high
    error = np.abs(predicted - expert)
    theirs = stats.bootstrap((error,), np.mean, n_resamples=4000, method="percentile", rng=1).confidence_interval
    assert found.intervals["mae"] == pytest.approx((theirs.low, theirs.high), abs=0.06)


def test_drawing_speakers_widens_the_interval_where_speakers_differ() -> None:
    generator = np.random.default_rng(0)
    speakers = [f"s{i // 50}" for i in range(500)]
    offset = np.repeat(generator.normal(0, 10, 10), 50)
    expert = generator.uniform(40, 90, 500)
    predicted = expert + offset + generator.normal(0, 2, 500)
    by_item = regression_metrics(expert, predicted).intervals["bias"]
    by_speaker = regression_metrics(expert, predicted, speakers=speakers).intervals["bias"]
    assert by_speaker[1] - by_speaker[0] > 3 * (by_item[1] - by_item[0])


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        error = generator.normal(1.0, 3.0, 80)
        low, high = regression_metrics(np.full(80, 50.0), 50.0 + error, n_boot=400).intervals["bias"]
        hits += low <= 1.0 <= high
    assert 176 <= hits <= 200


@pytest.mark.parametrize(
    ("expert", "predicted"), [([], []), ([1.0, 2.0], [1.0, 2.0]), ([5.0, 5.0, 5.0], [1.0, 2.0, 3.0])]
)
def test_what_is_undefined_is_none(expert: list[float], predicted: list[float]) -> None:
    found = regression_metrics(expert, predicted)
    assert found.n == len(expert)
    assert found.pcc is None
    assert found.r2 is None


@pytest.mark.parametrize(("expert", "predicted"), [([1, 2, 3], [1, 2]), ([1, 2, 3], [1, 2, float("nan")])])
def test_bad_input_is_refused(expert: list[float], predicted: list[float]) -> None:
    with pytest.raises(ValueError, match=r"length|finite"):
        regression_metrics(expert, predicted)


def test_pearson_survives_large_means_and_spearman_ties() -> None:
    x = np.array([1.0, 2.0, 3.0, 5.0]) + 1e9
    y = np.array([1.0, 3.0, 2.0, 6.0]) + 1e9
    assert pearson(x, y) == pytest.approx(stats.pearsonr(x - 1e9, y - 1e9).statistic, abs=1e-6)
    assert spearman([1, 1, 2, 3], [2, 2, 4, 9]) == pytest.approx(1.0)


def test_bland_altman_hand_worked() -> None:
    found = bland_altman([10, 20, 30], [12, 24, 36])
    assert found is not None
    assert found.bias == pytest.approx(4.0)
    assert (found.lower, found.upper) == pytest.approx((4 - 1.96 * 2, 4 + 1.96 * 2))
    assert found.mean == (11, 22, 33)
    assert bland_altman([1], [1]) is None


def test_leave_one_out_hand_worked_with_gaps() -> None:
    ratings = np.array([[1, 1, 3], [2, 2, 2], [3, 5, 3], [4, 4, np.nan]], dtype=float)
    found = leave_one_out(ratings)
    assert found is not None
    assert [m.n for m in found.raters] == [4, 4, 3]
    # rater 0 against the medians of the others: 2, 2, 4, 4
    assert found.raters[0].mae == pytest.approx((1 + 0 + 1 + 0) / 4)
    assert found.mean["mae"] == pytest.approx(np.mean([m.mae for m in found.raters]))
    assert leave_one_out(ratings[:, :1]) is None


def test_targets_name_the_level_reached() -> None:
    mae, _, r2 = TARGETS
    assert [mae.reached(v) for v in (12, 10, 9.9, 6.9, 4.9, None)] == [
        "missed", "missed", "acceptable", "good", "excellent", "missed",
    ]  # fmt: skip
    assert [r2.reached(v) for v in (0.7, 0.71, 0.81, 0.95)] == ["missed", "acceptable", "good", "excellent"]


def test_resampling_draws_whole_speakers() -> None:
    weights = resample_weights(6, ["a", "a", "b", "b", "b", "c"], n_resamples=50, seed=1)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 2] == weights[:, 4]).all()
    assert set(weights[:, [0, 2, 5]].sum(axis=1)) == {3.0}
    assert interval(np.array([np.nan] * 10 + [1.0] * 90)) is None
