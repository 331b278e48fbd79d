"""Turkish words as eSpeak NG says them, letter by letter, and what learners get wrong in them.

A word is a tuple of eSpeak mnemonics, one for each letter of `text.turkish.sounds_of`; ğ is the `:` that lengthens the
vowel before it, or nothing. The synthesiser really says something else where a sound is faulty; nothing is relabelled.
"""

import random
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_, NN_
from pipeline.synthesis import espeak
from pipeline.text.turkish import sounds_of

# What eSpeak NG 1.51 says for each letter, in its mnemonics.
SAID_AS = {
    "a": "a", "b": "b", "c": "dZ", "ç": "tS", "d": "d", "e": "e E &", "f": "f", "g": "g J", "h": "h", "ı": "@",
    "i": "i I", "j": "Z", "k": "k c", "l": "l L", "m": "m", "n": "n N", "o": "o O", "ö": "W", "p": "p", "r": "R *",
    "s": "s", "ş": "S", "t": "t", "u": "u U", "ü": "y Y", "v": "v", "y": "j", "z": "z",
}  # fmt: skip
VOWELS = frozenset("aeıioöuü")
# What learners say instead; ğ said as g, and a sound left out or added, are faults of their own.
INSTEAD = {
    "a": "E o", "e": "a I", "ı": "I U", "i": "@ e", "o": "U W", "ö": "O E", "u": "Y O", "ü": "U I", "b": "p v",
    "c": "Z tS j", "ç": "S dZ", "d": "t", "f": "p v", "g": "k dZ", "h": "k", "j": "dZ S", "k": "g t", "l": "R j",
    "m": "n", "n": "m l", "p": "b f", "r": "l z", "s": "S z", "ş": "s tS", "t": "d tS", "v": "f b", "y": "dZ l",
    "z": "s dZ",
}  # fmt: skip
FAR = {
    "a": "i", "e": "o", "ı": "o", "i": "a", "o": "E", "ö": "a", "u": "a", "ü": "a", "b": "z", "c": "b", "ç": "m",
    "d": "S", "f": "m", "g": "S", "h": "m", "j": "b", "k": "m", "l": "s", "m": "S", "n": "t", "p": "s", "r": "tS",
    "s": "k", "ş": "k", "t": "m", "v": "t", "y": "p", "z": "b",
}  # fmt: skip
ADDED = ("@", "I")  # vowels that break up a cluster
FAULTS = (("instead", 0.55), ("far", 0.15), ("left out", 0.18), ("added", 0.12))
_LETTER_OF = {phone: letter for letter, phones in SAID_AS.items() for phone in phones.split()}
_TOKEN = re.compile(r"(['%,=]*)(tS|dZ|[a-zA-Z@&*])(:?)")


@dataclass(frozen=True)
class SpokenWord:
    """`phones` [n] is what is said for each letter, with what is added before it; `letters` [n] what it should be;
    `wrong` [n] whether it is, None where the ear cannot tell which of two sounds is meant."""

    word: str
    letters: tuple[str, ...]
    phones: tuple[str, ...]
    wrong: tuple[bool | None, ...]
    fault: str = ""

    @property
    def mnemonics(self) -> str:
        return f"[[{''.join(self.phones)}]]"

    @property
    def said(self) -> tuple[str, ...]:
        """The letters of what is really said; a long vowel is one."""
        return tuple(_LETTER_OF[phone] for part in self.phones for _mark, phone, _long in _TOKEN.findall(part))


def spoken_words(words: Iterable[str]) -> list[SpokenWord]:
    """As eSpeak NG says them, but for those whose letters and mnemonics do not fit each other. Raises CorpusError where
    eSpeak NG is not installed."""
    listed = list(dict.fromkeys(words))
    try:
        said = espeak.mnemonics(listed, "tr")
    except (OSError, subprocess.SubprocessError) as error:
        raise CorpusError(
            N_("eSpeak NG cannot be asked how words are said: {reason}."), reason=said_by(error)
        ) from error
    if len(said) != len(listed):
        raise CorpusError(
            NN_("eSpeak NG said {n} word for {n_listed}.", "eSpeak NG said {n} words for {n_listed}."),
            n=len(said), n_listed=len(listed),
        )  # fmt: skip
    known = []
    for word, mnemonics in zip(listed, said, strict=True):
        letters = sounds_of(word)
        phones = by_letters(letters, mnemonics)
        if phones is not None:
            known.append(SpokenWord(word, letters, phones, (False,) * len(letters)))
    return known


