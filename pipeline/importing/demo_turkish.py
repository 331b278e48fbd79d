"""Turkish words as eSpeak NG phonemes, and what goes wrong in them: the linguistic half of the demo corpus.

A word is a tuple of eSpeak mnemonics, the stressed vowel carrying a leading `'`. Faults change the phonemes, so that
the synthesiser really says something else; nothing is relabelled.
"""

import random
from dataclasses import dataclass

Phones = tuple[str, ...]

# As `espeak-ng -v tr -x` (1.51) transcribes them.
WORDS: dict[str, Phones] = {
    "araba": ("a", "*", "a", "b", "'a"),
    "çiçek": ("tS", "i", "tS", "'E", "k"),
    "kitap": ("k", "i", "t", "'a", "p"),
    "güneş": ("J", "y", "n", "'E", "S"),
    "şeker": ("S", "e", "k", "'E", "R"),
    "kapı": ("k", "a", "p", "'@"),
    "yıldız": ("j", "'@", "L", "d", "@", "z"),
    "elma": ("&", "l", "m", "'a"),
    "kedi": ("k", "e", "d", "'I"),
    "köpek": ("k", "W", "p", "'E", "k"),
    "masa": ("m", "'a", "s", "a"),
    "kalem": ("k", "a", "l", "'&", "m"),
    "balık": ("b", "a", "L", "'@", "k"),
    "deniz": ("d", "'e", "n", "I", "z"),
    "okul": ("o", "k", "'U", "L"),
    "ağaç": ("'a:", "tS"),
    "bebek": ("b", "e", "b", "'E", "k"),
    "zeytin": ("z", "E", "j", "t", "'I", "n"),
    "süt": ("s", "'Y", "t"),
    "gözlük": ("J", "W", "z", "l", "'Y", "k"),
    "limon": ("l", "i", "m", "'O", "n"),
    "pencere": ("p", "&", "n", "dZ", "E", "*", "'E"),
}

# A near vowel is heard as an accent, a far one as another word.
NEAR_VOWEL = {
    "a": "&", "a:": "a", "&": "E", "E": "&", "e": "I", "i": "I", "I": "e", "o": "U", "O": "U", "U": "o", "u": "o",
    "y": "i", "Y": "I", "W": "O", "@": "I",
}  # fmt: skip
FAR_VOWEL = {
    "a": "i", "a:": "i", "&": "o", "E": "o", "e": "a", "i": "a", "I": "a", "o": "E", "O": "E", "U": "a", "u": "a",
    "y": "a", "Y": "a", "W": "a", "@": "o",
}  # fmt: skip
NEAR_CONSONANT = {
    "p": "b", "b": "p", "t": "d", "d": "t", "k": "g", "J": "k", "tS": "S", "dZ": "tS", "S": "s", "s": "z", "z": "s",
    "m": "n", "n": "m", "l": "R", "L": "R", "R": "l", "*": "l", "j": "l",
}  # fmt: skip
FAR_CONSONANT = {
    "p": "s", "b": "z", "t": "m", "d": "S", "k": "m", "J": "S", "tS": "m", "dZ": "b", "S": "k", "s": "k", "z": "b",
    "m": "S", "n": "t", "l": "s", "L": "t", "R": "z", "*": "tS", "j": "p",
}  # fmt: skip


@dataclass(frozen=True)
class SpokenFault:
    """What was said instead, and in words what is wrong with it."""

    phones: Phones
    description: str


def is_vowel(phone: str) -> bool:
    return phone.lstrip("'") in NEAR_VOWEL


def wrong_vowel(phones: Phones, grade: int, draw: random.Random) -> SpokenFault:
    """Grade 1 a near vowel, 2 a far one, 3 every vowel far."""
    places = [i for i, phone in enumerate(phones) if is_vowel(phone)]
    chosen = places if grade == 3 else [draw.choice(places)]
    return _replaced(phones, chosen, NEAR_VOWEL if grade == 1 else FAR_VOWEL, "wrong vowel")


def wrong_consonant(phones: Phones, grade: int, draw: random.Random) -> SpokenFault:
    """Grade 1 a near consonant, 2 a far one, 3 every consonant far."""
    places = [i for i, phone in enumerate(phones) if not is_vowel(phone)]
    chosen = places if grade == 3 else [draw.choice(places)]
    return _replaced(phones, chosen, NEAR_CONSONANT if grade == 1 else FAR_CONSONANT, "wrong consonant")


def dropped_consonant(phones: Phones, grade: int, draw: random.Random) -> SpokenFault:
    """Grade 1 one consonant left out, 2 two, 3 all."""
    places = [i for i, phone in enumerate(phones) if not is_vowel(phone)]
    dropped = set(draw.sample(places, min(len(places), grade if grade < 3 else len(places))))
    kept = tuple(phone for i, phone in enumerate(phones) if i not in dropped)
    missing = " ".join(phones[i] for i in sorted(dropped))
    return SpokenFault(kept, f"dropped consonant: {missing} left out")


def wrong_stress(phones: Phones, grade: int, draw: random.Random) -> SpokenFault:
    """The stress on another vowel; from grade 2 emphatically. A word of one vowel gets an emphatic stress only."""
    vowels = [i for i, phone in enumerate(phones) if is_vowel(phone)]
    others = [i for i in vowels if not phones[i].startswith("'")] or vowels
    place = draw.choice(others)
    bare = [phone.lstrip("'") for phone in phones]
    bare[place] = ("'" if grade == 1 else "''") + bare[place]
    return SpokenFault(tuple(bare), f"wrong stress: on vowel {vowels.index(place) + 1}")


def _replaced(phones: Phones, places: list[int], table: dict[str, str], name: str) -> SpokenFault:
    changed = list(phones)
    for place in places:
        phone = phones[place]
        stress = "'" if phone.startswith("'") else ""
        changed[place] = stress + table[phone.lstrip("'")]
    said = ", ".join(f"{phones[i].lstrip(chr(39))} -> {changed[i].lstrip(chr(39))}" for i in places)
    return SpokenFault(tuple(changed), f"{name}: {said}")
