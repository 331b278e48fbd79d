"""Do scorer and experts put recordings into the same verbal bands?"""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from pipeline.metrics.bands import band_agreement, experts_in_bands
from pipeline.records import BANDS, band_of

NUMBER = {band.key: place for place, band in enumerate(reversed(BANDS))}


def levels(scores: np.ndarray) -> list[int]:
    return [NUMBER[band_of(float(score)).key] for score in scores]


@pytest.mark.parametrize("seed", range(3))
def test_kappa_agrees_with_scikit_learn(seed: int) -> None:
    draw = np.random.default_rng(seed)
    truth = np.clip(draw.normal(78, 14, 80), 0, 100).round()
    guess = np.clip(truth + draw.normal(0, 8, 80), 0, 100)
    found = band_agreement(truth, guess, [str(k // 8) for k in range(80)])
    assert found.kappa == pytest.approx(cohen_kappa_score(levels(truth), levels(guess), weights="quadratic"))
    assert found.interval is not None
    assert found.interval[0] < found.kappa < found.interval[1]
    assert found.n == 80


def test_bounds_belong_to_the_band_above() -> None:
    assert band_agreement([60, 70, 80, 90, 59.9], [65, 75, 85, 95, 0], list("abcde")).kappa == pytest.approx(1.0)


def test_one_band_alone_and_one_speaker() -> None:
    assert band_agreement([95, 96], [97, 98], ["a", "b"]).kappa is None
    assert band_agreement([95, 65], [97, 68], ["a", "a"]).interval is None
    with pytest.raises(ValueError, match="three of a length"):
        band_agreement([95], [97, 98], ["a"])


def test_each_expert_is_compared_with_the_others() -> None:
    draw = np.random.default_rng(4)
    truth = draw.uniform(40, 100, 60)
    near, far = (np.clip(truth[:, None] + draw.normal(0, s, (60, 2)), 0, 100) for s in (2, 30))
    found = experts_in_bands(np.column_stack([near, far[:, 0]]))
    assert len(found) == 3
    assert min(found[:2]) > found[2]
    median = np.median(np.column_stack([near[:, 1], far[:, 0]]), axis=1)
    assert found[0] == pytest.approx(cohen_kappa_score(levels(median), levels(near[:, 0]), weights="quadratic"))
    assert experts_in_bands([]) == ()
