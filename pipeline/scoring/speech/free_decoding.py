"""Which words were said, and with which phones, without being told the text.

A beam search over CTC posteriors (Graves 2012) through a tree of pronunciations, each hypothesis with the words before
it, so that words are weighed by what they follow; a node is weighed ahead by the likeliest word below it (Ortmanns et
al. 1996). CTC posteriors leave out phones rather than adding any, which a bonus for each phone makes good, and prefer
frequent phones more than the words already do, which dividing by a power of their prior makes good (Morgan & Bourlard
1990). Frames that are all but certainly blank, two in three of read speech, only add their blank (Chen et al. 2016).
Frames and labels as in `ctc.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.speech.lexicon.vocabulary import ROOT, Vocabulary
from pipeline.scoring.speech.listening.ctc import BLANK
from pipeline.scoring.speech.model_files import Decoding

BEAM = 14.0  # nats under the best hypothesis
MAX_HYPOTHESES = 800
SURE_BLANK = np.log(0.995)  # on 209 training recordings the words and phones are those of a search through all frames
RAREST = -7.0  # nats: labels that are hardly ever heard are not made that much likelier

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class RecognisedWord:
    """A word, its labels, and the frames it took, end exclusive."""

    text: str
    labels: tuple[int, ...]
    start: int
    end: int


def recognise(
    log_probs: NDArray[np.float64], vocabulary: Vocabulary, how: Decoding, log_prior: Sequence[float] = ()
) -> list[RecognisedWord]:
    """The best sequence of words for [T, V] log posteriors, with the labels' prior [V - 1] (none: all alike); empty
    where silence fits better."""
    search = _Search(vocabulary, how)
    scores = log_probs
    if len(log_prior):
        scores = log_probs - how.prior_weight * np.r_[0.0, log_prior]
    for frame, row in enumerate(scores):
        search.step(frame, row)
    return search.best()


def label_prior(posteriors: Sequence[NDArray[np.float64]]) -> tuple[float, ...]:
    """How often each label but the blank is heard over log posteriors [T, V]: nats, 0 for the average heard label."""
    shares = sum(np.exp(rows[:, 1:]).sum(axis=0) for rows in posteriors)
    shares = np.asarray(shares) / np.sum(shares)
    log_shares = np.maximum(np.log(shares + 1e-12), RAREST)
    return tuple(float(value) for value in log_shares - float(shares @ log_shares))


@dataclass(frozen=True)
class _Hypotheses:
    """One entry each: `node` of the tree (the root between words), `context` the word model's of the whole words,
    `label` the last one said, `on_blank` whether a blank followed it, `score` in nats, `entry` of the last whole word
    in the history, `start` the frame the present word began in."""

    node: Whole
    context: Whole
    label: Whole
    on_blank: NDArray[np.bool_]
    score: NDArray[np.float64]
    entry: Whole
    start: Whole

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> "_Hypotheses":
        return _Hypotheses(**{name: values[rows] for name, values in vars(self).items()})

    def but(self, **changed: NDArray[np.generic]) -> "_Hypotheses":
        return _Hypotheses(**(vars(self) | changed))


class _Search:
    def __init__(self, vocabulary: Vocabulary, how: Decoding) -> None:
        self.tree, self.how = vocabulary, how
        self.ahead = how.word_weight * vocabulary.likeliest_below
        nothing = np.full(1, -1, dtype=np.int64)
        self.now = _Hypotheses(
            np.full(1, ROOT, dtype=np.int64), nothing * 0 + vocabulary.model.beginning, nothing * 0 + BLANK,
            np.ones(1, dtype=bool), np.zeros(1), nothing, nothing,
        )  # fmt: skip
        # Of every whole word: its number, the node it ended on, its frames, and the entry before it.
        self.history: list[Whole] = []
        self.n_entries = 0

    def step(self, frame: int, row: NDArray[np.float64]) -> None:
        now = self.now
        if row[BLANK] > SURE_BLANK:
            told_apart = bool(now.on_blank.all())
            silent = now.but(on_blank=np.ones(len(now.node), dtype=bool), score=now.score + row[BLANK])
            self.now = silent if told_apart else silent.take(self._best_alike(silent))
            return
        going_on = now.take((now.node != ROOT) & ~now.on_blank)
        grown = _joined([
            going_on.but(score=going_on.score + row[going_on.label]),
            now.but(on_blank=np.ones(len(now.node), dtype=bool), score=now.score + row[BLANK]),
            self._entered(now, frame, row),
        ])  # fmt: skip
        self.now = self._ended(self._pruned(grown), frame)

    def best(self) -> list[RecognisedWord]:
        whole = np.flatnonzero(self.now.node == ROOT)
        if not len(whole) or not self.history:
            return []
        history = np.concatenate(self.history, axis=1)
        entry = int(self.now.entry[whole[self.now.score[whole].argmax()]])
        found: list[RecognisedWord] = []
        while entry >= 0:
            word, node, start, end, entry = (int(value) for value in history[:, entry])
            found.append(RecognisedWord(self.tree.texts[word], tuple(self.tree.phones_to(node)), start, end))
        return found[::-1]

    def _entered(self, now: _Hypotheses, frame: int, row: NDArray[np.float64]) -> _Hypotheses:
        """Every hypothesis moved on to each child of its node."""
        source, at = _spread(self.tree.first_child, now.node)
        node = self.tree.children[at].astype(np.int64)
        label = self.tree.label[node].astype(np.int64)
        allowed = now.on_blank[source] | (label != now.label[source])
        source, node, label = source[allowed], node[allowed], label[allowed]
        moved = now.take(source)
        return moved.but(
            node=node, label=label, on_blank=np.zeros(len(node), dtype=bool),
            score=moved.score + row[label] + self.how.per_phone,
            start=np.where(moved.node == ROOT, frame, moved.start),
        )  # fmt: skip

    def _pruned(self, found: _Hypotheses) -> _Hypotheses:
        """The best of those that cannot be told apart any more, near the very best."""
        promise = found.score + self.ahead[found.node]
        found = found.take(promise > promise.max() - BEAM)
        found = found.take(self._best_alike(found))
        if len(found.node) > MAX_HYPOTHESES:
            promise = found.score + self.ahead[found.node]
            found = found.take(np.argpartition(-promise, MAX_HYPOTHESES)[:MAX_HYPOTHESES])
        return found

    def _ended(self, now: _Hypotheses, frame: int) -> _Hypotheses:
        """The hypotheses, and those of them whose word may end here as the beginning of the next."""
        source, at = _spread(self.tree.first_word, now.node)
        word = self.tree.words[at].astype(np.int64)
        ended = now.take(source)
        score = ended.score + self.how.word_weight * self.tree.model.log_next(ended.context, word) + self.how.per_word
        near = score > (now.score + self.ahead[now.node]).max() - BEAM
        ended, word, score = ended.take(near), word[near], score[near]
        if not len(word):
            return now
        entered = np.stack([word, ended.node, ended.start, np.full(len(word), frame + 1), ended.entry])
        fresh = ended.but(
            node=np.full(len(word), ROOT, dtype=np.int64), context=self.tree.model.after(ended.context, word),
            score=score,
        )  # fmt: skip
        kept = self._best_alike(fresh)
        self.history.append(entered[:, kept])
        fresh = fresh.take(kept).but(entry=self.n_entries + np.arange(len(kept)))
        self.n_entries += len(kept)
        both = _joined([now, fresh])
        return both.take(self._best_alike(both))

    def _best_alike(self, found: _Hypotheses) -> Whole:
        """Rows of the best-scored hypothesis for each node, context, and blank or label."""
        key = (found.node * self.tree.model.n_contexts + found.context) * 2 + found.on_blank
        order = np.lexsort((-found.score, key))
        ranked = key[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = ranked[1:] != ranked[:-1]
        return order[first]


def _spread(first: NDArray[np.int32], nodes: Whole) -> tuple[Whole, Whole]:
    """Positions of all list entries of `nodes`, whose lists begin at `first`, and whose each is."""
    begin, counts = first[nodes].astype(np.int64), (first[nodes + 1] - first[nodes]).astype(np.int64)
    owner = np.repeat(np.arange(len(nodes)), counts)
    return owner, begin[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)


def _joined(parts: list[_Hypotheses]) -> _Hypotheses:
    return _Hypotheses(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])})
