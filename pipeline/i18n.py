"""Text, numbers and dates in the language of the person who reads them.

Source strings are English and are written through `_` (or `ngettext`, where a number decides the form):

    _("Save")
    ngettext("{n} recording", "{n} recordings", n).format(n=number(n))

Constants that are made on import are marked with `N_`, or with `NN_` where a number decides the form, and translated
where they are shown. The catalogues are standard gettext files, `locales/<language>/LC_MESSAGES/pronlab.po`; a new file
there is a new language.

What the pipeline says about one recording (warnings, refusals, advice) is a `Message`: it is kept, logged, sent and
printed in English, and a page shows it by `translated`, whatever the language was when it was made. So nothing on disk
depends on who was reading:

    warning = Message("The recording is only {seconds:.2f} s long.", seconds=0.1)  # the msgid marked with N_
    translated(warning)
    Message(NN_("{n} clip is gone.", "{n} clips are gone."), n=1)

So is the text of an error with values (`PronlabError`), shown by its `words`.

What a file brings in several languages (a lesson's title) is a `Multilingual`, shown in the same way.
"""

import gettext as gettext_module
import io
import operator
import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from pathlib import Path, PurePath
from typing import Any

LOCALES = Path(__file__).parent / "locales"
DOMAIN = "pronlab"
SOURCE = "en"

_chosen: ContextVar[str | None] = ContextVar("language", default=None)


def _source_language() -> str:
    return SOURCE


_choose: Callable[[], str] = _source_language


@cache
def languages() -> dict[str, str]:
    """The languages there are, each by its own name: {"en": "English", "tr": "Türkçe"}."""
    from babel import Locale

    codes = [SOURCE, *sorted(file.parent.parent.name for file in LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))]
    return {code: str(Locale.parse(code).get_display_name(code)).capitalize() for code in codes}


def nearest(tag: str | None) -> str:
    """The language of a browser's tag ("tr-TR"), as far as there is a catalogue, else English."""
    code = (tag or "").replace("_", "-").split("-")[0].lower()
    return code if code == SOURCE or catalogue_file(code).is_file() else SOURCE


