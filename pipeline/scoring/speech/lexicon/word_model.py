"""Which word follows which: a back-off trigram model over a vocabulary.

P(w | u v) is told for the triples that are known; else it is P(w | v) times a weight of the pair u v, and that, for an
unknown pair v w, P(w) times a weight of v (Katz 1987), as in the ARPA format.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Logs = NDArray[np.floating]


@dataclass(frozen=True)
class WordModel:
    """For V words, in natural logarithms: `log_one` [V] of P(w); `log_back` [V + 1] of the weight after each word and,
    last, at the beginning. `pairs` [n] (before x V + word, ascending) are known, with `log_pair` [n] of P(word |
    before) and `log_pair_back` [n] of the weight after them; `triples` [m] (number of the pair x V + word, ascending)
    with `log_triple` [m].

    A context is what the next word depends on: a word, V (the beginning), or V + 1 + the number of a pair that begins
    a triple.
    """

    log_one: Logs
    log_back: Logs
    pairs: Whole
    log_pair: Logs
    log_pair_back: Logs
    triples: Whole
    log_triple: Logs

    @property
    def beginning(self) -> int:
        """The context before the first word."""
        return len(self.log_one)

    @property
    def n_contexts(self) -> int:
        return self.beginning + 1 + len(self.pairs)

    @cached_property
    def _begins_triples(self) -> NDArray[np.bool_]:
        begins = np.zeros(len(self.pairs), dtype=np.bool_)
        begins[self.triples // self.beginning] = True
        return begins

    def log_next(self, contexts: Whole, words: Whole) -> NDArray[np.float64]:
        """log P(word | context), element by element."""
        pair, last = self._taken_apart(contexts)
        at = found(self.pairs, last * self.beginning + words)
        unknown = self.log_back[last].astype(np.float64) + self.log_one[words]
        log_p = _where_known(at, self.log_pair, unknown)
        if not len(self.triples):
            return log_p
        at = np.where(pair >= 0, found(self.triples, pair * self.beginning + words), -1)
        return _where_known(at, self.log_triple, log_p + _where_known(pair, self.log_pair_back, np.zeros(len(pair))))

    def after(self, contexts: Whole, words: Whole) -> Whole:
        """The contexts that the words leave behind, element by element."""
        _, last = self._taken_apart(contexts)
        at = found(self.pairs, last * self.beginning + words)
        goes_on = (at >= 0) & self._begins_triples[at] if len(self.pairs) else np.zeros(len(at), dtype=np.bool_)
        return np.where(goes_on, self.beginning + 1 + at, words)

    def _taken_apart(self, contexts: Whole) -> tuple[Whole, Whole]:
        """Number of the pair of each context, or -1, and its last word."""
        pair = np.where(contexts > self.beginning, contexts - self.beginning - 1, -1)
        return pair, np.where(pair >= 0, self.pairs[pair] % self.beginning, contexts) if len(self.pairs) else contexts


def found(known: Whole, keys: Whole) -> Whole:
    """Where each key stands among the ascending `known`; -1 where it does not."""
    if not len(known):
        return np.full(len(keys), -1)
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[at] == keys, at, -1)


def _where_known(at: Whole, values: Logs, otherwise: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(at >= 0, values[at], otherwise) if len(values) else otherwise
