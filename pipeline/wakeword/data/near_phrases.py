"""What sounds like a word and is not it: what a detector must not take for it.

English words are compared by their phones in the CMU dictionary: words within a few changes (Levenshtein distance of
phones), the words that are its beginning or its end, and its two halves with one of them exchanged ("snow day", "no
boy"). All are words of a list of words: without the packages that bring it, pieces and names (*ca*, *yeutter*) would be
among them, so that nothing is listed. Other languages have no dictionary here: letters are changed for ones that sound
like them, syllables left out.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain, zip_longest

from pipeline.errors import CorpusError
from pipeline.i18n import N_
from pipeline.optional import require
from pipeline.people.names import spaced
from pipeline.phones import PHONES, bare
from pipeline.scoring.speech.lexicon.dictionary import in_dictionary, pronounce, whole_dictionary
from pipeline.text import composed, lines_of
from pipeline.text.words import is_said_as_written, text_key

MOST_CHANGED = 0.45  # of the phones
FEWEST_PHONES = 2  # of a half
VOWELS = {"tr": "aeıioöuü"}
OTHER_VOWELS = "aeiou"
WORD_LISTS = ("symspellpy", "wordfreq")  # the packages that bring them
RAREST = 2.0  # on the Zipf scale: once in ten million words
# Of two phones: books break *compu-ter* at the end of a line, so that lists made from them hold *ter* too.
SHORT_PHONES, RAREST_SHORT = 2, 3.5
LIKE = {"p": "b", "t": "d", "k": "g", "s": "z", "ç": "c", "f": "v", "ş": "j", "m": "n", "l": "r", "y": "h"}
SOUNDS_LIKE = {**LIKE, **{second: first for first, second in LIKE.items()}}


def near_phrases(word: str, language: str, n: int) -> list[str]:
    """At most `n`, the nearest first. Raises CorpusError for a text without words, and for an English one where the
    packages that know the words are missing."""
    key = text_key(word, language)
    if not any(letter.isalnum() for letter in key):
        raise CorpusError(N_("{word!r} has no word to find others for."), word=word)
    if language == "en":
        require(N_("Finding English phrases near a word"), WORD_LISTS, CorpusError)
    phones = _phones(key) if language == "en" else None
    found = _changed_letters(key, VOWELS.get(language, OTHER_VOWELS)) if phones is None else _by_phones(key, phones)
    return list(dict.fromkeys(phrase for phrase in found if phrase != key))[:n]


def _by_phones(word: str, phones: str) -> Iterator[str]:
    halves, near = list(_halves(phones)), _within(phones, max(1, round(MOST_CHANGED * len(phones))))
    both = zip_longest(halves, (text for text in near if text != word))
    return (phrase for phrase in chain.from_iterable(both) if phrase is not None)


def _halves(phones: str) -> Iterator[str]:
    """Beginning and end alone, then together with one of them exchanged for a word one phone away."""
    splits = [
        (phones[:at], phones[at:])
        for at in range(FEWEST_PHONES, len(phones) - FEWEST_PHONES + 1)
        if phones[:at] in _spellings() or phones[at:] in _spellings()
    ]
    for half in dict.fromkeys(part for split in splits for part in split if part in _spellings()):
        yield _spellings()[half]
    for first, second in splits:
        if first in _spellings() and second in _spellings():
            for other in _within(second, 1)[:6]:
                yield f"{_spellings()[first]} {other}"
            for other in _within(first, 1)[:6]:
                yield f"{other} {_spellings()[second]}"


def _within(phones: str, changes: int) -> list[str]:
    """Words at most that many phones away that do not contain it (`computers` is no false alarm), the nearest first,
    then the more frequent ones."""
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import extract

    known = list(_spellings())
    near = extract(phones, known, scorer=Levenshtein.distance, score_cutoff=changes, limit=None)
    ranked = sorted(
        (int(distance), -_frequency(_spellings()[said]), _spellings()[said])
        for said, distance, _ in near
        if phones not in said
    )
    return [text for _distance, _, text in ranked]


def _phones(word: str) -> str | None:
    """One letter for each phone; None for what the dictionary does not know, not even as two words in one."""
    splits = [(word[:at], word[at:]) for at in range(2, len(word) - 1)]
    compounds = [f"{first} {second}" for first, second in splits if in_dictionary(first) and in_dictionary(second)]
    compounds.sort(key=lambda words: -sum(map(_frequency, words.split())))
    for spelling in (word, *compounds[:1]):
        try:
            return _letters([phone for part in pronounce(spelling) for phone in part.variants[0]])
        except CorpusError:
            continue
    return None


@cache
def _spellings() -> dict[str, str]:
    """The most frequent spelling of every pronunciation in the dictionary."""
    chosen: dict[str, str] = {}
    for text, variants in whole_dictionary().items():
        if re.fullmatch(r"[a-z]{2,}", text) and _is_word(text) and is_said_as_written(text, "en"):
            said = _letters(variants[0])
            if _frequency(text) < (RAREST_SHORT if len(said) <= SHORT_PHONES else RAREST):
                continue
            if said not in chosen or _frequency(text) > _frequency(chosen[said]):
                chosen[said] = text
    return chosen


def _letters(phones: Sequence[str]) -> str:
    codes = {phone: chr(ord("A") + number) for number, phone in enumerate(PHONES)}
    return "".join(codes[bare(phone)] for phone in phones)


def _is_word(text: str) -> bool:
    """The dictionary also has abbreviations, names of firms and pieces of other languages (*ca*, *jha*)."""
    return text in _listed_words()


@cache
def _listed_words() -> frozenset[str]:
    """Those of word lists that also stand in printed books, as symspellpy has them."""
    text = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig")
    return frozenset(line.split()[0] for line in lines_of(text) if line.strip())


def _frequency(text: str) -> float:
    """On the Zipf scale: the dictionary has many names that nobody says."""
    from wordfreq import zipf_frequency

    return float(zipf_frequency(text, "en"))


def _changed_letters(word: str, vowels: str) -> Iterator[str]:
    word = composed(word)
    syllables = list(re.finditer(rf"[^{vowels}\s]*[{vowels}](?:[^{vowels}\s]+(?![{vowels}]))?", word))
    for syllable in syllables:
        if len(syllables) > 1:
            yield spaced(word[: syllable.start()] + word[syllable.end() :])
    for place, letter in enumerate(word):
        others = [other for other in vowels if other != letter] if letter in vowels else [SOUNDS_LIKE.get(letter, "")]
        for other in filter(None, others):
            yield word[:place] + other + word[place + 1 :]
