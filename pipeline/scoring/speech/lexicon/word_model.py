"""Which word follows which: a bigram model over a vocabulary.

Interpolated Witten-Bell bigrams (Witten & Bell 1991; Chen & Goodman 1998), kept as log probabilities with back-off
weights, as in the ARPA format. Counts may be fractions: large collections enter with the weight they deserve.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class WordModel:
    """For V words: `log_one` [V] log P(word); `log_back` [V + 1] log weight of it after each word, and, last, at the
    beginning; `keys` [n] of the pairs that are known (before x V + word, ascending) and `log_pair` [n] their log
    P(word | before). Natural logarithms."""

    log_one: NDArray[np.float32]
    log_back: NDArray[np.float32]
    keys: NDArray[np.int64]
    log_pair: NDArray[np.float32]

    @property
    def beginning(self) -> int:
        """What stands for the word before the first."""
        return len(self.log_one)

    def log_next(self, before: NDArray[np.int64], words: NDArray[np.int64]) -> NDArray[np.float64]:
        """log P(word | before), element by element."""
        keys = before * len(self.log_one) + words
        at = np.searchsorted(self.keys, keys)
        found = np.minimum(at, max(0, len(self.keys) - 1))
        known = self.keys[found] == keys if len(self.keys) else np.zeros(len(keys), dtype=bool)
        unseen = self.log_back[before].astype(np.float64) + self.log_one[words]
        return np.where(known, self.log_pair[found], unseen) if len(self.keys) else unseen


def build_word_model(ones: NDArray[np.float64], pairs: Mapping[tuple[int, int], float]) -> WordModel:
    """From the positive counts of V words, and of pairs (before, word); `before` may be V, the beginning.

    Of a pair seen less than once, that share counts as a kind of its own in Witten-Bell's estimate of how much is new.
    """
    n_words = len(ones)
    one = ones / ones.sum()
    order = sorted(pairs)
    before, word = np.array(order, dtype=np.int64).reshape(-1, 2).T
    counts = np.array([pairs[pair] for pair in order], dtype=np.float64)
    total = np.bincount(before, counts, minlength=n_words + 1)
    kinds = np.bincount(before, np.minimum(counts, 1.0), minlength=n_words + 1)
    new = np.where(total > 0, kinds / np.maximum(total + kinds, 1e-12), 1.0)
    pair = counts / (total + kinds)[before] + new[before] * one[word]
    return WordModel(
        np.log(one).astype(np.float32), np.log(new).astype(np.float32), before * n_words + word,
        np.log(pair).astype(np.float32),
    )  # fmt: skip
