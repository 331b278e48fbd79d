"""How a text was read: variants and retries; and which words were said without being told."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.scoring.speech import ctc
from pipeline.scoring.speech.reading import read
from pipeline.scoring.speech.vocabulary import HeardWord, build, load, recognise, save


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


def test_too_few_frames_are_named() -> None:
    with pytest.raises(ValueError, match="do not fit into 2 frames"):
        read(sure([1, 2]), [[[1, 2]], [[3]]])


VOCABULARY = build(
    [("ab", -1.0, [1, 2]), ("abc", -3.0, [1, 2, 3]), ("c", -2.0, [3]), ("see", -5.0, [3]), ("aa", -3.0, [1, 1])]
)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ([0, 1, 0, 2, 0, 3, 0], ["abc"]),
        ([1, 2, 0, 1, 2, 2, 0, 3, 3], ["ab", "abc"]),
        ([0, 1, 0, 1, 0], ["aa"]),
        ([3, 0, 3], ["c", "c"]),  # of two words that sound alike the more frequent one
        ([0, 0, 0], []),
    ],
)
def test_words_are_recognised(path: list[int], said: list[str]) -> None:
    assert [word.text for word in recognise(sure(path), VOCABULARY, weight=1.0, per_word=0.0)] == said


def test_words_know_when_they_were_said() -> None:
    found = recognise(sure([0, 1, 2, 0, 0, 3, 0]), VOCABULARY, weight=0.0, per_word=-10.0)
    assert found == [HeardWord("abc", 1, 6)] or found == [HeardWord("abc", 1, 7)]


def test_recognition_is_the_best_of_all_word_sequences() -> None:
    """Against scoring every sequence of up to three words by its best path."""
    from itertools import product

    entries = {"ab": (-1.0, [1, 2]), "b": (-1.5, [2]), "ba": (-2.0, [2, 1]), "c": (-1.0, [3])}
    vocabulary = build([(text, weight, labels) for text, (weight, labels) in entries.items()])
    for seed in range(8):
        logits = np.random.default_rng(seed).normal(size=(6, 4), scale=2.0)
        log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        best, best_words = float(log_probs[:, 0].sum()), ()
        for n in (1, 2, 3, 4):
            for words in product(entries, repeat=n):
                labels = [label for word in words for label in entries[word][1]]
                if ctc.fits(6, labels):
                    score = ctc.align(log_probs, labels).log_prob + sum(entries[word][0] for word in words)
                    if score > best:
                        best, best_words = score, words
        found = recognise(log_probs, vocabulary, weight=1.0, per_word=0.0)
        assert tuple(word.text for word in found) == best_words, seed


def test_a_vocabulary_is_stored_without_pickle(tmp_path: Path) -> None:
    save(tmp_path / "v.npz", VOCABULARY)
    again = load(tmp_path / "v.npz")
    assert again.texts == VOCABULARY.texts
    assert np.array_equal(again.parent, VOCABULARY.parent)
    (tmp_path / "bad.npz").write_bytes(b"no")
    with pytest.raises(ModelError, match="holds no vocabulary"):
        load(tmp_path / "bad.npz")
