"""The phone model and the search that uses it."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ModelError
from pipeline.scoring.speech import ctc
from pipeline.scoring.speech.labels import LABELS
from pipeline.scoring.speech.phone_lm import ORDER, PhoneModel, build_phone_model, decode_phones, load_phone_model

MODEL = build_phone_model([([1, 2, 3], 1.0, True), ([1, 2, 4], 1.0, True), ([1, 2], 5.0, False)])


def test_probabilities_add_up_and_follow_the_counts() -> None:
    for before in ((), (1,), (1, 2), (7, 7), tuple(range(1, 10))):
        assert np.exp(MODEL.log_next(before)).sum() == pytest.approx(1.0)
    after_one = np.exp(MODEL.log_next((5, 1)))
    assert after_one.argmax() == 2
    # Witten-Bell by hand: nothing follows (5, 1), so P(. | 1): label 2 was seen 7 of 7 times, one kind.
    lower = np.exp(PhoneModel(MODEL._keys, MODEL._counts)._next(())[2])
    assert after_one[2] == pytest.approx((7 + np.log(lower)) / 8)


def test_beginning_and_end_count() -> None:
    assert np.exp(MODEL.log_next(()))[1] > 0.5
    assert np.exp(MODEL.log_next((1, 2, 3)))[0] > 0.2


def test_without_a_weight_the_search_sums_all_paths() -> None:
    """With a wide beam: the label sequence of the largest likelihood."""
    for seed in range(5):
        logits = np.random.default_rng(seed).normal(size=(5, len(LABELS)), scale=1.0)
        logits[:, 4:] -= 30.0
        log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        options = [list(labels) for n in range(6) for labels in product((1, 2, 3), repeat=n)]
        best = max(options, key=lambda labels: ctc.log_prob(log_probs, labels))
        assert decode_phones(log_probs, MODEL, weight=0.0, per_phone=0.0, width=500) == best


def test_the_model_settles_what_the_ear_leaves_open() -> None:
    share = np.full((5, len(LABELS)), 1e-6)
    for frame, labels in enumerate(([1], [0], [2, 5], [0], [3])):
        share[frame, labels] = 1.0 / len(labels)
    log_probs = np.log(share / share.sum(axis=1, keepdims=True))
    log_probs[2, 5] += 0.1
    assert decode_phones(log_probs, MODEL, weight=0.0, per_phone=0.0) == [1, 5, 3]
    assert decode_phones(log_probs, MODEL, weight=1.0, per_phone=0.0) == [1, 2, 3]


def test_it_is_stored_without_pickle(tmp_path: Path) -> None:
    MODEL.save(tmp_path / "m.npz")
    again = load_phone_model(tmp_path / "m.npz")
    for before in ((), (1,), (1, 2)):
        assert np.allclose(again.log_next(before), MODEL.log_next(before), atol=1e-3)
    (tmp_path / "bad.npz").write_bytes(b"no")
    with pytest.raises(ModelError, match="holds no phone model"):
        load_phone_model(tmp_path / "bad.npz")
    assert ORDER < 10
