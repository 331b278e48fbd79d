"""Drift of distributions, and the Monitor page over the log of predictions."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pipeline.deployment.prediction_log import PredictionLog
from pipeline.monitoring.drift import of_counts, of_values, psi
from pipeline.records import ScoreResult, Target
from pipeline.settings import Settings


def test_stability_index_by_hand() -> None:
    assert psi([50, 50], [50, 50]) == 0.0
    assert psi([50, 50], [80, 20]) == pytest.approx(0.3 * np.log(1.6) - 0.3 * np.log(0.4))
    assert np.isfinite(psi([100, 0], [0, 100]))


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, "steady"), (0.45, "moderate"), (1.5, "large")])
def test_values_that_moved(shift: float, verdict: str) -> None:
    draw = np.random.default_rng(0)
    before, now = draw.normal(size=4000), draw.normal(size=3000) + shift
    found = of_values("f0", before, np.append(now, np.nan))
    assert (found.verdict, found.n) == (verdict, 3000)
    assert found.ks == pytest.approx(stats.ks_2samp(before, now).statistic)
    assert found.p_value is not None
    assert (found.p_value < 0.01) is (shift > 0)


def test_counts_agree_with_values_where_bins_are_fine() -> None:
    draw = np.random.default_rng(0)
    before, now = draw.normal(60, 10, 3000), draw.normal(63, 10, 2000)
    edges = np.linspace(0, 100, 401)
    found = of_counts("score", np.histogram(before, edges)[0], np.histogram(now, edges)[0])
    exact = stats.ks_2samp(before, now)
    assert found.ks == pytest.approx(exact.statistic, abs=0.005)
    assert found.p_value is not None
    assert np.log(found.p_value) == pytest.approx(np.log(exact.pvalue), rel=0.2)


def test_too_few_values_say_nothing() -> None:
    assert of_values("x", np.zeros(49), np.zeros(1000)).verdict == "unknown"
    assert of_counts("x", [10, 10], [1000]).psi is None


def test_the_page_shows_predictions(open_page: Callable[..., Any], settings: Settings) -> None:
    page = open_page("monitor")
    assert not page.exception
    assert any("No predictions in this period" in str(element.value) for element in page.markdown)
    log = PredictionLog(settings)
    now = datetime.now(UTC).timestamp()
    for number in range(120):
        score = None if number % 10 == 0 else 50.0 + number / 4
        result = ScoreResult(score, None, "ml_model", "acoustic57", "m1", Target("ev"), milliseconds=15.0)
        log.add(result, at=now - 86_400 * (number % 4))
    page = open_page("monitor")
    assert not page.exception
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown["Predictions"] == "120"
    assert shown["Not scored"] == "10.0%"
    assert shown["95 % latency"] == "up to 20 ms"
    assert any("PSI" in str(element.value) for element in page.markdown)
    assert len(page.dataframe[0].value) == 50
