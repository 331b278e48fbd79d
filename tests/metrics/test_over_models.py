"""Figures over several models: those of each alone, their mean, and an interval for it."""

import numpy as np
import pytest

from pipeline.metrics.over_models import figures_over_models
from pipeline.metrics.pronunciation import UtterancePair, pronunciation_metrics

PHONES = ("DH", "AH", "K", "AE", "T")


def pairs_of(seed: int, n: int = 60) -> list[UtterancePair]:
    """One model's predictions for the same utterances: the truth does not depend on the seed."""
    truth, noise = np.random.default_rng(99), np.random.default_rng(seed)
    rows = []
    for number in range(n):
        level = float(truth.uniform(2, 10))
        heard = tuple("<unk>" if truth.random() < 0.2 else phone for phone in PHONES)
        said = tuple(p if noise.random() < 0.8 else "Z" for p in heard)
        phones = tuple(float(v) for v in truth.uniform(0, 2, len(PHONES)))
        rows.append(
            UtterancePair(
                speaker=f"s{number % 12}",
                reference={"accuracy": level, "total": level},
                predicted={"accuracy": level + float(noise.normal()), "total": float(noise.uniform(0, 10))},
                words=("the", "cat"),
                word_reference={"accuracy": (level, level / 2)},
                word_predicted={"accuracy": (level + float(noise.normal()), level / 2)},
                phone_reference=phones,
                phone_predicted=tuple(v + float(noise.normal()) for v in phones),
                canonical=PHONES,
                perceived=heard,
                diagnosed=said,
                recognised_phones=said[:4],
                recognised_words=("the", "cat" if noise.random() < 0.7 else "cap"),
            )
        )
    return rows


def test_each_model_has_the_figures_it_has_alone() -> None:
    models = [pairs_of(seed) for seed in range(3)]
    found = figures_over_models(models, n_resamples=200)
    for number, rows in enumerate(models):
        alone = pronunciation_metrics(rows, n_resamples=0)
        assert alone.phone is not None
        assert alone.mdd is not None
        expected = {
            "accuracy": alone.utterance["accuracy"].pcc, "total": alone.utterance["total"].pcc,
            "word accuracy": alone.word["accuracy"].pcc, "phone": alone.phone.pcc, "MDD F1": alone.mdd.f1,
            "MDD precision": alone.mdd.precision, "MDD recall": alone.mdd.recall, "PER": alone.per, "WER": alone.wer,
        }  # fmt: skip
        for name, value in expected.items():
            assert found[name].values[number] == pytest.approx(value), name
    assert found["PER"].mean == pytest.approx(np.mean(found["PER"].values))
    assert "word stress" not in found


def test_one_model_has_the_interval_it_has_alone() -> None:
    rows = pairs_of(0)
    found = figures_over_models([rows])
    assert found["accuracy"].interval == pytest.approx(pronunciation_metrics(rows).utterance["accuracy"].interval)


def test_the_interval_of_a_mean_holds_it_and_is_narrower_than_the_worst() -> None:
    models = [pairs_of(seed) for seed in range(4)]
    mean = figures_over_models(models)["PER"]
    assert mean.interval is not None
    assert mean.interval[0] < mean.mean < mean.interval[1]
    alone = [figures_over_models([rows])["PER"].interval for rows in models]
    widths = [high - low for low, high in (found for found in alone if found is not None)]
    assert mean.interval[1] - mean.interval[0] < max(widths)


def test_a_figure_that_one_model_lacks_is_left_out() -> None:
    bare = [UtterancePair(f"s{k}", {"total": float(k)}, {"total": k + k % 2}) for k in range(5)]
    assert set(figures_over_models([bare, pairs_of(0)])) == {"total"}
    assert figures_over_models([[]]) == {}
