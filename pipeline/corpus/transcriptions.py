"""What the experts of speechocean762 heard, phone by phone, from their transcriptions of each word.

Their notation, as the corpus itself shows it (the counts over the train part leave no other reading):

    AE      heard as it is written            {AE}  right, with a heavy accent
    (AE)    wrong: nothing fits, or, where the symbol is not the canonical one, heard as that symbol
    [AX]    a phone that was added            ()    nothing was said

The symbols are a larger set than the 39 of the canonical phones: some stand for two phones (TS, IR), some for a reduced
or British vowel (AX, OO). Spans may cover several symbols: `(IH AXR OW)`.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.phones import DELETED, PHONES, UNKNOWN, bare

WRONG_BELOW = 0.5  # mean of five experts, 0-2: below it the corpus lists the phone as mispronounced
SURELY_RIGHT = 1.5
ADDED_BY = 3  # experts of five

_PARTS: dict[str, tuple[frozenset[str], ...]] = {
    symbol: tuple(frozenset(part.split("/")) for part in parts.split())
    for symbol, parts in {
        "AX": "AH/ER", "AXR": "ER/AH", "OO": "AH/AO/AA", "EE": "ER", "AR": "EH R/AH", "IR": "IH AH/R", "UR": "UH AH/R",
        "TS": "T S", "DZ": "D Z", "TR": "T R", "DR": "D R",
    }.items()
}  # fmt: skip
# Of other dictionaries (TIMIT, Festival), in the same way.
_ELSEWHERE = {
    "IX": ("IH",), "UX": ("UW",), "AXH": ("AH",), "HV": ("HH",), "H": ("HH",), "WH": ("W",), "NX": ("N",), "J": ("JH",),
    "EL": ("AH", "L"), "EM": ("AH", "M"), "EN": ("AH", "N"), "ENG": ("AH", "NG"), "DX": ("T",),
}  # fmt: skip
_SIGN = re.compile(r"[(){}\[\]]|[A-Z]+")
_CLOSES = {")": "(", "}": "{", "]": "["}


@dataclass(frozen=True)
class HeardWord:
    """One word as one listener heard it: for each canonical phone the phone heard, `UNKNOWN` or `DELETED`; `added`
    holds phones that have no canonical one, each with the index of the canonical phone it came before."""

    phones: tuple[str, ...]
    added: tuple[tuple[int, str], ...] = ()

    def sequence(self) -> list[str]:
        """The phones in the order they were heard, without those left out."""
        said: list[str] = []
        for index in range(len(self.phones) + 1):
            said += [phone for place, phone in self.added if place == index]
            if index < len(self.phones) and self.phones[index] != DELETED:
                said.append(self.phones[index])
        return said


@dataclass(frozen=True)
class _Symbol:
    accepts: frozenset[str]
    wrong: bool

    @property
    def phone(self) -> str:
        return min(self.accepts, key=lambda phone: (phone not in ("AH", "ER", "R"), phone))


def heard_by(canonical: Sequence[str], transcription: str, accuracy: Sequence[float]) -> HeardWord:
    """One expert's transcription of one word, set against its canonical phones (without stress).

    `accuracy` is the phones' mean score 0-2: an unbracketed symbol that differs from a phone which the experts agree
    was right is a weak form or another accent, not another phone.
    """
    spoken, added = _parse(transcription)
    matches = _align(canonical, spoken)
    phones: list[str] = []
    for target, index, score in zip(canonical, matches, accuracy, strict=True):
        if index is None:
            phones.append(target if score >= SURELY_RIGHT else DELETED)
            continue
        symbol = spoken[index]
        if target in symbol.accepts:
            phones.append(UNKNOWN if symbol.wrong else target)
        else:
            phones.append(target if not symbol.wrong and score >= SURELY_RIGHT else symbol.phone)
    places: list[tuple[int, str]] = []
    for before, phone in added:
        following = [place for place, index in enumerate(matches) if index is not None and index >= before]
        places.append((following[0] if following else len(canonical), phone))
    return HeardWord(tuple(phones), tuple(places))


def heard_by_most(canonical: Sequence[str], heard: Sequence[HeardWord], accuracy: Sequence[float]) -> HeardWord:
    """The experts' common verdict: a phone is wrong where its mean accuracy is under .5 (the corpus's own rule), and
    then what most of those who rejected it heard; a phone is added where three or more heard one added there."""
    phones: list[str] = []
    for index, (target, score) in enumerate(zip(canonical, accuracy, strict=True)):
        others = Counter(word.phones[index] for word in heard if word.phones[index] != target)
        if score >= WRONG_BELOW:
            phones.append(target)
        else:
            most = max(others.values(), default=0)
            tied = sorted((phone for phone, n in others.items() if n == most), key=lambda p: (p == UNKNOWN, p))
            phones.append(tied[0] if tied else UNKNOWN)
    places = Counter(place for word in heard for place in {place for place, _ in word.added})
    added: list[tuple[int, str]] = []
    for place, n in sorted(places.items()):
        if n >= ADDED_BY:
            said = Counter(phone for word in heard for at, phone in word.added if at == place)
            added.append((place, min(said, key=lambda phone: (-said[phone], phone))))
    return HeardWord(tuple(phones), tuple(added))


def word_hearings(word: dict[str, Any]) -> tuple[list[str], list[HeardWord], HeardWord]:
    """Of one word of the manifest: its canonical phones without stress, what each expert heard, and the verdict: of the
    experts' transcriptions, else the mispronunciations that the corpus lists."""
    canonical = [bare(phone) for phone in word["phones"]]
    accuracy = word.get("phones_accuracy") or []
    experts = [heard_by(canonical, text, accuracy) for text in word.get("transcribed") or []]
    if not experts and word.get("mispronunciations") is not None:
        return canonical, [], heard_as_listed(canonical, word["mispronunciations"])
    return canonical, experts, heard_by_most(canonical, experts, accuracy)


