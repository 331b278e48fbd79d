"""The general English word model of the package pocketsphinx (Carnegie Mellon University, two-clause BSD licence).

Its file is a trie in reverse, as KenLM has it (Heafield 2011): each word lists the words before it, each pair the words
before that; entries are packed bit by bit, their logarithms to the base 1.0001 in tables of 65,536 values.
"""

from collections.abc import Mapping
from importlib import metadata, resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.i18n import N_
from pipeline.scoring.speech.lexicon.word_model import WordModel, found

MODEL_FILE = "model/en-us/en-us.lm.bin"
BEGINNING = "<s>"
MAGIC, ORDER = b"Trie Language Model", 3
LOG_BASE = float(np.log(1.0001))
TABLE_BITS = 16
_UNIGRAM = np.dtype([("log_p", "<f4"), ("log_back", "<f4"), ("first_before", "<u4")])
_FIELD_BYTES = 5  # that hold any field of up to 32 bits, wherever it begins


class _Field(NamedTuple):
    offset: int
    width: int


def read_sphinx_model(number: Mapping[str, int], log_unknown: NDArray[np.float64]) -> WordModel:
    """Of the words in `number`, which gives each its place; a word that the model has not gets `log_unknown` [V].
    Raises ModelError where the file is not as expected."""
    with resources.as_file(resources.files("pocketsphinx") / MODEL_FILE) as path:
        return _read(path, number, log_unknown)


def licence() -> str:
    """What has to go with anything that is made of the model."""
    files = metadata.files("pocketsphinx") or []
    texts = [file.read_text(encoding="utf-8") for file in files if file.name.startswith("LICENSE")]
    return "\n".join(["The word model is made of the English one of pocketsphinx, under this licence:\n", *texts])


def _read(path: Path, number: Mapping[str, int], log_unknown: NDArray[np.float64]) -> WordModel:
    raw = np.fromfile(path, dtype=np.uint8)
    if raw[: len(MAGIC)].tobytes() != MAGIC or raw[len(MAGIC)] != ORDER:
        raise ModelError(N_("{path} is no trigram model of pocketsphinx 5. Install pocketsphinx 5.1."), path=str(path))
    at = len(MAGIC) + 1
    n_words, n_pairs, n_triples = (int(n) for n in np.frombuffer(raw, "<u4", ORDER, at))
    at += 4 * ORDER + 4  # the kind of the tables follows, of which there is one
    tables = np.frombuffer(raw, "<f4", 3 << TABLE_BITS, at).reshape(3, -1) * LOG_BASE
    at += tables.shape[1] * 3 * 4
    ones = np.frombuffer(raw, _UNIGRAM, n_words + 1, at)
    at += ones.nbytes
    word_bits, link_bits = n_words.bit_length(), n_triples.bit_length()
    pair_bits, triple_bits = word_bits + 2 * TABLE_BITS + link_bits, word_bits + TABLE_BITS
    triples_at = at + _packed_size(n_pairs, pair_bits)
    texts_at = triples_at + _packed_size(n_triples, triple_bits)
    size = int(np.frombuffer(raw, "<i4", 1, texts_at)[0])
    texts = raw[texts_at + 4 : texts_at + 4 + size].tobytes().decode("utf-8").split("\0")

    v = len(number)
    # The place of each of its words in ours; -1 for what we do not have, among it the end of a text.
    ours = np.array([v if text == BEGINNING else number.get(text, -1) for text in texts[:n_words]])
    is_word = (ours >= 0) & (ours < v)
    log_one, log_back = log_unknown.astype(np.float64), np.zeros(v + 1)
    log_one[ours[is_word]] = ones["log_p"][:n_words][is_word] * LOG_BASE
    log_back[ours[ours >= 0]] = ones["log_back"][:n_words][ours >= 0] * LOG_BASE

    first_before: NDArray[np.int64] = ones["first_before"].astype(np.int64)
    word = np.repeat(ours, first_before[1:] - first_before[:-1])
    n_pairs = len(word)  # the header counts a few more than are there
    pair = {
        name: _unpacked(raw, at, pair_bits, field, n_pairs)
        for name, field in {
            "before": _Field(0, word_bits), "log_back": _Field(word_bits, TABLE_BITS),
            "log_p": _Field(word_bits + TABLE_BITS, TABLE_BITS),
            "first_before": _Field(word_bits + 2 * TABLE_BITS, link_bits),
        }.items()
    }  # fmt: skip
    before = ours[pair["before"]]
    keys = np.where((before >= 0) & (word >= 0) & (word < v), before * v + word, -1)
    order = np.argsort(keys, kind="stable")
    order = order[keys[order] >= 0]
    pairs = keys[order]

    owner = np.repeat(np.arange(n_pairs), np.diff(np.append(pair["first_before"], n_triples)))
    first = ours[_unpacked(raw, triples_at, triple_bits, _Field(0, word_bits), n_triples)]
    log_triple = tables[2][_unpacked(raw, triples_at, triple_bits, _Field(word_bits, TABLE_BITS), n_triples)]
    middle, last = before[owner], word[owner]
    known = (first >= 0) & (middle >= 0) & (middle < v) & (last >= 0) & (last < v)
    context = np.where(known, found(pairs, first * v + middle), -1)
    triples = np.where(context >= 0, context * v + last, -1)
    triple_order = np.argsort(triples, kind="stable")
    triple_order = triple_order[triples[triple_order] >= 0]
    return WordModel(
        log_one, log_back, pairs, tables[0][pair["log_p"][order]], tables[1][pair["log_back"][order]],
        triples[triple_order], log_triple[triple_order],
    )  # fmt: skip


def _packed_size(n_entries: int, bits: int) -> int:
    """Bytes of `n_entries` and one more of so many bits, and of what the reader of 8 bytes needs after them."""
    return ((1 + n_entries) * bits + 7) // 8 + 8


def _unpacked(raw: NDArray[np.uint8], start: int, bits: int, field: _Field, n: int) -> NDArray[np.int64]:
    """The field of `n` entries of so many bits, the first of which begins at the byte `start`; lowest bits first."""
    offsets = np.arange(n, dtype=np.int64) * bits + field.offset
    bytes_at = start + (offsets >> 3)
    values = np.zeros(n, dtype=np.int64)
    for k in range(_FIELD_BYTES):
        values |= raw[bytes_at + k].astype(np.int64) << (8 * k)
    return (values >> (offsets & 7)) & ((1 << field.width) - 1)
