"""What people write in cells and files for a number, a moment, and yes or no. Whatever is none of these is refused in
words: every function raises CellError, whose `reason` is a `Message`."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pipeline.i18n import N_, Message
from pipeline.text import visible
from pipeline.times import as_text, utc_time

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")
_CLOCK = (
    r"(?:[ T,]+(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?(?:\s*(?P<half>[AaPp]\.?[Mm]\.?))?)?"
)
_DAY_OR_MONTH_FIRST = re.compile(rf"(?P<a>\d{{1,2}})(?P<sign>[./-])(?P<b>\d{{1,2}})(?P=sign)(?P<year>\d{{4}}){_CLOCK}")
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})(?P<sign>[./-])(?P<a>\d{{1,2}})(?P=sign)(?P<b>\d{{1,2}}){_CLOCK}")
_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")
# Compared by Unicode's case folding, which makes a dotted i of every capital I.
_YES = frozenset(("true", "t", "yes", "y", "on", "1", "evet", "e", "doğru"))
_NO = frozenset(("false", "f", "no", "n", "off", "0", "hayır", "hayir", "h", "yanlış", "yanliş"))


class CellError(ValueError):
    """`reason` says what is wrong with a cell and what to write."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


def number(text: str) -> float:
    """A number with a decimal point or a decimal comma: 80, 80.5, 80,5. Thousands are not separated."""
    written = visible(text).strip().replace("\u2212", "-")
    if not _NUMBER.fullmatch(written):
        raise CellError(Message(N_("“{text}” is not a number. Write it as 80 or 80.5."), text=text.strip()[:60]))
    return float(written.replace(",", "."))


def has_decimal_comma(text: str) -> bool:
    return "," in text and bool(_NUMBER.fullmatch(visible(text).strip()))


def flag(value: Any) -> bool:
    """Yes or no, as JSON, a spreadsheet or a person writes it, in English or Turkish."""
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    word = visible(value).strip().casefold() if isinstance(value, str) else None
    if word in _YES or word in _NO:
        return word in _YES
    raise CellError(Message(N_("“{text}” is neither yes nor no. Write true or false."), text=str(value)[:60]))


def is_month_first(texts: Iterable[str]) -> bool | None:
    """Whether dates such as 05/13/2024 put the month first, from those that can be read in one way only; None where
    none tells. Points (13.05.2024) always put the day first."""
    orders = set()
    for text in texts:
        date = _DAY_OR_MONTH_FIRST.fullmatch(text.strip())
        if date and date["sign"] != ".":
            a, b = int(date["a"]), int(date["b"])
            if a <= 12 < b or b <= 12 < a:
                orders.add(b > 12)
    return orders.pop() if len(orders) == 1 else None


def is_day_or_month_first(text: str) -> bool:
    """Whether it is a date whose order of day and month had to be assumed."""
    return bool(_DAY_OR_MONTH_FIRST.fullmatch(text.strip()))


def has_offset(text: str) -> bool:
    """Whether a moment says its time zone, or has no time of day that would need one."""
    return ":" not in text or bool(_OFFSET.search(text.strip()))


def moment(text: str, *, month_first: bool = False) -> str:
    """A date, with or without a time of day, as ISO 8601 in UTC; without an offset it is UTC already."""
    written = visible(text).strip()
    date = _DAY_OR_MONTH_FIRST.fullmatch(written) or _YEAR_FIRST.fullmatch(written)
    try:
        if date is None:
            return as_text(utc_time(written))
        a, b = int(date["a"]), int(date["b"])
        month_before_day = date.re is _YEAR_FIRST or (month_first and date["sign"] != ".")
        month, day = (a, b) if month_before_day else (b, a)
        hour = int(date["hour"] or 0)
        if date["half"]:
            if not 1 <= hour <= 12:
                raise ValueError
            hour = hour % 12 + 12 * (date["half"][0] in "Pp")
        when = datetime(int(date["year"]), month, day, hour, int(date["minute"] or 0), int(date["second"] or 0))
        return as_text(utc_time(when.isoformat()))
    except ValueError:
        raise CellError(
            Message(
                N_("“{text}” is not a date. Write it as 2026-01-31, 2026-01-31 14:30 or 31.01.2026."), text=written[:60]
            )
        ) from None
