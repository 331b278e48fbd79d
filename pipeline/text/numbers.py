"""Numbers as they are said: cardinals, ordinals, years, times, money, percentages. num2words knows the words.

What could be said in several ways (dates, telephone numbers, fractions, ranges) is refused with what to write instead.
"""

import re
from collections.abc import Callable
from functools import cache

from pipeline.errors import CorpusError
from pipeline.i18n import N_

LARGEST = 10**15
_WHOLE = {"en": r"\d{1,3}(?:,\d{3})+|\d+", "tr": r"\d{1,3}(?:\.\d{3})+|\d+"}
_POINT = {"en": r"\.", "tr": ","}
_GROUP = {"en": ",", "tr": "."}
_POINT_WORD = {"en": "point", "tr": "virgül"}
_MINUS = {"en": "minus", "tr": "eksi"}
# One and several, and a hundredth of it; Turkish has no plural after a number.
_MONEY = {
    "en": {"$": ("dollar", "dollars", "cent", "cents"), "€": ("euro", "euros", "cent", "cents"),
           "£": ("pound", "pounds", "penny", "pence"), "₺": ("lira", "liras", "kurush", "kurush"),
           "¥": ("yen", "yen", "", "")},
    "tr": {"$": ("dolar", "dolar", "sent", "sent"), "€": ("avro", "avro", "sent", "sent"),
           "£": ("sterlin", "sterlin", "peni", "peni"), "₺": ("lira", "lira", "kuruş", "kuruş"),
           "¥": ("yen", "yen", "", "")},
}  # fmt: skip
MONEY_SIGNS = "$€£₺¥"
UNITS = {
    "en": {"km": "kilometer", "cm": "centimeter", "mm": "millimeter", "kg": "kilogram", "mg": "milligram",
           "ml": "milliliter", "kb": "kilobyte", "mb": "megabyte", "gb": "gigabyte", "hz": "hertz",
           "khz": "kilohertz"},
    "tr": {"km": "kilometre", "cm": "santimetre", "mm": "milimetre", "kg": "kilogram", "mg": "miligram",
           "ml": "mililitre", "kb": "kilobayt", "mb": "megabayt", "gb": "gigabayt", "hz": "hertz",
           "khz": "kilohertz"},
}  # fmt: skip
_SCALES = {
    "en": ("hundred", "thousand", "million", "billion", "trillion"),
    "tr": ("bin", "milyon", "milyar", "trilyon"),
}
# num2words writes Turkish numbers as one word, as on cheques; in texts each part is a word.
_TURKISH_PART = re.compile(
    "(?:sıfır|bir|iki|üç|dört|dörd|beş|altmış|altı|yetmiş|yedi|sekiz|seksen|dokuz|doksan|on|yirmi|otuz|kırk|elli|yüz|"
    "bin|milyon|milyar|trilyon)(?:[ıiuü]?nc[ıiuü])?"
)
_ORDINAL_SUFFIX = re.compile("[ıiuü]?nc[ıiuü]")
_ADVICE = (
    (re.compile(f"[{MONEY_SIGNS}]"), {"en": "five million dollars", "tr": "beş milyon dolar"}),
    (re.compile(r"\d+/\d+"), {"en": "one half", "tr": "yarım"}),
    (re.compile(r"\d+[-.]\d+[-.]\d+"), {"en": "the first of May", "tr": "bir Mayıs"}),
    (re.compile(r"\d+-\d+"), {"en": "ten to twelve", "tr": "ondan on ikiye"}),
    (re.compile(r"0\d+"), {"en": "zero five three", "tr": "sıfır beş üç"}),
)


def number_words(written: str, language: str, following: str = "") -> list[str]:
    """The words of a token with digits, without the punctuation around it; `following` is the next token of the text.

    Raises CorpusError, with an example of what to write, for what cannot be read surely.

    Example: `number_words("$2.50", "en")` is `["two", "dollars", "fifty", "cents"]`.
    """
    readers = _TURKISH if language == "tr" else _ENGLISH if language == "en" else ((r"\d+", _plain(language)),)
    for pattern, read in readers:
        match = re.fullmatch(pattern, written)
        if match is not None and (words := read(match, following)) is not None:
            return words
    raise _refusal(written, language)


def cardinal(value: int, language: str) -> list[str]:
    """Raises CorpusError for a number that is too large, or a language whose numbers are not known."""
    return list(_said(value, language, "cardinal"))


