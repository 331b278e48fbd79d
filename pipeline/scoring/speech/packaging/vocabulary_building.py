"""Build what hearing without a text needs: the words that may be heard, and which follows which."""

from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import artifacts
from pipeline.phones import bare
from pipeline.scoring.speech.labels import encode
from pipeline.scoring.speech.lexicon import vocabulary
from pipeline.scoring.speech.lexicon.dictionary import whole_dictionary
from pipeline.scoring.speech.model_files import VOCABULARY_FILE, WORDS_LICENCE_FILE
from pipeline.scoring.speech.packaging.sphinx_words import licence, read_sphinx_model
from pipeline.scoring.speech.packaging.word_model_building import Trust, adapted, counts_of, pruned

N_WORDS = 25_000
MAX_VARIANTS = 2
_SINGLE_LETTERS = ("a", "i", "o")
# Chosen on 320 texts of held-out speakers: there the perplexity of the adapted model is 104, of the general one 117.
TRUST = Trust(words=2e4, pairs=500.0, triples=100.0)
LEAST = 7.5e-8  # nats a word: with all pairs and triples the file would be more than twice as large
RAREST = 1e-8  # frequency of a word that only the training texts have

Text = Sequence[tuple[str, Sequence[int]]]
"""A text's words in lower case, each with the labels of how it is said."""


def write_vocabulary(folder: Path, texts: Sequence[Text]) -> dict[str, Any]:
    """Write `vocabulary.npz` for the training texts, each given once, and the licence of what it is made of.

    Words and, where pocketsphinx's model has none, their frequencies come from the package wordfreq (data under CC
    BY-SA 4.0), what follows what from pocketsphinx's model (BSD) and the texts.
    """
    dictionary = whole_dictionary()
    frequency = _frequencies(dictionary)
    for word in (word for text in texts for word, _ in text):
        frequency.setdefault(word, RAREST)
    number = {word: k for k, word in enumerate(frequency)}
    general = read_sphinx_model(number, np.log(list(frequency.values())))
    counts = counts_of([[number[word] for word, _ in text] for text in texts], general.beginning)
    model = pruned(adapted(general, counts, TRUST), LEAST)
    said = [
        (number[word], encode(bare(p) for p in phones))
        for word in frequency
        for phones in dictionary.get(word, ())[:MAX_VARIANTS]
    ]
    said += [(number[word], list(labels)) for text in texts for word, labels in text]
    vocabulary.save(folder / VOCABULARY_FILE, vocabulary.build(number, said, model))
    artifacts.write_text(folder / WORDS_LICENCE_FILE, licence())
    return {
        "n_words": len(number), "n_pairs": len(model.pairs), "n_triples": len(model.triples), "n_texts": len(texts)
    }  # fmt: skip


def _frequencies(known: Container[str]) -> dict[str, float]:
    import wordfreq

    words = [word for word in wordfreq.top_n_list("en", N_WORDS) if word in known]
    return {word: wordfreq.word_frequency(word, "en") for word in words if len(word) > 1 or word in _SINGLE_LETTERS}