def by_letters(letters: tuple[str, ...], mnemonics: str) -> tuple[str, ...] | None:
    """The mnemonics of each letter, ("'a", ":", "", "tS") of `'a:tS` for `ağaç`; None where they do not fit."""
    tokens = [(mark, phone, long) for mark, phone, long in _TOKEN.findall(mnemonics)]
    phones: list[str] = []
    place = 0
    for number, letter in enumerate(letters):
        after_soft_g = number > 1 and letters[number - 1] == "ğ" and letters[number - 2] == letter
        if letter == "ğ":
            is_long = place > 0 and bool(tokens[place - 1][2])
            phones.append(":" if is_long else "")
            if not is_long and place < len(tokens) and tokens[place][1] == "j":
                place += 1
        elif place < len(tokens) and tokens[place][1] in SAID_AS[letter].split():
            mark, phone, _long = tokens[place]
            phones.append(mark.replace("%", "").replace(",", "").replace("=", "") + phone)
            place += 1
        elif after_soft_g:
            phones.append("")
        else:
            return None
    return tuple(phones) if place == len(tokens) and phones else None


def with_fault(word: SpokenWord, draw: random.Random) -> SpokenWord:
    """With one fault somewhere."""
    kind = draw.choices([name for name, _ in FAULTS], [weight for _, weight in FAULTS])[0]
    made = {"instead": _instead, "far": _far, "left out": _left_out, "added": _added}[kind](word, draw)
    return made or _instead(word, draw) or word


def _instead(word: SpokenWord, draw: random.Random) -> SpokenWord | None:
    place = draw.randrange(len(word.letters))
    letter = word.letters[place]
    if letter == "ğ":
        made = _changed(word, place, "g", "ğ said as g: ğ")
        after = place + 1
        if after < len(word.phones) and not word.phones[after]:  # the second half of the long vowel is said again
            vowel = SAID_AS[word.letters[after]].split()[0]
            phones = tuple(vowel if number == after else phone for number, phone in enumerate(made.phones))
            return replace(made, phones=phones)
        return made
    if not word.phones[place]:
        return None
    return _changed(word, place, draw.choice(INSTEAD[letter].split()), f"another sound: {letter}")


def _far(word: SpokenWord, draw: random.Random) -> SpokenWord | None:
    place = draw.choice([number for number, phone in enumerate(word.phones) if phone and phone != ":"])
    return _changed(word, place, FAR[word.letters[place]], f"a far sound: {word.letters[place]}")


def _left_out(word: SpokenWord, draw: random.Random) -> SpokenWord | None:
    """A consonant, or the length of a vowel before ğ."""
    places = [number for number, letter in enumerate(word.letters) if letter not in VOWELS and word.phones[number]]
    if not places or len(word.letters) < 3:
        return None
    place = draw.choice(places)
    return _changed(word, place, "", f"left out: {word.letters[place]}")


def _added(word: SpokenWord, draw: random.Random) -> SpokenWord | None:
    """A vowel within a cluster; it is marked on the sound after it."""
    places = [
        number for number in range(1, len(word.letters))
        if not {word.letters[number], word.letters[number - 1]} & {*VOWELS, "ğ"}
    ]  # fmt: skip
    if not places:
        return None
    place = draw.choice(places)
    made = _changed(
        word, place, draw.choice(ADDED) + word.phones[place], f"a vowel added: before {word.letters[place]}"
    )
    wrong = tuple(None if number == place - 1 else value for number, value in enumerate(made.wrong))
    return replace(made, wrong=wrong)


def _changed(word: SpokenWord, place: int, phone: str, fault: str) -> SpokenWord:
    """The stress stays where it was. Of a vowel held over ğ no sound counts but the changed: they are one sound."""
    stress = "'" if word.phones[place].startswith("'") and phone else ""
    phones = tuple(stress + phone if number == place else before for number, before in enumerate(word.phones))
    wrong = tuple(
        True if number == place else None if before is not False or _is_held(word, number, place) else False
        for number, before in enumerate(word.wrong)
    )
    return SpokenWord(word.word, word.letters, phones, wrong, fault)


def _is_held(word: SpokenWord, number: int, place: int) -> bool:
    """Whether two letters are one long sound: a vowel with the ğ beside it, or twice the same letter."""
    if abs(number - place) > 2:
        return False
    first, last = min(number, place), max(number, place)
    between = word.letters[first : last + 1]
    return len(set(between)) == 1 or ("ğ" in between and len(set(between) - {"ğ"}) <= 1)
