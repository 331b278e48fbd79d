"""Signs that are one in speech, however they are typed: apostrophes, quotes, dashes; and letters by their script."""

import unicodedata

from pipeline.errors import CorpusError
from pipeline.i18n import N_, Message
from pipeline.text import composed, visible

APOSTROPHE = "'"
# Typewriter's, typographic, reversed, grave, acute, modifier letters, primes, and the full-width one.
APOSTROPHES = "'’‘‛`´ʼʻʽˈʹˊˋ′‵＇՚ߴߵꞌ᾿᾽`"
QUOTES = '"“”„‟«»‹›″‶‴〝〞＂‚'
DASHES = "-‐‑‒–—―−﹘﹣－⁃˗"
_SAME = str.maketrans({**dict.fromkeys(APOSTROPHES, "'"), **dict.fromkeys(QUOTES, '"'), **dict.fromkeys(DASHES, "-")})
# Of other alphabets than English's and Turkish's, as they are read by who does not know them.
LETTERS = str.maketrans({
    "ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ı": "i", "ħ": "h",
})  # fmt: skip
# Scripts that are written together within words of one language.
_TOGETHER = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "IDEOGRAPHIC", "BOPOMOFO"})
LATIN = frozenset({"en", "tr"})


def unified(text: str) -> str:
    """Composed, without what is never drawn, full-width and compatible forms as the plain ones, one sign for every
    apostrophe, quotation mark and dash."""
    signs = visible(composed(text)).translate(_SAME).replace("№", "#")
    return composed(unicodedata.normalize("NFKC", signs)).translate(_SAME).replace("''", '"')


def lower(text: str, language: str) -> str:
    """In small letters by the rules of the language: Turkish has ı and İ, which elsewhere are spellings of i. A dot on
    an i, as other programs leave it of İ, is the i's own."""
    if language == "tr":
        text = composed(text).replace("I", "ı").replace("İ", "i")
    return composed(text.lower().replace("i\u0307", "i"))


def plain(text: str) -> str:
    """Letters without accents, as the English dictionary writes them."""
    bare = unicodedata.normalize("NFKD", text.translate(LETTERS))
    return "".join(sign for sign in bare if not unicodedata.combining(sign))


def is_mark(sign: str) -> bool:
    """Whether it stands on a letter: vowel signs (Hindi, Thai), vowel points (Arabic, Hebrew), accents without a letter
    of their own."""
    return unicodedata.category(sign).startswith("M")


def is_of_word(sign: str) -> bool:
    """A letter, a digit, or a mark on one."""
    return sign.isalnum() or is_mark(sign)


def check_scripts(word: str, language: str) -> None:
    """Raises CorpusError where a letter comes from another script than the language's, or than the rest of the word:
    it looks like the right letter, and is read as none or as another."""
    scripts = [(number, sign, _script(sign)) for number, sign in enumerate(composed(word), 1) if sign.isalpha()]
    kinds = {script for _, _, script in scripts}
    usual = "LATIN" if language in LATIN or "LATIN" in kinds else next(iter(sorted(kinds)), "")
    if language not in LATIN:
        usual = max(sorted(kinds), key=lambda kind: sum(script == kind for _, _, script in scripts), default="")
    foreign = [(number, sign) for number, sign, script in scripts if script != usual]
    if not foreign or (language not in LATIN and kinds <= _TOGETHER):
        return
    if len(foreign) == len(scripts):
        name = scripts[0][2].capitalize()
        raise CorpusError(
            N_("“{word}” is written in {name} letters, not in those of its language. Type it again."),
            word=word,
            name=name,
        )
    number, sign = foreign[0]
    looks = Message(N_(", which may look like a {script} letter"), script=usual.capitalize()) if usual else ""
    raise CorpusError(
        N_("Letter {number} of “{word}”, “{sign}”, is {name}{looks}. Type it again."),
        number=number, word=word, sign=sign, name=unicodedata.name(sign, "unnamed"), looks=looks,
    )  # fmt: skip


def _script(letter: str) -> str:
    """The script of a letter, by its Unicode name."""
    return unicodedata.name(letter, "UNKNOWN").split(" ", 1)[0]