def has_phone_scores(word: dict[str, Any]) -> bool:
    """Whether every phone of a word has a score."""
    return bool(word.get("phones")) and len(word.get("phones_accuracy") or ()) == len(word["phones"])


def has_hearings(word: dict[str, Any]) -> bool:
    """Whether it is known what was heard for each phone of a word."""
    return has_phone_scores(word) or (bool(word.get("phones")) and word.get("mispronunciations") is not None)


def heard_as_listed(canonical: Sequence[str], listed: Sequence[dict[str, Any]]) -> HeardWord:
    """Published mispronunciations: the phone at `index` was heard as `pronounced_phone`; where `canonical_phone` is
    empty, that phone was added before it."""
    phones, added = list(canonical), list[tuple[int, str]]()
    for wrong in listed:
        index, heard = int(wrong["index"]), _known(str(wrong.get("pronounced_phone") or UNKNOWN))
        if not wrong.get("canonical_phone", "-"):
            added.append((min(index, len(phones)), heard))
        elif 0 <= index < len(phones):
            phones[index] = heard
    return HeardWord(tuple(phones), tuple(added))


def folded(symbol: str) -> tuple[str, ...]:
    """A symbol of the corpus's larger set, or of another dictionary, as some of the 39 phones without stress; `UNKNOWN`
    for what is none. Example: `folded("AX0")` is `("AH",)`, `folded("ts")` is `("T", "S")`."""
    plain = bare(symbol.strip().upper())
    if plain in _ELSEWHERE:
        return _ELSEWHERE[plain]
    phones = tuple(_Symbol(part, wrong=True).phone for part in _PARTS.get(plain, (frozenset({plain}),)))
    return phones if all(phone in PHONES for phone in phones) else (UNKNOWN,)


def _known(symbol: str) -> str:
    """One of the 39 phones, `DELETED`, or `UNKNOWN` for whatever is none."""
    return DELETED if symbol.casefold() == DELETED else folded(symbol)[0]


def _parse(transcription: str) -> tuple[list[_Symbol], list[tuple[int, str]]]:
    """The symbols said, and those added with the number of symbols before them."""
    spoken: list[_Symbol] = []
    added: list[tuple[int, str]] = []
    inside: list[str] = []
    for sign in _SIGN.findall(re.sub(r"\d", "", transcription)):
        if sign in "({[":
            inside.append(sign)
        elif sign in _CLOSES:
            if _CLOSES[sign] in inside:
                inside.remove(_CLOSES[sign])
        else:
            for accepts in _PARTS.get(sign, (frozenset({sign}),)):
                symbol = _Symbol(accepts, wrong="(" in inside)
                if "[" in inside:
                    added.append((len(spoken), symbol.phone))
                else:
                    spoken.append(symbol)
    return spoken, added


def _align(canonical: Sequence[str], spoken: Sequence[_Symbol]) -> list[int | None]:
    """For each canonical phone the index of the symbol it became; Levenshtein, vowels rather with vowels."""
    n, m = len(canonical), len(spoken)
    cost = [[0.0] * (m + 1) for _ in range(n + 1)]
    for i in range(n + 1):
        for j in range(m + 1):
            options = []
            if i:
                options.append(cost[i - 1][j] + 1.0)
            if j:
                options.append(cost[i][j - 1] + 1.0)
            if i and j:
                options.append(cost[i - 1][j - 1] + _substitution(canonical[i - 1], spoken[j - 1]))
            cost[i][j] = min(options, default=0.0)
    matches: list[int | None] = [None] * n
    i, j = n, m
    while i and j:
        if cost[i][j] == cost[i - 1][j - 1] + _substitution(canonical[i - 1], spoken[j - 1]):
            i, j = i - 1, j - 1
            matches[i] = j
        elif cost[i][j] == cost[i - 1][j] + 1.0:
            i -= 1
        else:
            j -= 1
    return matches


def _substitution(phone: str, symbol: _Symbol) -> float:
    if phone in symbol.accepts:
        return 0.0
    return 0.9 if (phone[0] in "AEIOU") == (symbol.phone[0] in "AEIOU") else 1.3
