"""How an English wake word is said, as the speech scorer's listener labels it, and whether the listener hears it.

The listener gives a posterior of every phone to each 20 ms. A path through the word's phones is compared with the best
path through any phones over the same frames (keyword against filler, Rohlicek et al. 1989): 0 where nothing else would
fit better, more below it the more another reading does.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CorpusError, ModelError
from pipeline.i18n import N_
from pipeline.phones import bare
from pipeline.scoring.speech.labels import encode
from pipeline.scoring.speech.lexicon.dictionary import LetterToSound, in_dictionary, pronounce
from pipeline.scoring.speech.listening.ctc import NEVER
from pipeline.scoring.speech.model_files import FOLDER, find_speech_model
from pipeline.settings import Settings
from pipeline.text.words import read_text
from pipeline.wakeword.runtime.runner import place_of
from pipeline.wakeword.wake_words import wake_word

MOST_WAYS = 12
INSERTED = 0.5  # what a phone too many costs in an alignment, beside 1 for another one or one too few


def english_word(text: str) -> str:
    """As `wake_word`. Raises CorpusError also for a word that is not said as it is written (x1), and for one with
    letters that English lacks, unless the dictionary has it (café): by the rules of English it would be another
    word."""
    word = wake_word(text)
    read_text(word, "en")
    if word.isascii():
        return word
    try:
        ways_of(word)
    except CorpusError as error:
        raise CorpusError(
            N_(
                "{word!r} is no English word, and the judge of phones knows English alone. Spell it as it is said in "
                "English, or do without the judge."
            ),
            word=word,
        ) from error
    return word


def listener_folder(settings: Settings) -> Path:
    """Of the deployed or the released listener of English. Raises ModelError where there is none."""
    folder = find_speech_model(settings)
    if folder is None:
        raise ModelError(
            N_("The listener of English is missing: {folder}. Install Pronlab again, or copy the folder there."),
            folder=str(settings.released_models / FOLDER),
        )
    return folder


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


def shared_phones(ways: Sequence[Sequence[int]], phrase: str, rules: LetterToSound | None = None) -> NDArray[np.bool_]:
    """Which phones of a word, of which `ways` are the pronunciations of one length, a phrase has in their place: by the
    best alignment of any of both, in which the phrase may have more before, between and after. Raises CorpusError for
    a phrase that nobody knows how to say."""
    aligned = [_aligned(way, other) for way in ways for other in ways_of(phrase, rules)]
    return min(aligned, key=lambda pair: pair[0])[1]


def _aligned(word: Sequence[int], phrase: Sequence[int]) -> tuple[float, NDArray[np.bool_]]:
    """The cost, and which phones of the word are matched."""
    costs = np.zeros((len(word) + 1, len(phrase) + 1))
    costs[:, 0] = np.arange(len(word) + 1)
    came_from = np.ones(costs.shape, dtype=np.int64)
    for i, phone in enumerate(word, start=1):
        for j, other in enumerate(phrase, start=1):
            choices = (costs[i - 1, j - 1] + (phone != other), costs[i - 1, j] + 1.0, costs[i, j - 1] + INSERTED)
            came_from[i, j] = int(np.argmin(choices))
            costs[i, j] = choices[came_from[i, j]]
    i, j = len(word), int(np.argmin(costs[-1]))
    cost, matched = float(costs[i, j]), np.zeros(len(word), dtype=bool)
    while i > 0 and j > 0:
        if came_from[i, j] == 0:
            i, j = i - 1, j - 1
            matched[i] = word[i] == phrase[j]
        else:
            i, j = (i - 1, j) if came_from[i, j] == 1 else (i, j - 1)
    return cost, matched


def word_score(log_probs: NDArray[np.float64], labels: Sequence[int]) -> float:
    """Of the best place of the word in [T, V] log posteriors: the mean over its phones of log P(its path) - log P(the
    best path), at most 0."""
    place = place_of(log_probs, labels)
    return NEVER if place is None else place.score
