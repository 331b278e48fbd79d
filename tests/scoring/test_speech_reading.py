"""How a text was read: variants and retries."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.scoring.speech.listening import ctc
from pipeline.scoring.speech.listening.reading import read


def sure(path: list[int], n_labels: int = 6, doubt: float = 1e-6) -> NDArray[np.float64]:
    """Posteriors that follow `path` almost surely."""
    share = np.full((len(path), n_labels), doubt / n_labels)
    share[np.arange(len(path)), path] += 1.0 - doubt
    return np.log(share)


def test_the_variant_that_was_said_is_found() -> None:
    words = [[[1, 2]], [[3], [4, 3], [5]]]
    assert read(sure([0, 1, 2, 0, 3, 0]), words).variants == (0, 0)
    assert read(sure([0, 1, 2, 0, 4, 3]), words).variants == (0, 1)
    assert read(sure([1, 2, 5, 5, 5, 0]), words).variants == (0, 2)


@pytest.mark.parametrize("seed", range(3))
def test_without_choices_it_is_the_alignment(seed: int) -> None:
    logits = np.random.default_rng(seed).normal(size=(12, 5))
    log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    found = read(log_probs, [[[1, 2]], [[2, 3]]])
    assert found.log_prob == pytest.approx(ctc.align(log_probs, [1, 2, 2, 3]).log_prob)
    assert not found.abandoned.any()


def test_a_word_begun_again_is_scored_on_its_last_attempt() -> None:
    found = read(sure([0, 1, 2, 0, 0, 1, 2, 3, 0, 4, 0]), [[[1, 2, 3]], [[4]]])
    assert found.abandoned.tolist() == [False, True, True, False, False, *6 * [False]]
    assert found.n_retries == 1


def test_two_words_begun_again() -> None:
    found = read(sure([0, 1, 2, 0, 3, 0, 0, 1, 2, 0, 3, 4, 0]), [[[1, 2]], [[3, 4]]])
    assert found.abandoned.tolist() == [False, True, True, True, True, *8 * [False]]
    assert found.n_retries == 1


def test_the_whole_text_said_twice_is_scored_on_the_last_time() -> None:
    once = [1, 2, 0, 3, 0, 4, 1, 0]
    found = read(sure([0, *once, *once, 0]), [[[1, 2]], [[3]], [[4, 1]]])
    assert found.abandoned.tolist() == [False, *7 * [True], *10 * [False]]
    assert found.n_retries == 1
    assert found.spans == ((9, 11), (12, 13), (14, 16)), "of the last time"
    assert not found.others


THREE = [[[1, 2]], [[3, 4], [3, 5]], [[4, 1]]]


@pytest.mark.parametrize(
    ("path", "variants"),
    [
        ([0, 1, 2, 0, 3, 5, 0, 4, 1, 0], (0, 1, 0)),
        ([0, 1, 2, 0, 4, 1, 0], (0, None, 0)),
        ([0, 1, 2, 0, 3, 4, 0, 0], (0, 0, None)),
        ([0, 1, 2, 0, 0], (0, None, None)),
        ([0, 0, 3, 4, 0, 4, 1], (None, 0, 0)),
        ([4, 1, 0], (None, None, 0)),
    ],
)
def test_words_that_are_left_out_are_found(path: list[int], variants: tuple[int | None, ...]) -> None:
    found = read(sure(path, doubt=1e-9), THREE)
    assert found.variants == variants
    assert not found.other.any()
    gone = [number for number, variant in enumerate(variants) if variant is None]
    assert [number for number, span in enumerate(found.spans) if span is None] == gone
    silent = np.where(np.array(path) == 0, -60.0, 0.0)
    assert found.left_out([2, 2, 2], silent) == gone


def test_speech_that_is_not_in_the_text_is_found_where_it_is() -> None:
    found = read(sure([0, 1, 2, 0, 5, 0, 5, 1, 5, 0, 3, 4, 0, 4, 1, 0], doubt=1e-9), THREE)
    assert found.variants == (0, 0, 0)
    ((start, end),) = found.others
    assert start <= 4
    assert 9 <= end <= 10


def test_a_word_said_quite_differently_is_not_left_out() -> None:
    found = read(sure([0, 1, 2, 0, 5, 0, 2, 0, 4, 1, 0], doubt=1e-9), THREE)
    assert found.variants == (0, 1, 0)


def test_a_word_is_not_left_out_where_something_is_said() -> None:
    path = [0, 1, 2, *20 * [0], 4, 1, 0]
    found = read(sure(path, doubt=1e-9), THREE)
    assert found.variants == (0, None, 0)
    level = np.where(np.array(path) == 0, -60.0, 0.0)
    assert found.left_out([2, 2, 2], level) == [1]
    level[8:18] = -5.0
    assert found.left_out([2, 2, 2], level) == []


def test_a_word_is_not_left_out_whose_sound_the_words_beside_it_have() -> None:
    """Four words as fast as each other; what is long is the one before the gap, by a word's length."""
    usual, long = [1, 1, 2, 2], [1, 1, 1, 1, 1, 1, 2, 2]
    words = [[[1, 2]], [[3, 4]], [[1, 2]], [[1, 2]], [[1, 2]]]
    for first, left_out in ((usual, [1]), (long, [])):
        path = [0, *first, 0, *usual, 0, *usual, 0, *usual, 0]
        found = read(sure(path, doubt=1e-12), words)
        assert found.variants == (0, None, 0, 0, 0)
        level = np.where(np.array(path) == 0, -60.0, 0.0)
        assert found.left_out(5 * [2], level) == left_out
