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

from pipeline.errors import LabelError
from pipeline.i18n import N_
from pipeline.text import composed, visible

MAX_NAME_LENGTH = 80
_EVERY_I = str.maketrans("Iİı", "iii")


def clean_name(name: str) -> str:
    """A person's name in composed form with single spaces. Raises LabelError for an empty or unprintable one."""
    spaced = " ".join(name.split())
    cleaned = _drawn(name)
    if not cleaned or len(cleaned) > MAX_NAME_LENGTH or not spaced.isprintable():
        raise LabelError(
            N_("A person's name has 1 to {max_name_length} printable characters, got {name!r}."),
            max_name_length=MAX_NAME_LENGTH,
            name=name[:99],
        )
    return cleaned


def name_key(name: str) -> str:
    """What is equal for all spellings of one person's name; of any text, as nothing is refused here."""
    folded = unicodedata.normalize("NFKC", visible(name)).translate(_EVERY_I).casefold().replace("i\u0307", "i")
    return " ".join(unicodedata.normalize("NFC", folded).split())


def same_person(a: str, b: str) -> bool:
    return name_key(a) == name_key(b)


def spelled_as(name: str, known: Iterable[str]) -> str | None:
    """The spelling among `known` that is this person: the very same one, else the first in order; None for somebody
    new."""
    key = name_key(name)
    alike = sorted(other for other in known if name_key(other) == key)
    if not alike:
        return None
    cleaned = _drawn(name)
    return cleaned if cleaned in alike else alike[0]


def _drawn(name: str) -> str:
    return " ".join(composed(visible(name)).split())
