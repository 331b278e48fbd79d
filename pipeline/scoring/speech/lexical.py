"""Build what hearing without a text needs: the vocabulary of frequent words, and the phone model."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError
from pipeline.phones import bare
from pipeline.scoring.speech import vocabulary
from pipeline.scoring.speech.labels import encode
from pipeline.scoring.speech.lexicon import whole_dictionary
from pipeline.scoring.speech.model_files import PHONE_MODEL_FILE, VOCABULARY_FILE
from pipeline.scoring.speech.phone_lm import build_phone_model, word_weights

N_WORDS = 25_000
WORD_SCALE = 100.0
MAX_VARIANTS = 2
_SINGLE_LETTERS = ("a", "i", "o")


def write_lexical_files(folder: Path, texts: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Write `vocabulary.npz` and `phone_model.npz`; `texts` are the label sequences of the training texts, each once.

    Frequencies come from the package wordfreq (data under CC BY-SA 4.0). Raises ModelError where it is missing.
    """
    try:
        import wordfreq
    except ImportError as error:
        raise ModelError("Building a vocabulary needs wordfreq: pip install 'pronlab[encoder]'.") from error
    dictionary = whole_dictionary()
    top = [word for word in wordfreq.top_n_list("en", N_WORDS) if word in dictionary]
    words = {w: wordfreq.word_frequency(w, "en") for w in top if len(w) > 1 or w in _SINGLE_LETTERS}
    said = {word: [encode(bare(p) for p in phones) for phones in dictionary[word][:MAX_VARIANTS]] for word in words}
    entries = [(word, math.log(words[word]), labels) for word, variants in said.items() for labels in variants]
    vocabulary.save(folder / VOCABULARY_FILE, vocabulary.build(entries))
    weights = word_weights(words.items(), WORD_SCALE)
    sequences = [(labels, 1.0, True) for labels in texts]
    sequences += [(said[word][0], weight, False) for word, weight in weights.items()]
    build_phone_model(sequences).save(folder / PHONE_MODEL_FILE)
    return {"n_words": len(words), "n_texts": len(texts)}
