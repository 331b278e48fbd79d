"""The words that can be heard without being told the text: a tree of their pronunciations, and which follows which."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.scoring.speech.lexicon.word_model import WordModel
from pipeline.scoring.speech.listening.ctc import BLANK, NEVER

ROOT = 0
MAX_ALIKE = 4  # words that sound alike; the more frequent are kept


@dataclass(frozen=True)
class Vocabulary:
    """A tree of label sequences. Node 0 is the root; `parent` and `label` have an entry a node; `children` are listed
    node by node from `first_child` on, `words` that end there (numbers into `texts`) from `first_word` on."""

    parent: NDArray[np.int32]
    label: NDArray[np.int16]
    first_child: NDArray[np.int32]
    children: NDArray[np.int32]
    first_word: NDArray[np.int32]
    words: NDArray[np.int32]
    texts: tuple[str, ...]
    model: WordModel

    @cached_property
    def likeliest_below(self) -> NDArray[np.float64]:
        """[n_nodes] log P of the most frequent word that a node can still become; 0 for the root, so that words that
        have just ended compare with those that have not."""
        best = np.full(len(self.parent), NEVER)
        owner = np.repeat(np.arange(len(self.parent)), np.diff(self.first_word))
        np.maximum.at(best, owner, self.model.log_one[self.words].astype(np.float64))
        for node in range(len(self.parent) - 1, ROOT, -1):  # children come after their parents
            above = self.parent[node]
            best[above] = max(best[above], best[node])
        best[ROOT] = 0.0
        return best

    def phones_to(self, node: int) -> list[int]:
        """The labels from the root to a node."""
        found: list[int] = []
        while node != ROOT:
            found.append(int(self.label[node]))
            node = int(self.parent[node])
        return found[::-1]


def build(texts: Iterable[str], pronunciations: Iterable[tuple[int, list[int]]], model: WordModel) -> Vocabulary:
    """From the words, and pairs of a word's number and a label sequence (a word may come more than once)."""
    nodes: dict[tuple[int, int], int] = {}
    parent, label = [-1], [BLANK]
    ends: list[set[int]] = [set()]
    for word, labels in pronunciations:
        at = ROOT
        for step in labels:
            if (at, step) not in nodes:
                nodes[at, step] = len(parent)
                parent.append(at)
                label.append(step)
                ends.append(set())
            at = nodes[at, step]
        if at != ROOT:
            ends[at].add(word)
    kept = [sorted(found, key=lambda word: -model.log_one[word])[:MAX_ALIKE] for found in ends]
    parents = np.array(parent, dtype=np.int32)
    counts = np.bincount(parents[1:], minlength=len(parents))
    return Vocabulary(
        parents, np.array(label, dtype=np.int16), _starts(counts),
        np.argsort(parents[1:], kind="stable").astype(np.int32) + 1, _starts([len(found) for found in kept]),
        np.array([word for found in kept for word in found], dtype=np.int32), tuple(texts), model,
    )  # fmt: skip


def save(path: Path, vocabulary: Vocabulary) -> None:
    """The log probabilities are kept to three digits."""
    model = vocabulary.model
    arrays: dict[str, Any] = {
        "parent": vocabulary.parent, "label": vocabulary.label, "words": vocabulary.words,
        "n_children": np.diff(vocabulary.first_child), "n_words": np.diff(vocabulary.first_word).astype(np.int8),
        "log_one": model.log_one.astype(np.float16), "log_back": model.log_back.astype(np.float16),
        "pairs": np.diff(model.keys, prepend=0).astype(np.int32), "log_pair": model.log_pair.astype(np.float16),
        "texts": np.frombuffer("\n".join(vocabulary.texts).encode(), dtype=np.uint8),
    }  # fmt: skip
    with artifacts.replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def load(path: Path) -> Vocabulary:
    """Raises ModelError for a file that holds no vocabulary."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            parent = arrays["parent"]
            model = WordModel(
                arrays["log_one"].astype(np.float32), arrays["log_back"].astype(np.float32),
                np.cumsum(arrays["pairs"], dtype=np.int64), arrays["log_pair"].astype(np.float32),
            )  # fmt: skip
            return Vocabulary(
                parent, arrays["label"], _starts(arrays["n_children"]),
                np.argsort(parent[1:], kind="stable").astype(np.int32) + 1, _starts(arrays["n_words"]),
                arrays["words"], tuple(arrays["texts"].tobytes().decode().split("\n")), model,
            )  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path} holds no vocabulary: {error}.") from error


def _starts(counts: NDArray[np.integer] | list[int]) -> NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int32)
