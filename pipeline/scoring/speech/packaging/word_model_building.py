"""Build a word model: a large one brought near to some texts, and made small again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.speech.lexicon.word_model import WordModel, found

LEAST_LEFT = 1e-4  # of the probability after a context, for what is not known after it
TEXT_WORDS = 8  # in a text: so many times rarer than words are beginnings


@dataclass(frozen=True)
class Counts:
    """Words [n] of texts one after the other, with the word before each (V at the beginning of a text) and the one
    before that (-1 where there is none)."""

    words: NDArray[np.int64]
    before: NDArray[np.int64]
    before_that: NDArray[np.int64]


@dataclass(frozen=True)
class Trust:
    """In a general model, before it meets texts: as many words of theirs as each of its estimates is worth."""

    words: float
    pairs: float
    triples: float


def counts_of(texts: Sequence[Sequence[int]], beginning: int) -> Counts:
    """Of the numbers of the texts' words."""
    rows = [
        (word, text[k - 1] if k else beginning, text[k - 2] if k > 1 else beginning if k else -1)
        for text in texts
        for k, word in enumerate(text)
    ]
    words, before, before_that = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Counts(words, before, before_that)


def model_of_words(log_one: NDArray[np.float64]) -> WordModel:
    """Without pairs and triples."""
    none, no_keys = np.zeros(0), np.zeros(0, dtype=np.int64)
    return _backed_off(WordModel(log_one, np.zeros(len(log_one) + 1), no_keys, none, none, no_keys, none))


def adapted(model: WordModel, counts: Counts, trust: Trust) -> WordModel:
    """With the texts' counts added to `trust` times the model's estimates (MAP; Federico 1996), order by order."""
    v = model.beginning
    seen = np.bincount(counts.words, minlength=v)
    log_one = np.log((seen + trust.words * np.exp(model.log_one)) / (len(counts.words) + trust.words))

    own_pairs = counts.before * v + counts.words
    pairs = np.unique(np.concatenate([model.pairs, own_pairs]))
    before = pairs // v
    of_pair = np.bincount(found(pairs, own_pairs), minlength=len(pairs))
    of_before = np.bincount(counts.before, minlength=v + 1)[before]
    general = np.exp(model.log_next(before, pairs % v))
    log_pair = np.log((of_pair + trust.pairs * general) / (of_before + trust.pairs))
    lower = _backed_off(
        replace(
            model_of_words(log_one), pairs=pairs, log_pair=log_pair, log_pair_back=np.zeros(len(pairs))
        )
    )  # fmt: skip

    third = counts.before_that >= 0
    context = found(pairs, counts.before_that[third] * v + counts.before[third])
    known = context >= 0
    own_triples = context[known] * v + counts.words[third][known]
    old = found(pairs, model.pairs)[model.triples // v] * v + model.triples % v
    triples = np.unique(np.concatenate([old, own_triples]))
    context, word = triples // v, triples % v
    of_triple = np.bincount(found(triples, own_triples), minlength=len(triples))
    of_context = np.bincount(own_triples // v, minlength=len(pairs))[context]
    # What the general model knows nothing of is estimated from the adapted pairs.
    source = found(model.pairs, pairs[context])
    general = np.exp(
        np.where(
            source >= 0,
            model.log_next(model.beginning + 1 + source, word),
            lower.log_next(pairs[context] % v, word),
        )
    )
    log_triple = np.log((of_triple + trust.triples * general) / (of_context + trust.triples))
    return _backed_off(replace(lower, triples=triples, log_triple=log_triple))


def pruned(model: WordModel, least: float) -> WordModel:
    """Without the pairs and triples that change the log probability of a text by less than `least` nats a word
    (Seymore & Rosenfeld 1996); a pair that begins a kept triple stays."""
    v = model.beginning
    log_first = np.append(model.log_one, -np.log(TEXT_WORDS))
    before, word = model.pairs // v, model.pairs % v
    log_both = log_first[before] + model.log_pair
    context, third = model.triples // v, model.triples % v
    gain = model.log_triple - model.log_pair_back[context] - model.log_next(word[context], third)
    keep_triples = np.exp(log_both[context] + model.log_triple) * gain >= least
    gain = model.log_pair - model.log_back[before] - model.log_one[word]
    keep_pairs = np.exp(log_both) * gain >= least
    keep_pairs[context[keep_triples]] = True
    number = np.cumsum(keep_pairs) - 1
    return _backed_off(
        WordModel(
            model.log_one, model.log_back, model.pairs[keep_pairs], model.log_pair[keep_pairs],
            model.log_pair_back[keep_pairs], number[context[keep_triples]] * v + third[keep_triples],
            model.log_triple[keep_triples],
        )
    )  # fmt: skip


def _backed_off(model: WordModel) -> WordModel:
    """With the weights by which the probabilities after each context add up to one."""
    v = model.beginning
    log_one = model.log_one - np.logaddexp.reduce(model.log_one)
    before, word = model.pairs // v, model.pairs % v
    log_back = _weights(before, model.log_pair, log_one[word], v + 1)
    model = replace(model, log_one=log_one, log_back=log_back)
    context, word = model.triples // v, model.triples % v
    below = model.log_next(model.pairs[context] % v, word)
    return replace(model, log_pair_back=_weights(context, model.log_triple, below, len(model.pairs)))


def _weights(
    context: NDArray[np.int64], log_known: NDArray[np.floating], log_below: NDArray[np.floating], n_contexts: int
) -> NDArray[np.float64]:
    """log (1 - sum of what is known after a context) / (1 - sum of its estimates one order below)."""
    known = np.bincount(context, np.exp(log_known), minlength=n_contexts)
    below = np.bincount(context, np.exp(log_below), minlength=n_contexts)
    return np.asarray(np.log(np.maximum(1.0 - known, LEAST_LEFT) / np.maximum(1.0 - below, LEAST_LEFT)))
