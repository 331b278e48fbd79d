"""CTC: greedy decoding, alignment and goodness, against enumeration of every path and PyTorch's loss."""

from itertools import product

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.scoring.speech.listening import ctc


def posteriors(n_frames: int, n_labels: int, seed: int = 0) -> NDArray[np.float64]:
    logits = np.random.default_rng(seed).normal(size=(n_frames, n_labels), scale=2.0)
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def collapse(path: tuple[int, ...]) -> list[int]:
    merged = [label for n, label in enumerate(path) if n == 0 or label != path[n - 1]]
    return [label for label in merged if label != ctc.BLANK]


def by_enumeration(log_probs: NDArray[np.float64], labels: list[int]) -> float:
    n_frames, n_labels = log_probs.shape
    paths = [path for path in product(range(n_labels), repeat=n_frames) if collapse(path) == labels]
    if not paths:
        return ctc.NEVER
    return float(np.logaddexp.reduce([sum(log_probs[t, k] for t, k in enumerate(path)) for path in paths]))


def test_greedy_merges_repeats_and_drops_blanks() -> None:
    path = [0, 1, 1, 0, 1, 2, 2, 0]
    assert ctc.greedy(np.log(np.eye(3)[path] + 1e-9)) == [1, 1, 2]
    assert ctc.greedy(np.zeros((0, 3))) == []


@pytest.mark.parametrize("labels", [[1], [1, 2], [2, 2], [1, 2, 1], [3, 3, 3], []])
def test_log_prob_is_the_sum_over_all_paths(labels: list[int]) -> None:
    log_probs = posteriors(6, 4)
    assert ctc.log_prob(log_probs, labels) == pytest.approx(by_enumeration(log_probs, labels))
    if labels:
        loss = torch.nn.functional.ctc_loss(
            torch.from_numpy(log_probs)[:, None], torch.tensor([labels]), torch.tensor([6]),
            torch.tensor([len(labels)]), reduction="sum",
        )  # fmt: skip
        assert ctc.log_prob(log_probs, labels) == pytest.approx(-float(loss))


@pytest.mark.parametrize("labels", [[1], [1, 2], [2, 2], [1, 2, 1]])
@pytest.mark.parametrize("seed", range(4))
def test_alignment_is_the_best_of_all_paths(labels: list[int], seed: int) -> None:
    log_probs = posteriors(6, 3, seed)
    paths = [path for path in product(range(3), repeat=6) if collapse(path) == labels]
    best = max(paths, key=lambda path: sum(log_probs[t, k] for t, k in enumerate(path)))
    found = ctc.align(log_probs, labels)
    assert found.log_prob == pytest.approx(sum(log_probs[t, k] for t, k in enumerate(best)))
    frames = [0] * 6
    for label, start, end in zip(labels, found.start, found.end, strict=True):
        frames[start:end] = [label] * (end - start)
    assert tuple(frames) == best


def test_a_long_text_is_aligned() -> None:
    labels = [1, 2] * 200
    log_probs = np.full((400, 3), -9.0)
    log_probs[np.arange(400), labels] = 0.0
    assert ctc.align(log_probs, labels).start.tolist() == list(range(400))


@pytest.mark.parametrize("labels", [[1], [1, 2], [2, 2], [1, 2, 1], [1, 1, 2], [3, 1, 2, 3]])
@pytest.mark.parametrize("seed", range(3))
def test_goodness_is_the_likelihood_with_one_label_changed_or_left_out(labels: list[int], seed: int) -> None:
    log_probs = posteriors(9, 4, seed)
    found = ctc.goodness(log_probs, labels)
    assert found.log_prob == pytest.approx(ctc.log_prob(log_probs, labels))
    for i in range(len(labels)):
        for label in range(1, 4):
            other = [*labels[:i], label, *labels[i + 1 :]]
            expected = ctc.log_prob(log_probs, other) - found.log_prob
            assert found.substituted[i, label] == pytest.approx(expected), (i, label)
        without = [*labels[:i], *labels[i + 1 :]]
        assert found.deleted[i] == pytest.approx(ctc.log_prob(log_probs, without) - found.log_prob), i


def test_what_cannot_be_aligned_is_named() -> None:
    log_probs = posteriors(3, 3)
    with pytest.raises(ValueError, match="no labels"):
        ctc.align(log_probs, [])
    with pytest.raises(ValueError, match="3 labels do not fit into 3 frames"):
        ctc.align(log_probs, [1, 1, 2])
    assert ctc.log_prob(log_probs, [1, 1, 2]) == ctc.NEVER
