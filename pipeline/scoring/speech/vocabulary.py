"""Which English words were said, without being told the text: a search through a tree of pronunciations.

Token passing (Young et al. 1989) over CTC posteriors: one best token a tree node, new words entered from the best
completed one, each weighed by how frequent it is. Frames and labels as in `ctc.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.scoring.speech.ctc import BLANK, NEVER

BEAM = 14.0
ROOT = 0


@dataclass(frozen=True)
class HeardWord:
    """A word and the frames it took, end exclusive."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Vocabulary:
    """A tree of label sequences. Node 0 is the root; `parent`, `label` and `word` (-1: none ends here) have an entry a
    node, `first_child` and `children` list each node's children; `texts` and `log_frequency` an entry a word."""

    parent: NDArray[np.int32]
    label: NDArray[np.int16]
    word: NDArray[np.int32]
    first_child: NDArray[np.int32]
    children: NDArray[np.int32]
    texts: tuple[str, ...]
    log_frequency: NDArray[np.float32]

    @property
    def n_nodes(self) -> int:
        return len(self.parent)


def build(entries: Iterable[tuple[str, float, list[int]]]) -> Vocabulary:
    """From words with their natural log frequency and a pronunciation each (a word may come more than once). Of words
    that sound alike, the most frequent stands for all."""
    texts: dict[str, int] = {}
    frequency: list[float] = []
    nodes: dict[tuple[int, int], int] = {}
    parent, label, word = [-1], [BLANK], [-1]
    for text, log_frequency, labels in entries:
        if text not in texts:
            texts[text] = len(frequency)
            frequency.append(log_frequency)
        at = ROOT
        for step in labels:
            if (at, step) not in nodes:
                nodes[at, step] = len(parent)
                parent.append(at)
                label.append(step)
                word.append(-1)
            at = nodes[at, step]
        if at != ROOT and (word[at] < 0 or frequency[word[at]] < log_frequency):
            word[at] = texts[text]
    parents = np.array(parent, dtype=np.int32)
    order = np.argsort(parents[1:], kind="stable").astype(np.int32) + 1
    counts = np.bincount(parents[1:], minlength=len(parents))
    first = np.r_[0, np.cumsum(counts)].astype(np.int32)
    return Vocabulary(
        parents, np.array(label, dtype=np.int16), np.array(word, dtype=np.int32), first, order, tuple(texts),
        np.array(frequency, dtype=np.float32),
    )  # fmt: skip


def save(path: Path, vocabulary: Vocabulary) -> None:
    arrays = {key: value for key, value in vars(vocabulary).items() if key != "texts"}
    spelled = np.frombuffer("\n".join(vocabulary.texts).encode(), dtype=np.uint8)
    with artifacts.replacing(path) as temporary:
        np.savez_compressed(temporary, texts=spelled, **arrays)


