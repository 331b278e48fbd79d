"""The figures of a pronunciation scorer, against hand-worked cases and scipy."""

import numpy as np
import pytest
from scipy import stats

from pipeline.metrics.pronunciation import (
    LONG_STRESS,
    UtterancePair,
    correlation,
    pronunciation_metrics,
    utterance_per,
)
from pipeline.phones import UNKNOWN


def test_correlation_agrees_with_scipy() -> None:
    draw = np.random.default_rng(0)
    truth = draw.normal(size=60)
    guess = truth + draw.normal(size=60)
    found = correlation(truth, guess, [str(n // 3) for n in range(60)])
    assert found.pcc == pytest.approx(stats.pearsonr(truth, guess).statistic)
    assert found.mse == pytest.approx(np.mean((truth - guess) ** 2))
    assert found.interval is not None
    assert found.interval[0] < found.pcc < found.interval[1]


def test_the_interval_draws_whole_speakers() -> None:
    """Sums by speaker must give what drawing the speakers' utterances themselves gives."""
    draw = np.random.default_rng(1)
    speakers = np.repeat([f"s{n}" for n in range(12)], 5)
    truth = np.repeat(draw.normal(size=12), 5) + 0.1 * draw.normal(size=60)
    guess = truth + draw.normal(size=60)
    found = correlation(truth, guess, speakers.tolist())
    values = []
    for _ in range(1000):
        rows = np.concatenate([np.flatnonzero(speakers == s) for s in draw.choice(np.unique(speakers), 12)])
        values.append(np.corrcoef(truth[rows], guess[rows])[0, 1])
    assert found.interval == pytest.approx(np.percentile(values, [2.5, 97.5]), abs=0.04)


def test_what_does_not_vary_has_no_correlation() -> None:
    found = correlation([1, 1, 1], [1, 2, 3], ["a", "b", "c"])
    assert (found.pcc, found.interval, found.n) == (None, None, 3)
    assert correlation([], [], []).mse is None
    with pytest.raises(ValueError, match="three of a length"):
        correlation([1], [1, 2], ["a"])


def judged(speaker: str, accuracy: float, guess: float, heard: str, diagnosed: str, free: str) -> UtterancePair:
    return UtterancePair(
        speaker=speaker,
        reference={"accuracy": accuracy},
        predicted={"accuracy": guess},
        words=("the", "cat"),
        word_reference={"accuracy": (accuracy, 10.0)},
        word_predicted={"accuracy": (guess, 9.0)},
        phone_reference=(2.0, 2.0, 0.0, 2.0, 2.0),
        phone_predicted=(2.0, 1.8, 0.4, 2.0, 1.9),
        canonical=("DH", "AH", "K", "AE", "T"),
        perceived=tuple(heard.split()),
        diagnosed=tuple(diagnosed.split()),
        recognised_phones=tuple(free.split()),
        recognised_words=("the", "bat"),
    )


def test_every_level_is_measured() -> None:
    pairs = [
        judged("a", 4, 5, f"DH AH {UNKNOWN} AE T", f"DH AH {UNKNOWN} AE T", "DH AH K AE"),  # found; 2 errors freely
        judged("b", 8, 7, f"DH AH {UNKNOWN} AE T", "DH AH K AE T", f"DH AH {UNKNOWN} AE T"),  # missed; none
        judged("c", 9, 9, "DH AH K AE T", "DH AH K AE T", "DH AH K AE T S"),  # right, accepted; 1 error
    ]
    found = pronunciation_metrics(pairs, n_resamples=50)
    assert found.utterance["accuracy"].pcc == pytest.approx(stats.pearsonr([4, 8, 9], [5, 7, 9]).statistic)
    assert found.word["accuracy"].n == 6
    assert found.phone is not None
    assert found.phone.n == 15
    assert found.mdd is not None
    assert (found.mdd.true_rejections, found.mdd.false_acceptances, found.mdd.true_acceptances) == (1, 1, 13)
    assert found.mdd.f1 == pytest.approx(2 / 3)
    assert found.per == pytest.approx(3 / 15)
    assert found.per_told == pytest.approx(1 / 15)
    assert found.wer == pytest.approx(3 / 6)
    assert found.per_accuracy["reference"] == pytest.approx(stats.pearsonr([0.4, 0.0, 0.2], [4, 8, 9]).statistic)


def test_levels_that_nobody_answers_are_none() -> None:
    bare = UtterancePair("a", {"total": 5.0}, {"total": 6.0})
    found = pronunciation_metrics([bare, bare, bare])
    assert (found.phone, found.mdd, found.per, found.wer) == (None, None, None, None)
    assert found.word == {}
    assert found.utterance["total"].n == 3


def test_one_utterance_has_a_rate_of_its_own() -> None:
    assert utterance_per(["A", "B"], ["A"]) == 0.5
    assert utterance_per([], ["A"]) == 0.0


def test_stress_is_measured_apart_where_it_can_be_wrong() -> None:
    draw = np.random.default_rng(1)
    pairs = [
        UtterancePair(
            str(k % 4), {"total": 5.0 + k % 5}, {"total": 6.0 + k % 4},
            words=("an", "apple"), stress_of_long=((5.0 + k, 5.0 + 2 * k),),
            word_reference={"stress": (10.0, 5.0 + k)}, word_predicted={"stress": (float(draw.random()), 5.0 + 2 * k)},
        )
        for k in range(12)
    ]  # fmt: skip
    found = pronunciation_metrics(pairs, n_resamples=20)
    assert (found.word["stress"].n, found.word[LONG_STRESS].n) == (24, 12)
    assert found.word[LONG_STRESS].pcc == pytest.approx(1.0)
    assert found.bands is not None
    assert found.bands.n == 12
