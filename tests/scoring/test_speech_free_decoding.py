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
from pipeline.scoring.speech.lexicon.word_model import WordModel
from pipeline.scoring.speech.listening import ctc
from pipeline.scoring.speech.model_files import Decoding
from pipeline.scoring.speech.packaging.sphinx_words import read_sphinx_model
from pipeline.scoring.speech.packaging.word_model_building import Trust, adapted, counts_of, model_of_words, pruned

PLAIN = Decoding(word_weight=1.0, per_word=0.0, per_phone=0.0)
SAID = {"ab": [1, 2], "abc": [1, 2, 3], "c": [3], "see": [3], "aa": [1, 1]}


def model_of(ones: list[float], texts: list[list[int]], trust: float = 1.0) -> WordModel:
    """Of single words, with pairs and triples of texts."""
    return adapted(model_of_words(np.log(ones)), counts_of(texts, len(ones)), Trust(1e9, trust, trust))


def vocabulary_of(said: dict[str, list[int]], model: WordModel) -> Vocabulary:
    return build(said, enumerate(said.values()), model)


def sure(path: list[int], n_labels: int = 6, doubt: float = 1e-6) -> NDArray[np.float64]:
    """Posteriors that follow `path` almost surely."""
    share = np.full((len(path), n_labels), doubt / n_labels)
    share[np.arange(len(path)), path] += 1.0 - doubt
    return np.asarray(np.log(share))


# After "aa" comes "see".
VOCABULARY = vocabulary_of(SAID, model_of([20.0, 30.0, 10.0, 1.0, 5.0], [[4, 3]] * 30))


def test_pairs_and_triples_by_hand() -> None:
    # Words .6, .3 and .1. After word 0 came 1 twice and 2 once; after 0 1 came 2, and once nothing.
    model = model_of([6.0, 3.0, 1.0], [[0, 1, 2], [0, 1], [0, 2]], trust=2.0)
    contexts, words = np.array([0, 0, 0, 1, 3, 3]), np.array([1, 2, 0, 0, 0, 1])
    after_0 = [(2 + 2 * 0.3) / 5, (1 + 2 * 0.1) / 5]
    left = (1 - sum(after_0)) / 0.6
    after_1 = (1 + 2 * 0.1) / 3
    first = (3 + 2 * 0.6) / 5
    by_hand = [*after_0, left * 0.6, (1 - after_1) / 0.9 * 0.6, first, (1 - first) / 0.4 * 0.3]
    assert np.exp(model.log_next(contexts, words)) == pytest.approx(by_hand, rel=1e-5)
    (context,) = model.after(np.array([0]), np.array([1]))
    assert context > model.beginning
    triple = (1 + 2 * after_1) / 3
    assert np.exp(model.log_next(np.array([context, context]), np.array([2, 0]))) == pytest.approx(
        [triple, (1 - triple) / (1 - after_1) * (1 - after_1) / 0.9 * 0.6], rel=1e-5
    )


def some_texts() -> list[list[int]]:
    draw = np.random.default_rng(0)
    return [draw.integers(0, 5, draw.integers(1, 7)).tolist() for _ in range(12)]


@pytest.mark.parametrize("least", [0.0, 0.01, 0.1, 10.0])
def test_probabilities_add_up_in_every_context(least: float) -> None:
    model = pruned(model_of([1.0, 2.0, 3.0, 4.0, 5.0], some_texts()), least)
    words = np.arange(5)
    contexts = {int(c) for first in range(6) for c in model.after(np.full(5, first), words)} | {*range(6)}
    assert (len(contexts) > 6) == (least < 1.0)
    for context in contexts:
        assert np.exp(model.log_next(np.full(5, context), words)).sum() == pytest.approx(1.0, rel=1e-5)


def test_pruning_leaves_out_what_says_least() -> None:
    whole = model_of([1.0, 2.0, 3.0, 4.0, 5.0], some_texts())
    sizes = [(len(m.pairs), len(m.triples)) for m in (pruned(whole, least) for least in (-np.inf, 0.01, 0.1, 10.0))]
    assert sizes[0] == (len(whole.pairs), len(whole.triples))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == (0, 0)
    surprise = [
        -sum(float(m.log_next(np.array([c]), np.array([w]))[0]) for c, w in said_in(m))
        for m in (pruned(whole, least) for least in (-np.inf, 0.1, 10.0))
    ]
    assert surprise == sorted(surprise)


def said_in(model: WordModel) -> list[tuple[int, int]]:
    """Each word of the texts with its context."""
    found = []
    for text in some_texts():
        context = model.beginning
        for word in text:
            found.append((context, word))
            context = int(model.after(np.array([context]), np.array([word]))[0])
    return found


def test_a_model_of_single_words() -> None:
    model = model_of_words(np.log([3.0, 1.0]))
    assert np.exp(model.log_next(np.array([0, 2]), np.array([0, 1]))) == pytest.approx([0.75, 0.25])
    assert model.after(np.array([0, 2]), np.array([1, 0])).tolist() == [1, 0]


def test_the_general_model_of_english() -> None:
    words = ["see", "to", "going", "the", "of", "gnarlywort"]
    number = {word: k for k, word in enumerate(words)}
    model = read_sphinx_model(number, np.full(6, -20.0))
    assert model.log_one[5] == -20.0
    (context,) = model.after(np.array([2]), np.array([1]))
    # What pocketsphinx itself answers for these: `NGramModel.prob`, in its logarithms to the base 1.0001.
    log_next = model.log_next(np.array([context, 4]), np.array([0, 3]))
    assert log_next / np.log(1.0001) == pytest.approx([-45773, -16085], abs=5)


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
    either = vocabulary_of({"c": [3], "e": [5]}, model_of_words(np.log([1.0, 1.0])))
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
    texts = [draw.integers(0, 4, draw.integers(1, 6)).tolist() for _ in range(8)]
    model = model_of((draw.random(4) + 0.1).tolist(), texts)
    logits = draw.normal(size=(6, 4), scale=2.0)
    log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    how = Decoding(word_weight=0.7, per_word=-0.3, per_phone=0.5)
    best, best_words = float(log_probs[:, 0].sum()), tuple[int, ...]()
    for n in range(1, 5):
        for words in product(range(4), repeat=n):
            labels = [label for word in words for label in list(said.values())[word]]
            if not ctc.fits(6, labels):
                continue
            follow, context = 0.0, np.array([4])
            for word in words:
                follow += float(model.log_next(context, np.array([word]))[0])
                context = model.after(context, np.array([word]))
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
    for context in range(VOCABULARY.model.n_contexts):
        here, there = (v.model.log_next(np.full(5, context), words) for v in (VOCABULARY, again))
        assert np.allclose(here, there, atol=0.11)
    with np.load(tmp_path / "v.npz") as arrays:
        kept = {name: arrays[name] for name in arrays if "triple" not in name and not name.endswith(("_pairs", "back"))}
    model = VOCABULARY.model
    before = {
        "log_back": model.log_back.astype(np.float16), "log_pair": model.log_pair.astype(np.float16),
        "pairs": np.diff(model.pairs, prepend=0).astype(np.int32),
    }  # fmt: skip
    np.savez(tmp_path / "v.npz", **{**kept, **before})
    assert np.allclose(
        load(tmp_path / "v.npz").model.log_next(np.full(5, 4), words), model.log_next(np.full(5, 4), words), atol=2e-3
    )
    (tmp_path / "bad.npz").write_bytes(b"no")
    with pytest.raises(ModelError, match="holds no vocabulary"):
        load(tmp_path / "bad.npz")