def load(path: Path) -> Vocabulary:
    """Raises ModelError for a file that holds no vocabulary."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            texts = tuple(arrays["texts"].tobytes().decode().split("\n"))
            return Vocabulary(
                **{key: arrays[key] for key in Vocabulary.__dataclass_fields__ if key != "texts"}, texts=texts
            )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path} holds no vocabulary: {error}.") from error


def recognise(
    log_probs: NDArray[np.float64], vocabulary: Vocabulary, *, weight: float, per_word: float
) -> list[HeardWord]:
    """The best sequence of words; `weight` multiplies their log frequency and `per_word` is added for each (nats).
    Empty where nothing but silence fits better."""
    search = _Search(vocabulary, weight, per_word)
    for frame, row in enumerate(log_probs):
        search.step(frame, row)
    return search.best()


class _Search:
    def __init__(self, vocabulary: Vocabulary, weight: float, per_word: float) -> None:
        self.tree = vocabulary
        self.bonus = weight * vocabulary.log_frequency.astype(np.float64) + per_word
        n = vocabulary.n_nodes
        # Scores of tokens that stand on a node's label, and on the blank after it; the root's are completed words'.
        self.on_label, self.on_blank = np.full(n, NEVER), np.full(n, NEVER)
        self.label_history, self.blank_history = np.full(n, -1), np.full(n, -1)
        self.started = np.zeros(n, dtype=np.int64)
        self.on_blank[ROOT] = 0.0
        self.root_label = BLANK
        self.active = np.zeros(0, dtype=np.int64)
        self.history: list[tuple[int, int, int, int]] = []  # word, start, end, entry before
        self.silence = 0.0
        self.last: tuple[float, int] = (0.0, -1)

    def step(self, frame: int, row: NDArray[np.float64]) -> None:
        tree = self.tree
        nodes = self._candidates()
        parents = tree.parent[nodes]
        labels = tree.label[nodes]
        above = np.where(parents == ROOT, self.root_label, tree.label[parents])
        options = np.stack([
            self.on_label[nodes],
            np.where(above != labels, self.on_label[parents], NEVER),
            self.on_blank[parents],
        ])  # fmt: skip
        best = options.argmax(axis=0)
        columns = np.arange(len(nodes))
        entered = (parents == ROOT) & (best > 0)
        histories = np.stack([self.label_history[nodes], self.label_history[parents], self.blank_history[parents]])
        starts = np.where(entered, frame, np.where(best == 0, self.started[nodes], self.started[parents]))
        new_label = options[best, columns] + row[labels]
        stays = self.on_blank[nodes] >= self.on_label[nodes]
        new_blank = np.where(stays, self.on_blank[nodes], self.on_label[nodes]) + row[BLANK]
        new_blank_history = np.where(stays, self.blank_history[nodes], self.label_history[nodes])
        self.silence += row[BLANK]
        limit = max(new_label.max(initial=NEVER), new_blank.max(initial=NEVER), self.silence) - BEAM
        self.on_label[self.active] = NEVER
        self.on_blank[self.active] = NEVER
        kept = np.maximum(new_label, new_blank) > limit
        self.active = nodes[kept]
        self.on_label[self.active], self.on_blank[self.active] = new_label[kept], new_blank[kept]
        self.label_history[self.active] = histories[best, columns][kept]
        self.blank_history[self.active] = new_blank_history[kept]
        # A node's start is that of its label token; the blank after it began with the same word.
        self.started[self.active] = starts[kept]
        self._complete(frame)

    def best(self) -> list[HeardWord]:
        found: list[HeardWord] = []
        entry = self.last[1]
        while entry >= 0:
            word, start, end, entry = self.history[entry]
            found.append(HeardWord(self.tree.texts[word], start, end))
        return found[::-1]

    def _candidates(self) -> NDArray[np.int64]:
        sources = np.append(self.active, ROOT)
        first, last = self.tree.first_child[sources], self.tree.first_child[sources + 1]
        counts = last - first
        offsets = np.repeat(first - np.r_[0, np.cumsum(counts)[:-1]], counts) + np.arange(counts.sum())
        return np.unique(np.concatenate([self.active, self.tree.children[offsets]]))

    def _complete(self, frame: int) -> None:
        """Let the best completed word, and going on being silent, stand at the root for the next frame."""
        ends = self.active[self.tree.word[self.active] >= 0]
        self.on_label[ROOT], self.on_blank[ROOT] = NEVER, self.silence
        self.blank_history[ROOT] = -1
        self.last = (self.silence, -1)
        if not len(ends):
            return
        bonus = self.bonus[self.tree.word[ends]]
        for scores, histories, on_label in (
            (self.on_label[ends] + bonus, self.label_history[ends], True),
            (self.on_blank[ends] + bonus, self.blank_history[ends], False),
        ):
            k = int(scores.argmax())
            node = int(ends[k])
            entry = (int(self.tree.word[node]), int(self.started[node]), frame + 1, int(histories[k]))
            self.history.append(entry)
            if scores[k] > self.last[0]:
                self.last = (float(scores[k]), len(self.history) - 1)
            if on_label:
                self.on_label[ROOT], self.label_history[ROOT] = scores[k], len(self.history) - 1
                self.root_label = int(self.tree.label[node])
            elif scores[k] > self.silence:
                self.on_blank[ROOT], self.blank_history[ROOT] = scores[k], len(self.history) - 1
