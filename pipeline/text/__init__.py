"""What holds for any text and any file name, whoever wrote it."""

import re
import unicodedata

_LINE_END = re.compile(r"\r\n|\n|\r")


def lines_of(text: str) -> list[str]:
    """Lines end at LF, CRLF or CR. `str.splitlines` also cuts at U+2028, U+2029, U+0085 and control characters, which
    stand within what people write and paste. A last line end begins no further line."""
    lines = _LINE_END.split(text)
    return lines[:-1] if lines[-1] == "" else lines


# Unicode's Default_Ignorable_Code_Point, and the braille pattern without a dot: nothing is drawn of them.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{INVISIBLE}]")


def visible(text: str) -> str:
    """Without what is never drawn: with it two texts look the same and are not."""
    return _INVISIBLE.sub("", text)


def composed(text: str) -> str:
    """In Unicode's composed form (NFC), in which names are compared: file systems and archives, macOS's above all,
    also hand out the same letters decomposed."""
    return unicodedata.normalize("NFC", text)


# What a terminal acts on or draws elsewhere, and what UTF-8 cannot hold: a file's name may have any of it.
_ACTED_ON = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL, _CONTROL_OR_BREAK = re.compile(f"[{_ACTED_ON}]"), re.compile(rf"[{_ACTED_ON}\t\n]")


def printable(text: str) -> str:
    """With escapes, as JSON has them, for what a terminal would act on; tabs and line ends stay."""
    return _CONTROL.sub(_escape, text)


def one_line(name: str) -> str:
    """As `printable`, of a name within a text: no tabs and line ends either, which would begin a line of their own."""
    return _CONTROL_OR_BREAK.sub(_escape, name)


def _escape(sign: "re.Match[str]") -> str:
    return f"\\u{ord(sign.group()):04x}"


def is_writable(text: str) -> bool:
    """Whether UTF-8 can hold it: JSON and YAML can spell half a surrogate pair, which nothing can print or save."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def is_showable(text: str) -> bool:
    """Whether it can be written, and has no control characters but tabs and line ends."""
    return is_writable(text) and not any(unicodedata.category(sign) == "Cc" and sign not in "\t\r\n" for sign in text)
