"""What may be a wake word, on every page and in every command: something that can be said in one breath."""

import unicodedata

from pipeline.errors import CorpusError
from pipeline.i18n import N_, Message
from pipeline.people.names import spaced
from pipeline.text.signs import APOSTROPHE, is_of_word, unified
from pipeline.wakeword.file_names import LONGEST_NAME

BESIDES = f" {APOSTROPHE}-_"  # what words are made of
SHOWN = 40  # characters of a text that is too long
SPELLED_OUT = "[["  # before phonemes of eSpeak NG


def wake_word(text: str) -> str:
    """`text` with plain apostrophes, dashes and single blanks. Raises CorpusError for what cannot be a word or phrase:
    no letters, signs that nobody says, more than sixty characters."""
    word = spaced(unified(text))
    reason = _reason(word, text)
    if reason is not None:
        raise CorpusError(reason)
    return word


def pronunciation(text: str) -> str:
    """Another spelling of a word, by the same rule, or phonemes between [[ and ]], for which only length and line ends
    count. Raises CorpusError."""
    if SPELLED_OUT not in text:
        return wake_word(text)
    if len(text) > 4 * LONGEST_NAME or not text.isprintable():
        raise CorpusError(
            N_("{text!r} cannot be said: phonemes are printable signs, {longest} at most."),
            text=text[:SHOWN], longest=4 * LONGEST_NAME,
        )  # fmt: skip
    return text.strip()


def _reason(word: str, text: str) -> Message | None:
    if not text.strip():
        return Message(N_("Write the word first."))
    if len(word) > LONGEST_NAME:
        return Message(
            N_("A wake word has {longest} characters at most; {text!r}… has {n}."),
            longest=LONGEST_NAME, text=text[:SHOWN], n=len(word),
        )  # fmt: skip
    controls = {sign for sign in text.strip() if unicodedata.category(sign) == "Cc"}  # some of them are blanks
    strange = sorted(controls | {sign for sign in word if not is_of_word(sign) and sign not in BESIDES})
    if strange:
        return Message(
            N_("{text!r} cannot be a wake word because of {signs}. Use letters, digits, blanks, ', - and _."),
            text=text, signs=", ".join(map(repr, strange)),
        )  # fmt: skip
    if not any(sign.isalpha() for sign in word):
        return Message(N_("{text!r} has no letters. Write numbers as words."), text=text)
    return None