@cache
def _said(value: int, language: str, kind: str) -> tuple[str, ...]:
    from num2words import num2words

    try:
        text = num2words(value, lang=language, to=kind)
    except (NotImplementedError, OverflowError, ValueError) as error:
        raise _refusal(str(value), language) from error
    if language == "tr":
        return tuple(_TURKISH_PART.findall(text))
    return tuple(text.replace(",", "").replace("-", " ").split())


def _refusal(written: str, language: str) -> CorpusError:
    advice = next(
        (words for pattern, words in _ADVICE if pattern.search(written)), {"en": "twenty-five", "tr": "yirmi beş"}
    )
    if language not in advice:
        return CorpusError(N_("Write “{text}” in words, as it is said."), text=written)
    return CorpusError(
        N_("Write “{text}” in words, as it is said, for example “{words}”."), text=written, words=advice[language]
    )


def _whole(digits: str, language: str) -> int | None:
    """None for what is no plain number: 007 is said digit by digit."""
    plain = digits.replace(_GROUP.get(language, ","), "")
    value = int(plain)
    return None if (len(plain) > 1 and plain[0] == "0") or value >= LARGEST else value


def _amount(whole: str, fraction: str | None, language: str, *, minus: bool = False) -> list[str] | None:
    value = _whole(whole, language)
    if value is None:
        return None
    words = [_MINUS[language]] * minus + cardinal(value, language)
    if not fraction:
        return words
    if language == "tr":
        zeros = len(fraction) - len(fraction.lstrip("0"))
        rest = fraction[zeros:]
        tail = ["sıfır"] * zeros + (cardinal(int(rest), language) if rest else [])
    else:
        tail = [word for digit in fraction for word in cardinal(int(digit), language)]
    return [*words, _POINT_WORD[language], *tail]


def _money(sign: str, whole: str, fraction: str | None, language: str, following: str) -> list[str] | None:
    value = _whole(whole, language)
    one, several, one_part, parts = _MONEY[language][sign]
    if value is None or following.casefold().strip(".,;:!?") in _SCALES[language]:
        return None
    words = [*cardinal(value, language), one if value == 1 else several]
    if not fraction or not int(fraction):
        return words
    hundredths = int(fraction)
    return [*words, *cardinal(hundredths, language), one_part if hundredths == 1 else parts] if parts else None


def _with_unit(words: list[str] | None, unit: str, language: str, *, is_one: bool) -> list[str] | None:
    if words is None:
        return None
    return [*words, unit_word(unit, language, is_one=is_one)]


def unit_word(unit: str, language: str, *, is_one: bool) -> str:
    """A unit's name after a number."""
    name = UNITS[language][unit.casefold()]
    return f"{name}s" if language == "en" and not is_one and not name.endswith("hertz") else name


def _year(match: "re.Match[str]", _following: str) -> list[str]:
    return list(_said(int(match[1]), "en", "year"))


def _decade(match: "re.Match[str]", _following: str) -> list[str] | None:
    digits = match[1]
    if not digits.endswith("0") or digits == "00":
        return None
    words = list(_said(int(digits), "en", "year" if len(digits) == 4 else "cardinal"))
    last = words[-1]
    return [*words[:-1], f"{last[:-1]}ies" if last.endswith("y") else f"{last}s"]


def _ordinal(match: "re.Match[str]", _following: str) -> list[str] | None:
    value = _whole(match[1], "en")
    if value is None:
        return None
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return list(_said(value, "en", "ordinal")) if match[2].casefold() == ending else None


def _time(language: str) -> Callable[["re.Match[str]", str], list[str] | None]:
    def read(match: "re.Match[str]", following: str) -> list[str] | None:
        hour, minute, half = int(match[1]), int(match[2]), (match[3] or "").casefold()
        if not (hour < 24 and minute < 60) or (language == "en" and hour == 0):
            return None
        words = cardinal(hour, language)
        is_halved = bool(half) or following.casefold().replace(".", "") in ("am", "pm")
        if minute >= 10:
            words += cardinal(minute, language)
        elif minute:
            words += ["sıfır" if language == "tr" else "oh", *cardinal(minute, language)]
        elif language == "en" and not is_halved:
            words += ["o'clock"] if hour <= 12 else ["hundred"]
        return words + list(half[:1] + "m" if half else "")

    return read


