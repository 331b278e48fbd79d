"""Which words were said without being told: the word model, the vocabulary, and the search."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.scoring.speech.free_decoding import RecognisedWord, label_prior, recognise
from pipeline.scoring.speech.lexicon.vocabulary import Vocabulary, build, load, save
from pipeline.scoring.speech.lexicon.word_model import WordModel, build_word_model
from pipeline.scoring.speech.listening import ctc
from pipeline.scoring.speech.model_files import Decoding

PLAIN = Decoding(word_weight=1.0, per_word=0.0, per_phone=0.0)
SAID = {"ab": [1, 2], "abc": [1, 2, 3], "c": [3], "see": [3], "aa": [1, 1]}


def vocabulary_of(said: dict[str, list[int]], model: WordModel) -> Vocabulary:
    return build(said, enumerate(said.values()), model)


def sure(path: list[int], n_labels: int = 6, doubt: float = 1e-6) -> NDArray[np.float64]:
    """Posteriors that follow `path` almost surely."""
    share = np.full((len(path), n_labels), doubt / n_labels)
    share[np.arange(len(path)), path] += 1.0 - doubt
    return np.log(share)


VOCABULARY = vocabulary_of(SAID, build_word_model(np.array([20.0, 30.0, 10.0, 1.0, 5.0]), {(4, 3): 30.0}))


def test_witten_bell_by_hand() -> None:
    model = build_word_model(np.array([6.0, 3.0, 1.0]), {(0, 1): 4.0, (0, 2): 1.0, (3, 0): 0.5})
    before, word = np.array([0, 0, 0, 1, 3, 3]), np.array([1, 2, 0, 0, 0, 1])
    # After word 0: five pairs of two kinds, so 2/7 is left for what is new. The beginning: half a pair, half a kind.
    by_hand = [4 / 7 + 2 / 7 * 0.3, 1 / 7 + 2 / 7 * 0.1, 2 / 7 * 0.6, 0.6, 0.5 + 0.5 * 0.6, 0.5 * 0.3]
    assert np.exp(model.log_next(before, word)) == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("before", range(6))
def test_probabilities_add_up(before: int) -> None:
    draw = np.random.default_rng(0)
    pairs = {
        (int(a), int(b)): float(c) for a, b, c in zip(*draw.integers(0, 5, (2, 12)), draw.random(12) * 3, strict=True)
    }
    model = build_word_model(draw.random(5) + 0.1, pairs | {(5, 1): 2.0})
    assert np.exp(model.log_next(np.full(5, before), np.arange(5))).sum() == pytest.approx(1.0, rel=1e-5)


def test_a_model_of_single_words() -> None:
    model = build_word_model(np.array([3.0, 1.0]), {})
    assert np.exp(model.log_next(np.array([0, 2]), np.array([0, 1]))) == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ([0, 1, 0, 2, 0, 3, 0], ["abc"]),
        ([1, 2, 0, 1, 2, 2, 0, 3, 3], ["ab", "abc"]),
        ([0, 1, 0, 1, 0], ["aa"]),
        ([3, 0, 3], ["c", "c"]),  # of two words that sound alike the likelier one
        ([0, 0, 0], []),
    ],
)
def test_words_are_recognised(path: list[int], said: list[str]) -> None:
    assert [word.text for word in recognise(sure(path), VOCABULARY, PLAIN)] == said


def test_what_came_before_decides_between_words_that_sound_alike() -> None:
    path = sure([1, 0, 1, 0, 0, 3, 0])
    assert [word.text for word in recognise(path, VOCABULARY, PLAIN)] == ["aa", "see"]


def test_a_bonus_for_phones_brings_out_the_longer_word() -> None:
    share = np.full((4, 6), 1e-6)
    share[[0, 1, 3], [1, 2, 0]] = 1.0
    share[2, [0, 3]] = 0.9, 0.1
    log_probs = np.log(share / share.sum(axis=1, keepdims=True))
    assert [w.text for w in recognise(log_probs, VOCABULARY, PLAIN)] == ["ab"]
    assert [w.text for w in recognise(log_probs, VOCABULARY, Decoding(1.0, 0.0, 5.0))] == ["abc"]


def test_a_frequent_label_is_not_preferred_twice() -> None:
    share = np.full((3, 6), 1e-6)
    share[[0, 2], 0] = 1.0
    share[1, [3, 5]] = 0.6, 0.4
    log_probs = np.log(share / share.sum(axis=1, keepdims=True))
    either = vocabulary_of({"c": [3], "e": [5]}, build_word_model(np.array([1.0, 1.0]), {}))
    assert [w.text for w in recognise(log_probs, either, PLAIN)] == ["c"]
    prior = label_prior([log_probs])
    assert sum(np.exp(prior[k]) for k in (2, 4)) > 1.9
    assert (prior[2] > prior[4], prior[0] < -5.0) == (True, True)
    assert [w.text for w in recognise(log_probs, either, replace(PLAIN, prior_weight=1.5), prior)] == ["e"]


def test_words_know_their_phones_and_when_they_were_said() -> None:
    found = recognise(sure([0, 1, 2, 0, 0, 3, 0]), VOCABULARY, Decoding(0.0, -10.0, 0.0))
    assert found in ([RecognisedWord("abc", (1, 2, 3), 1, 6)], [RecognisedWord("abc", (1, 2, 3), 1, 7)])


@pytest.mark.parametrize("seed", range(12))
def test_recognition_is_the_best_of_all_word_sequences(seed: int) -> None:
    """Against scoring every sequence of words by its best path."""
    said = {"ab": [1, 2], "b": [2], "ba": [2, 1], "c": [3]}
    draw = np.random.default_rng(seed)
    pairs = {
        (int(a), int(b)): float(c) for (a, b), c in zip(product(range(5), range(4)), draw.random(20) * 9, strict=True)
    }
    model = build_word_model(draw.random(4) + 0.1, pairs)
    logits = draw.normal(size=(6, 4), scale=2.0)
    log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    how = Decoding(word_weight=0.7, per_word=-0.3, per_phone=0.5)
    best, best_words = float(log_probs[:, 0].sum()), ()
    for n in range(1, 5):
        for words in product(range(4), repeat=n):
            labels = [label for word in words for label in list(said.values())[word]]
            if not ctc.fits(6, labels):
                continue
            follow = model.log_next(np.array([4, *words[:-1]]), np.array(words)).sum()
            score = ctc.align(log_probs, labels).log_prob + 0.7 * follow - 0.3 * n + 0.5 * len(labels)
            if score > best:
                best, best_words = score, words
    found = recognise(log_probs, vocabulary_of(said, model), how)
    assert [word.text for word in found] == [list(said)[word] for word in best_words]


def test_a_vocabulary_is_stored_without_pickle(tmp_path: Path) -> None:
    save(tmp_path / "v.npz", VOCABULARY)
    again = load(tmp_path / "v.npz")
    assert again.texts == VOCABULARY.texts
    for name in ("parent", "label", "first_child", "children", "first_word", "words"):
        assert np.array_equal(getattr(again, name), getattr(VOCABULARY, name)), name
    words = np.arange(5)
    for before in range(6):
        here, there = (v.model.log_next(np.full(5, before), words) for v in (VOCABULARY, again))
        assert np.allclose(here, there, atol=2e-3)
    (tmp_path / "bad.npz").write_bytes(b"no")
    with pytest.raises(ModelError, match="holds no vocabulary"):
        load(tmp_path / "bad.npz")