def catalogue_file(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def language() -> str:
    """The language of whoever is served in this thread."""
    return _chosen.get() or _choose()


def language_from(choose: Callable[[], str]) -> None:
    """Ask `choose` for the language wherever `speaking` has not set one; the dashboard knows its visitors."""
    global _choose
    _choose = choose


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Everything inside is in `language`."""
    token = _chosen.set(language)
    try:
        yield
    finally:
        _chosen.reset(token)


def _(text: str) -> str:
    """`text` in the reader's language; as it is where the catalogue lacks it."""
    return _catalogue(language()).gettext(text) if text else text


def N_(text: str) -> str:  # noqa: N802 - gettext's own name
    """Mark a constant for translation where it is shown."""
    return text


class Forms(str):
    """The msgid of a `Message` about `n` things, which knows its form for one."""

    singular: str

    def __new__(cls, singular: str, plural: str) -> "Forms":
        forms = super().__new__(cls, plural)
        forms.singular = singular
        return forms

    def __reduce__(self) -> tuple[Any, ...]:
        return Forms, (self.singular, str(self))

    def of(self, n: int) -> str:
        """The English form for `n`. Raises TypeError where it is no whole number, as in a damaged file."""
        return self.singular if operator.index(n) == 1 else str(self)


def NN_(singular: str, plural: str) -> Forms:  # noqa: N802 - as N_
    """Mark a message in which the value `n` decides the form; a further count is a message of its own within it."""
    return Forms(singular, plural)


class Message(str):
    """English text that remembers its msgid and values, so that `translated` can say it in another language.

    Values are texts, numbers with a format (`{share:.0%}`), or other messages. As JSON it is its English text.
    """

    msgid: str
    values: dict[str, Any]

    def __new__(cls, msgid: str, /, **values: Any) -> "Message":
        form = msgid.of(values["n"]) if isinstance(msgid, Forms) else msgid
        text = super().__new__(cls, form.format(**values) if values else form)
        text.msgid, text.values = msgid, values
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (self.msgid, self.values)

    def as_parts(self) -> dict[str, Any]:
        """What it is made of, as JSON can have it, so that a file can be read in any language later."""
        values = {
            name: value.as_parts() if isinstance(value, Message) else value for name, value in self.values.items()
        }
        msgid = [self.msgid.singular, str(self.msgid)] if isinstance(self.msgid, Forms) else self.msgid
        return {"msgid": msgid, "values": values}


def from_parts(parts: Any) -> Message:
    """The message that gave these parts. Raises ValueError for whatever are none."""
    try:
        values = {
            name: from_parts(value) if isinstance(value, dict) else value for name, value in parts["values"].items()
        }
        msgid = parts["msgid"]
        return Message(Forms(*map(str, msgid)) if isinstance(msgid, list) else str(msgid), **values)
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ValueError(f"these are no parts of a message ({type(error).__name__}: {error})") from error


def parts_of(texts: Sequence[str]) -> list[dict[str, Any] | None]:
    """What each is made of, None for plain ones: kept beside them in JSON, for `with_parts`."""
    return [text.as_parts() if isinstance(text, Message) else None for text in texts]


def with_parts(texts: Sequence[str], parts: Any) -> tuple[str, ...]:
    """The texts again as messages, where their parts are there and give them."""
    known = parts if isinstance(parts, list) and len(parts) == len(texts) else [None] * len(texts)
    return tuple(_with_parts(text, part) for text, part in zip(texts, known, strict=True))


def _with_parts(text: str, part: Any) -> str:
    try:
        message = from_parts(part)
    except ValueError:
        return text
    return message if message == text else text


def _remade(msgid: str, values: dict[str, Any]) -> Message:
    return Message(msgid, **values)


def joined(texts: Sequence[str], sign: str = ";") -> Message:
    """Several as one, with semicolons or another sign between them; each may be a `Message`."""
    values = {f"part_{index}": text for index, text in enumerate(texts)}
    return Message(f"{sign} ".join(f"{{{name}}}" for name in values), **values)


PLACED = N_("{place}: {reason}")
_FIRST = re.compile(r"\{(\w+)\}")


def about(place: str, text: str) -> Message:
    """`text`, which may be a `Message`, behind what it is about: a file, a line, a recording. One that begins with
    that file's name says `place` in its stead, so that nothing is named twice."""
    if isinstance(text, Message):
        first = _FIRST.match(text.msgid)
        if first and _is_short_for(text.values.get(first[1]), place):
            return Message(text.msgid, **{**text.values, first[1]: place})
    return Message(PLACED, place=place, reason=text)


def _is_short_for(name: Any, place: str) -> bool:
    """Whether `name` is the path `place` or its last part, which a recording's id has without the ending."""
    if type(name) is not str or "/" in name:
        return bool(name == place)
    return PurePath(place).name in (name, PurePath(name).stem)


def reason_alone(text: str) -> str:
    """What `about` put behind a place, for tables that have the place in a column; any other text as it is."""
    return text.values["reason"] if isinstance(text, Message) and text.msgid == PLACED else text


def ended(text: str) -> str:
    """With a full stop at its end, whether it had one or not; it may be a `Message`."""
    return text if text.endswith(".") else Message("{text}.", text=text)


class Multilingual(str):
    """A text with its own translations, by language; as JSON it is the English one, else the first."""

    texts: dict[str, str]

    def __new__(cls, texts: dict[str, str]) -> "Multilingual":
        text = super().__new__(cls, texts.get(SOURCE) or next(iter(texts.values())))
        text.texts = texts
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return Multilingual, (self.texts,)


def translated(text: str) -> str:
    """A `Message` or `Multilingual` in the reader's language; any other text as it is."""
    if isinstance(text, Multilingual):
        return text.texts.get(language()) or str(text)
    if not isinstance(text, Message):
        return text
    msgid = text.msgid
    form = ngettext(msgid.singular, msgid, text.values["n"]) if isinstance(msgid, Forms) else _(msgid)
    return _Localised().vformat(form, (), text.values) if text.values else form


class _Localised(string.Formatter):
    """Formats numbers by the reader's language, and messages in it."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, str) and not format_spec:
            return translated(value)
        if isinstance(value, int | float) and format_spec[-1:] in ("f", "%"):
            digits = int(format_spec[1:-1]) if format_spec[:1] == "." else 6
            return percent(value, digits) if format_spec[-1] == "%" else number(value, digits)
        if isinstance(value, int):
            return number(value)
        text = str(super().format_field(value, format_spec))
        return text.replace(".", _decimal_sign()) if isinstance(value, float) else text


def _decimal_sign() -> str:
    from babel.numbers import get_decimal_symbol

    return str(get_decimal_symbol(language()))


def ngettext(singular: str, plural: str, n: float) -> str:
    """The form for `n` in the reader's language."""
    whole = int(n) if n == int(n) else 2
    return _catalogue(language()).ngettext(singular, plural, whole)


def pgettext(context: str, text: str) -> str:
    """As `_`, for a word with two meanings that other languages tell apart."""
    return _catalogue(language()).pgettext(context, text)


def number(value: float, digits: int = 0) -> str:
    """A number with exactly `digits` decimals: 1,234.5 in English, 1.234,5 in Turkish."""
    from babel.numbers import format_decimal

    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    if round(value, digits) == 0:
        value = 0.0  # never -0.00
    return str(format_decimal(value, format=pattern, locale=language()))


def significant(value: float, digits: int = 2) -> str:
    """A number with at most `digits` significant digits: 0.025, 1.5e-05 in English, 0,025 and 1,5e-05 in Turkish."""
    from babel.numbers import get_decimal_symbol

    return f"{value:.{digits}g}".replace(".", get_decimal_symbol(language()))


def signed(value: float, digits: int = 0) -> str:
    """As `number`, with a sign before it: +1.5, -2.0, +0.0."""
    text = number(abs(value), digits)
    return f"-{text}" if value < 0 else f"+{text}"


def series(numbers: Iterable[str]) -> str:
    """Written numbers, one after the other: 0.5, 1.5 in English; 0,5; 1,5 where a comma is the decimal sign."""
    return ("; " if _decimal_sign() == "," else ", ").join(numbers)


def interval(low: str, high: str) -> str:
    """From one written number to another: [0.5, 1.5] in English, [0,5; 1,5] in Turkish."""
    return f"[{series((low, high))}]"


def percent(share: float, digits: int = 0) -> str:
    """A share of 0-1 as a percentage: 65% in English, %65 in Turkish."""
    from babel import Locale
    from babel.numbers import format_percent

    whole = str(Locale.parse(language()).percent_formats[None].pattern)
    pattern = whole.replace("#,##0", f"#,##0.{'0' * digits}") if digits else whole
    return str(format_percent(share, format=pattern, locale=language()))


def duration(hours: float) -> Message:
    """A length in the unit that fits: 4.2 s, 45 s, 12 min, 2.5 h."""
    seconds = 3600.0 * hours
    if seconds < 90.0:
        return Message(N_("{n} s"), n=round(seconds, 1) if 0.0 < seconds < 9.95 else round(seconds))
    return Message(N_("{n} min"), n=round(seconds / 60.0)) if hours < 1.5 else Message(N_("{n} h"), n=round(hours, 1))


def day(moment: datetime) -> str:
    """A day as its language writes it: Nov 26, 2026; 26 Kas 2026."""
    from babel.dates import format_date

    return str(format_date(moment, format="medium", locale=language()))


def minute(moment: datetime) -> str:
    """A day and a time to the minute in the time zone of `moment`: Nov 26, 2026, 1:45 PM; 26 Kas 2026 13:45."""
    from babel.dates import format_date, format_time, get_datetime_format

    date = format_date(moment, format="medium", locale=language())
    time = format_time(moment, format="short", locale=language(), tzinfo=moment.tzinfo)
    return str(get_datetime_format("medium", locale=language())).format(time, date)


@cache
def _catalogue(language: str) -> gettext_module.NullTranslations:
    file = catalogue_file(language)
    if not file.is_file():
        return gettext_module.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with file.open("rb") as stream:
        write_mo(compiled, read_po(stream, locale=language))
    compiled.seek(0)
    return gettext_module.GNUTranslations(compiled)
