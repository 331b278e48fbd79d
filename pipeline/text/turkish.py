"""The sounds of Turkish, which is written as it is spoken: one sound for each letter."""

import re
from dataclasses import dataclass
from functools import lru_cache

from pipeline.text.signs import lower

# Letters and their usual sound in IPA. ğ lengthens the vowel before it, and is marked as a sound of its own.
SOUNDS = {
    "a": "a", "b": "b", "c": "dʒ", "ç": "tʃ", "d": "d", "e": "e", "f": "f", "g": "ɟ", "ğ": "ː", "h": "h", "ı": "ɯ",
    "i": "i", "j": "ʒ", "k": "k", "l": "l", "m": "m", "n": "n", "o": "o", "ö": "ø", "p": "p", "r": "ɾ", "s": "s",
    "ş": "ʃ", "t": "t", "u": "u", "ü": "y", "v": "v", "y": "j", "z": "z",
}  # fmt: skip
VOWELS = frozenset("aeıioöuü")
NOT_ENGLISH = frozenset("çğıİöşüÇĞÖŞÜ")
# Written in loanwords and names, and said as these.
_AS = {"â": "a", "î": "i", "û": "u", "q": "k", "w": "v", "x": "ks"}
_FOREIGN = str.maketrans(_AS)
_IPA = re.compile(r"dʒ|tʃ|[aeiɯoøuy]ː?|\w")


def has_turkish_letters(text: str) -> bool:
    """Whether it has letters that Turkish has and English does not."""
    return any(letter in NOT_ENGLISH for letter in text)


@dataclass(frozen=True)
class TurkishSound:
    """A letter, how it is said in its word (IPA; "" for a ğ between vowels), and whether its vowel is stressed."""

    letter: str
    ipa: str
    stressed: bool = False


def sounds_of(word: str) -> tuple[str, ...]:
    """The sounds of a word, each as the letter that stands for it: `("a", "ğ", "a", "ç")` of `AĞAÇ`. What is no letter
    is left out."""
    return tuple(letter for letter in lower(word, "tr").translate(_FOREIGN) if letter in SOUNDS)


@lru_cache(maxsize=1024)
def pronounced(word: str) -> tuple[TurkishSound, ...]:
    """The sounds of a word as `sounds_of` counts them, with what its letters do not show: k, g and l before front
    vowels (`göl`: ɟøl), long vowels (`memur`: meːmuɾ), what ğ does, and the stress (turkce-vurgu: rules of the
    literature, exceptions of the Turkish Wiktionary)."""
    from turkce_vurgu import heceler, sozcuk_okunusu, vurgulu_hece

    letters = sounds_of(word)
    spelled = "".join(letter for letter in lower(word, "tr").replace("x", "ks") if letter.translate(_FOREIGN) in SOUNDS)
    if not letters:
        return ()
    ipa = _by_letters(letters, _IPA.findall(sozcuk_okunusu(spelled)))
    syllable = vurgulu_hece(spelled)
    starts = heceler(spelled)
    stressed = None
    if syllable is not None:
        stressed = next((n for n in range(starts[syllable], len(letters)) if letters[n] in VOWELS), None)
    return tuple(
        TurkishSound(letter, sound, number == stressed)
        for number, (letter, sound) in enumerate(zip(letters, ipa, strict=True))
    )


def _by_letters(letters: tuple[str, ...], ipa: list[str]) -> list[str]:
    """What is said for each letter; the usual sounds where the two do not fit each other."""
    said: list[str] = []
    rest = list(ipa)
    for letter in letters:
        if letter == "ğ":
            is_long = bool(said) and said[-1].endswith("ː")
            if is_long:
                said[-1] = said[-1].removesuffix("ː")
            said.append("ː" if is_long else "")
        elif rest:
            said.append(rest.pop(0))
        else:
            break
    return said if not rest and len(said) == len(letters) else [SOUNDS[letter] for letter in letters]
