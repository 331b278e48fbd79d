"""What holds for any text and any file name, whoever wrote it."""

import re
import unicodedata

_LINE_END = re.compile(r"\r\n|\n|\r")


def lines_of(text: str) -> list[str]:
    """Lines end at LF, CRLF or CR. `str.splitlines` also cuts at U+2028, U+2029, U+0085 and control characters, which
    stand within what people write and paste. A last line end begins no further line."""
    lines = _LINE_END.split(text)
    return lines[:-1] if lines[-1] == "" else lines


def composed(text: str) -> str:
    """In Unicode's composed form (NFC), in which names are compared: file systems and archives, macOS's above all,
    also hand out the same letters decomposed."""
    return unicodedata.normalize("NFC", text)


def is_writable(text: str) -> bool:
    """Whether UTF-8 can hold it: JSON and YAML can spell half a surrogate pair, which nothing can print or save."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def is_showable(text: str) -> bool:
    """Whether it can be written, and has no control characters but tabs and line ends."""
    return is_writable(text) and not any(unicodedata.category(sign) == "Cc" and sign not in "\t\r\n" for sign in text)
