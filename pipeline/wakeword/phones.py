"""How an English wake word is said, as the speech scorer's listener labels it, and whether the listener hears it.

The listener gives a posterior of every phone to each 20 ms. A path through the word's phones is compared with the best
path through any phones over the same frames (keyword against filler, Rohlicek et al. 1989): 0 where nothing else would
fit better, more below it the more another reading does.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray

from pipeline.phones import bare
from pipeline.scoring.speech.labels import encode
from pipeline.scoring.speech.lexicon.dictionary import LetterToSound, in_dictionary, pronounce
from pipeline.scoring.speech.listening.ctc import BLANK, NEVER

MOST_WAYS = 12


@lru_cache(maxsize=4096)
def ways_of(word: str, rules: LetterToSound | None = None) -> list[list[int]]:
    """Label numbers of each way of saying a word or phrase. Raises CorpusError for one that nobody knows how to say."""
    ways: dict[tuple[str, ...], None] = {}
    for spelling in spellings_of(word):
        variants = [part.variants for part in pronounce(spelling, rules)]
        for chosen in islice(product(*variants), MOST_WAYS):
            ways[tuple(bare(phone) for phones in chosen for phone in phones)] = None
    return [encode(phones) for phones in ways]


def spellings_of(word: str) -> list[str]:
    """The word, or where the dictionary lacks it, the two words it is made of, the most even halves first."""
    if " " in word or in_dictionary(word.lower()):
        return [word]
    splits = [(word[:at], word[at:]) for at in range(2, len(word) - 1)]
    pairs = [(a, b) for a, b in splits if in_dictionary(a.lower()) and in_dictionary(b.lower())]
    pairs.sort(key=lambda pair: abs(len(pair[0]) - len(pair[1])))
    return [" ".join(pairs[0])] if pairs else [word]


def word_score(log_probs: NDArray[np.float64], labels: Sequence[int]) -> float:
    """Of the best place of the word in [T, V] log posteriors: the mean over its phones of log P(its path) - log P(the
    best path), at most 0."""
    if len(log_probs) < len(labels):
        return NEVER
    states = np.full(2 * len(labels) - 1, BLANK, dtype=np.int64)
    states[::2] = labels
    skips = np.zeros(len(states), dtype=bool)
    skips[2::2] = states[2::2] != states[:-2:2]
    apart = (log_probs - log_probs.max(axis=1, keepdims=True))[:, states]
    score = np.full(len(states), NEVER)
    best = NEVER
    for row in apart:
        before = score.copy()
        before[0] = max(before[0], 0.0)  # the word may begin anywhere
        before[1:] = np.maximum(before[1:], score[:-1])
        before[2:] = np.where(skips[2:], np.maximum(before[2:], score[:-2]), before[2:])
        score = before + row
        best = max(best, float(score[-1]))
    return best / len(labels)
