"""Detection: curves and intervals against hand-made cases, scikit-learn and tables."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pipeline.metrics.detection import (
    area,
    calibration_error,
    counts,
    equal_error_rate,
    fit_temperature,
    poisson_interval,
    reliability,
    roc,
    share_interval,
)


def test_counts_and_what_follows_from_them() -> None:
    found = counts([0.9, 0.8, 0.4, 0.7, 0.1], [True, True, True, False, False], 0.5)
    assert (found.true_positives, found.false_positives, found.true_negatives, found.false_negatives) == (2, 1, 1, 1)
    assert (found.accuracy, found.precision, found.recall) == (3 / 5, 2 / 3, 2 / 3)
    assert (found.f1, found.fpr, found.fnr) == (pytest.approx(2 / 3), 1 / 2, 1 / 3)
    assert counts([], [], 0.5).precision is None


def test_curve_as_scikit_learn_has_it() -> None:
    draw = np.random.default_rng(0)
    truth = draw.random(500) < 0.3
    scores = draw.normal(size=500) + truth
    curve = roc(scores, truth)
    assert area(curve) == pytest.approx(roc_auc_score(truth, scores))
    # scikit-learn standardises the partial area (McClish 1989); ours is the mean recall up to there.
    low, high = 0.1**2 / 2, 0.1
    standardised = 0.5 * (1 + (area(curve, 0.1) * 0.1 - low) / (high - low))
    assert standardised == pytest.approx(roc_auc_score(truth, scores, max_fpr=0.1))


def test_equal_error_rate() -> None:
    assert equal_error_rate(roc([3.0, 2.0, 1.0, 0.0], [True, True, False, False])) == 0.0
    assert equal_error_rate(roc([3.0, 1.5, 2.0, 0.0], [True, True, False, False])) == pytest.approx(0.5)
    draw = np.random.default_rng(0)
    truth = np.arange(20_000) < 10_000
    found = equal_error_rate(roc(draw.normal(size=20_000) + 2.0 * truth, truth))
    assert found == pytest.approx(0.1587, abs=0.01), "two normal classes two deviations apart: Phi(-1)"
    with pytest.raises(ValueError, match="both classes"):
        roc([1.0], [True])


def test_poisson_interval_as_in_tables() -> None:
    assert poisson_interval(0, 1.0) == (0.0, pytest.approx(3.689, abs=1e-3))
    low, high = poisson_interval(10, 2.0)
    assert (low, high) == (pytest.approx(4.795 / 2, abs=1e-3), pytest.approx(18.390 / 2, abs=1e-3))


def test_share_interval_as_in_tables() -> None:
    assert share_interval(0, 10) == (0.0, pytest.approx(0.3085, abs=1e-4))


def test_temperature_mends_what_was_made_too_sure() -> None:
    draw = np.random.default_rng(0)
    honest = draw.normal(0, 2, 20_000)
    truth = draw.random(20_000) < 1 / (1 + np.exp(-honest))
    assert fit_temperature(honest * 3.0, truth) == pytest.approx(3.0, rel=0.05)
    before, after = (reliability(1 / (1 + np.exp(-honest * k)), truth) for k in (3.0, 1.0))
    assert calibration_error(after) < 0.01 < 0.05 < calibration_error(before)
    assert sum(one.n for one in after) == 20_000


def test_a_temperature_from_few_examples_makes_no_detector_surer_than_they_can_show() -> None:
    """All of the class have one logit, so that its log odds are those of Platt's targets: 39 to 1, 121 to 1."""
    logits = np.r_[np.full(38, 6.0), np.full(120, -6.0)]
    log_odds = 6.0 / fit_temperature(logits, logits > 0)
    assert np.log(39.0) < log_odds < np.log(121.0)
    assert 6.0 / fit_temperature([6.0, -6.0], [True, False]) == pytest.approx(np.log(2.0), rel=1e-3)
