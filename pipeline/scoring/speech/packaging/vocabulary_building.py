"""Build what hearing without a text needs: the words that may be heard, and which follows which."""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.phones import bare
from pipeline.scoring.speech.labels import encode
from pipeline.scoring.speech.lexicon import vocabulary
from pipeline.scoring.speech.lexicon.dictionary import whole_dictionary
from pipeline.scoring.speech.lexicon.word_model import build_word_model
from pipeline.scoring.speech.model_files import VOCABULARY_FILE
from pipeline.text import lines_of

N_WORDS = 25_000
MAX_VARIANTS = 2
_SINGLE_LETTERS = ("a", "i", "o")
# What the collections count for, in words of the training texts; chosen on held-out speakers.
WORDS_OF_FREQUENCIES = 2e4
WORDS_OF_PAIRS = 1e6
RAREST = 1e-8  # frequency of a word that only the training texts have

Text = Sequence[tuple[str, Sequence[int]]]
"""A text's words in lower case, each with the labels of how it is said."""


def write_vocabulary(folder: Path, texts: Sequence[Text]) -> dict[str, Any]:
    """Write `vocabulary.npz` for the training texts, each given once.

    Frequencies come from the package wordfreq (data under CC BY-SA 4.0), pairs of words from symspellpy (MIT; Google
    Books Ngrams, CC BY 3.0).
    """
    dictionary = whole_dictionary()
    frequency = _frequencies(dictionary)
    for word in (word for text in texts for word, _ in text):
        frequency.setdefault(word, RAREST)
    number = {word: k for k, word in enumerate(frequency)}
    beginning = len(number)
    ones = WORDS_OF_FREQUENCIES * np.array(list(frequency.values()))
    pairs: dict[tuple[int, int], float] = defaultdict(float)
    counted = [(number[a], number[b], count) for a, b, count in _pairs() if a in number and b in number]
    total = sum(count for _, _, count in counted)
    for a, b, count in counted:
        pairs[a, b] += WORDS_OF_PAIRS * count / total
    for text in texts:
        before = beginning
        for word, _ in text:
            ones[number[word]] += 1.0
            pairs[before, number[word]] += 1.0
            before = number[word]
    said = [
        (number[word], encode(bare(p) for p in phones))
        for word in frequency
        for phones in dictionary.get(word, ())[:MAX_VARIANTS]
    ]
    said += [(number[word], list(labels)) for text in texts for word, labels in text]
    built = vocabulary.build(number, said, build_word_model(ones, pairs))
    vocabulary.save(folder / VOCABULARY_FILE, built)
    return {"n_words": len(number), "n_pairs": len(pairs), "n_texts": len(texts)}


def _frequencies(known: Container[str]) -> dict[str, float]:
    import wordfreq

    words = [word for word in wordfreq.top_n_list("en", N_WORDS) if word in known]
    return {word: wordfreq.word_frequency(word, "en") for word in words if len(word) > 1 or word in _SINGLE_LETTERS}


def _pairs() -> Iterable[tuple[str, str, float]]:
    folder = resources.files("symspellpy")
    for line in lines_of((folder / "frequency_bigramdictionary_en_243_342.txt").read_text(encoding="utf-8-sig")):
        before, word, count = line.split()
        yield before, word, float(count)
