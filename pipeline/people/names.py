"""When two names are one person's: the one rule for every place where a name is taken.

A name is kept as it was typed, in composed Unicode (NFC) with single spaces, without characters that are never drawn
(variation selectors, fillers): Ada would stand on a list twice and nobody could tell which is which. Two names are one
person's where their keys are equal. The key is the name in compatibility form (NFKC: full-width letters, ligatures),
lower case by Unicode's case folding, with every i alike: `i`, `ı`, `I`, `İ`, and i with a combining dot, which is what
lower-casing `İ` by Unicode's rules leaves. Turkish writes i/İ and ı/I where other languages write i/I, and a name does
not say its language: `IŞIK` is `ışık` in Turkish and `işik` elsewhere. As both must match, all do. Two people who
differ in that dot alone (Aslı, Asli) have to add something to their names; that is rarer than one person with two
keyboards. Accents are kept apart: Ayşe and Ayse are two.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from pipeline.errors import LabelError
from pipeline.i18n import N_
from pipeline.text import composed, visible

MAX_NAME_LENGTH = 80
NOBODY = frozenset(
    ("", "None", "none", "null", "NULL", "Null", "nan", "NaN", "N/A", "n/a", "NA", "undefined", "-", "--")
)
_EVERY_I = str.maketrans("Iİı", "iii")


def clean_name(name: str) -> str:
    """A person's name in composed form with single spaces. Raises LabelError for an empty or unprintable one."""
    cleaned = spaced(name)
    if not cleaned or len(cleaned) > MAX_NAME_LENGTH or not " ".join(name.split()).isprintable():
        raise LabelError(
            N_("A person's name has 1 to {max_name_length} printable characters, got {name!r}."),
            max_name_length=MAX_NAME_LENGTH,
            name=name[:99],
        )
    return cleaned


@lru_cache(maxsize=4096)
def name_key(name: str) -> str:
    """What is equal for all spellings of one person's name; of any text, as nothing is refused here."""
    folded = unicodedata.normalize("NFKC", visible(name)).translate(_EVERY_I).casefold().replace("i\u0307", "i")
    return " ".join(unicodedata.normalize("NFC", folded).split())


def same_person(a: str, b: str) -> bool:
    return name_key(a) == name_key(b)


def spelled_as(name: str, known: Iterable[str]) -> str | None:
    """The spelling among `known` that is this person: the very same one, else the best; None for somebody new."""
    key = name_key(name)
    alike = {other for other in known if name_key(other) == key}
    if not alike:
        return None
    cleaned = spaced(name)
    return cleaned if cleaned in alike else best_spelling(alike)


def best_spelling(names: Iterable[str]) -> str:
    """Of several spellings of one name, whatever their order: one in mixed case, as names are written, else the first
    by its letters."""
    return min(names, key=lambda name: (name in (name.upper(), name.lower()), name))


def is_nobody(name: str) -> bool:
    """Whether a program wrote that there is no name: nothing, or its word for that."""
    return spaced(name) in NOBODY


def spaced(name: str) -> str:
    """In composed form with single spaces, without what is never drawn: what every name of a person or speaker is kept
    as."""
    return " ".join(composed(visible(name)).split())
