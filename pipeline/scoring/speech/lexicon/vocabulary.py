"""The words that can be heard without being told the text: a tree of their pronunciations, and which follows which."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_
from pipeline.scoring.speech.lexicon.word_model import WordModel
from pipeline.scoring.speech.listening.ctc import BLANK, NEVER

ROOT = 0
STEP = np.float32(0.1)  # nats between the log probabilities of pairs and triples that a file can hold
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
    """Log probabilities are kept in 8 bits, STEP apart; pairs and triples as how many begin alike, and how far apart
    their last words are."""
    model = vocabulary.model
    v = model.beginning
    arrays: dict[str, Any] = {
        "parent": vocabulary.parent, "label": vocabulary.label, "words": vocabulary.words,
        "n_children": np.diff(vocabulary.first_child), "n_words": np.diff(vocabulary.first_word).astype(np.int8),
        "log_one": model.log_one.astype(np.float16), "log_back": model.log_back.astype(np.float16),
        "texts": np.frombuffer("\n".join(vocabulary.texts).encode(), dtype=np.uint8),
    }  # fmt: skip
    for name, keys, log_p, n in (
        ("pair", model.pairs, model.log_pair, v + 1), ("triple", model.triples, model.log_triple, len(model.pairs)),
    ):  # fmt: skip
        arrays[f"n_{name}s"] = _narrow(np.bincount(keys // v, minlength=n))
        arrays[f"{name}s"] = _narrow(_apart(keys, v))
        arrays[f"log_{name}"] = np.clip(np.round(log_p / -STEP), 0, 255).astype(np.uint8)
    begins = arrays["n_triples"] > 0  # after the others nothing has to be weighed
    arrays["log_pair_back"] = np.clip(np.round(model.log_pair_back[begins] / STEP), -128, 127).astype(np.int8)
    with artifacts.replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def load(path: Path) -> Vocabulary:
    """Raises ModelError for a file that holds no vocabulary."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            parent = arrays["parent"]
            return Vocabulary(
                parent, arrays["label"], _starts(arrays["n_children"]),
                np.argsort(parent[1:], kind="stable").astype(np.int32) + 1, _starts(arrays["n_words"]),
                arrays["words"], tuple(arrays["texts"].tobytes().decode().split("\n")), _word_model(arrays),
            )  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(N_("{path} holds no vocabulary: {reason}."), path=str(path), reason=said_by(error)) from error


def _word_model(arrays: Mapping[str, Any]) -> WordModel:
    log_one, log_back = (arrays[name].astype(np.float32) for name in ("log_one", "log_back"))
    if "n_pairs" not in arrays:  # a model that was packaged before there were triples
        keys = np.cumsum(arrays["pairs"], dtype=np.int64)
        log_pair = arrays["log_pair"].astype(np.float32)
        none = np.zeros(0, dtype=np.int64)
        return WordModel(log_one, log_back, keys, log_pair, np.zeros_like(log_pair), none, none.astype(np.float32))
    pairs, triples = (_keys(arrays[f"n_{name}"], arrays[name], len(log_one)) for name in ("pairs", "triples"))
    log_pair_back = np.zeros(len(pairs), dtype=np.float32)
    log_pair_back[arrays["n_triples"] > 0] = arrays["log_pair_back"] * STEP
    return WordModel(
        log_one, log_back, pairs, arrays["log_pair"] * -STEP, log_pair_back, triples, arrays["log_triple"] * -STEP
    )


def _narrow(values: NDArray[np.int64]) -> NDArray[np.unsignedinteger]:
    """In as few bytes as hold all of them."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def _apart(keys: NDArray[np.int64], n_words: int) -> NDArray[np.int64]:
    """Of ascending keys, context x n_words + word: the word, less the one before it after the same context."""
    context, word = keys // n_words, keys % n_words
    follows = np.concatenate([[False], context[1:] == context[:-1]]) if len(keys) else np.zeros(0, dtype=np.bool_)
    previous = np.concatenate([[0], word[:-1]]) if len(keys) else word
    return np.where(follows, word - previous, word)


def _keys(counts: NDArray[np.integer], apart: NDArray[np.integer], n_words: int) -> NDArray[np.int64]:
    """The other way round, from how many words follow each context."""
    total = np.concatenate([[0], np.cumsum(apart, dtype=np.int64)])
    starts = _starts(counts)
    context = np.repeat(np.arange(len(counts)), counts)
    return np.asarray(context * n_words + total[1:] - total[starts[:-1]][context])


def _starts(counts: NDArray[np.integer] | list[int]) -> NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int32)