def _plain(language: str) -> Callable[["re.Match[str]", str], list[str] | None]:
    def read(match: "re.Match[str]", _following: str) -> list[str] | None:
        value = _whole(match[0], language)
        return None if value is None else cardinal(value, language)

    return read


def _turkish_ordinal(match: "re.Match[str]", following: str) -> list[str] | None:
    """`3.` before a word in small letters, and `3'üncü`."""
    value = _whole(match[1], "tr")
    is_ordinal = match[2] != "." or following[:1].islower()
    return list(_said(value, "tr", "ordinal")) if value is not None and is_ordinal else None


def _turkish_suffixed(match: "re.Match[str]", _following: str) -> list[str] | None:
    """`25'te`: the ending belongs to the last word."""
    words = _amount(match[1], match[2], "tr")
    if words is None:
        return None
    ending = match[3]
    if _ORDINAL_SUFFIX.fullmatch(ending):
        return list(_said(int(match[1]), "tr", "ordinal")) if match[2] is None and match[1].isdigit() else None
    last = words[-1]
    softened = "dörd" if last == "dört" and ending[0] in "aeıioöuü" else last
    return [*words[:-1], softened + ending]


def _rules(language: str) -> tuple[tuple[str, Callable[["re.Match[str]", str], list[str] | None]], ...]:
    whole, point, signs = _WHOLE[language], _POINT[language], re.escape(MONEY_SIGNS)
    number = rf"({whole})(?:{point}(\d+))?"
    price = rf"({whole})(?:{point}(\d\d))?"
    units = "|".join(UNITS[language])
    percent = ["percent"] if language == "en" else []
    per = [] if language == "en" else ["yüzde"]

    def of_percent(match: "re.Match[str]", _following: str) -> list[str] | None:
        words = _amount(match[2], match[3], language, minus=bool(match[1]))
        return None if words is None else [*per, *words, *percent]

    def numbered(match: "re.Match[str]", _following: str) -> list[str] | None:
        words = _amount(match[1], None, language)
        return None if words is None else ["number" if language == "en" else "numara", *words]

    def with_unit(match: "re.Match[str]", _following: str) -> list[str] | None:
        is_one = (match[1], match[2]) == ("1", None)
        return _with_unit(_amount(match[1], match[2], language), match[3], language, is_one=is_one)

    return (
        (rf"([{signs}]){price}", lambda m, f: _money(m[1], m[2], m[3], language, f)),
        (rf"{price}([{signs}])", lambda m, f: _money(m[3], m[1], m[2], language, f)),
        (rf"(-?){number}%" if language == "en" else rf"%(-?){number}|(-?){number}%",
         of_percent if language == "en" else lambda m, f: _turkish_percent(m)),
        (r"(\d{1,2}):(\d\d)(am|pm|AM|PM)?" if language == "en" else r"(\d{1,2}):(\d\d)()", _time(language)),
        (rf"#({whole})", numbered),
        (rf"{number}(?i:({units}))", with_unit),
    )  # fmt: skip


def _turkish_percent(match: "re.Match[str]") -> list[str] | None:
    minus, whole, fraction = (match[1], match[2], match[3]) if match[2] else (match[4], match[5], match[6])
    words = _amount(whole, fraction, "tr", minus=bool(minus))
    return None if words is None else ["yüzde", *words]


def _signed(language: str) -> tuple[str, Callable[["re.Match[str]", str], list[str] | None]]:
    pattern = rf"(-?)({_WHOLE[language]})(?:{_POINT[language]}(\d+))?"
    return pattern, lambda m, f: _amount(m[2], m[3], language, minus=bool(m[1]))


_ENGLISH = (
    *_rules("en"),
    (rf"({_WHOLE['en']})(st|nd|rd|th|ST|ND|RD|TH)", _ordinal),
    (r"'?(\d\d|\d{4})'?[sS]", _decade),
    (r"(1[1-9]\d\d|20\d\d)", _year),
    _signed("en"),
)
_TURKISH = (
    *_rules("tr"),
    (rf"({_WHOLE['tr']})(\.)", _turkish_ordinal),
    (r"(\d+)'?([ıiuü]?nc[ıiuü])", _turkish_ordinal),
    (rf"({_WHOLE['tr']})(?:,(\d+))?'([a-zçğıöşü]+)", _turkish_suffixed),
    _signed("tr"),
)
