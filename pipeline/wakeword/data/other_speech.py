"""What synthesisers say beside a word: words in a row, so that a synthetic voice alone tells nothing of the class."""

from collections.abc import Collection

import numpy as np

from pipeline.scoring.speech.lexicon.dictionary import whole_dictionary
from pipeline.text.words import is_said_as_written, text_key

COMMONEST = 20_000  # words to draw from
FLATTENED = 0.5  # the power of a word's frequency: drawn by it alone, half of all words are the commonest hundred
FEWEST, MOST = 1, 6  # words in a row


def word_sequences(language: str, n: int, leave_out: Collection[str], draw: np.random.Generator) -> list[str]:
    """`n` rows of words without those of the phrases in `leave_out`; none for a language without a list of words."""
    left_out = {word for phrase in leave_out for word in text_key(phrase, language).split()}
    words = [
        (word, weight)
        for word, weight in _words(language)
        if word not in left_out and is_said_as_written(word, language)
    ]
    if not words:
        return []
    weights = np.array([weight for _, weight in words]) ** FLATTENED
    chosen = draw.choice(len(words), size=(n, MOST), p=weights / weights.sum())
    lengths = draw.integers(FEWEST, MOST + 1, n)
    return [" ".join(words[i][0] for i in row[:length]) for row, length in zip(chosen, lengths, strict=True)]


def _words(language: str) -> list[tuple[str, float]]:
    """With how frequent they are: of wordfreq, or English ones of the dictionary, all alike, where it is missing."""
    try:
        import wordfreq
    except ImportError:
        return [(word, 1.0) for word in whole_dictionary() if word.isalpha()] if language == "en" else []
    try:
        listed = wordfreq.top_n_list(language, COMMONEST)
    except LookupError:
        return []
    return [(word, wordfreq.word_frequency(word, language)) for word in listed if word.isalpha()]
