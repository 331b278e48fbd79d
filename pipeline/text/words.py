"""The words of a text as they are said: the one reading for scoring, lookup and error rates.

Case, accents' spelling, punctuation, quotes, dashes and the kind of apostrophe make no difference; numbers, signs and
abbreviations become words. What cannot be read surely is refused with what to write instead.
"""

import re
import unicodedata
from dataclasses import dataclass

from pipeline.errors import CorpusError
from pipeline.i18n import N_
from pipeline.text.languages import UNDETERMINED
from pipeline.text.numbers import UNITS, number_words, unit_word
from pipeline.text.signs import check_scripts, is_mark, is_of_word, lower, plain, unified

_ABBREVIATIONS: dict[str, dict[str, str]] = {
    "en": {
        "mr": "mister", "mr.": "mister", "mrs": "missus", "mrs.": "missus", "ms.": "ms", "dr": "doctor",
        "dr.": "doctor", "prof.": "professor", "jr.": "junior", "sr.": "senior", "vs": "versus", "vs.": "versus",
        "etc": "et cetera", "etc.": "et cetera", "e.g.": "for example", "i.e.": "that is",
        "approx.": "approximately", "dept.": "department", "gov.": "governor", "gen.": "general",
        "capt.": "captain", "sgt.": "sergeant", "lt.": "lieutenant", "blvd.": "boulevard", "&": "and",
        "%": "percent", "+": "plus", "=": "equals",
    },
    "tr": {
        "dr.": "doktor", "dr": "doktor", "prof.": "profesör", "doç.": "doçent", "av.": "avukat",
        "vb.": "ve benzeri", "vb": "ve benzeri", "vs.": "vesaire", "vs": "vesaire", "vd.": "ve diğerleri",
        "örn.": "örneğin", "ör.": "örneğin", "bkz.": "bakınız", "yy.": "yüzyıl", "tl": "lira", "dk.": "dakika",
        "müh.": "mühendis", "öğr.": "öğretim", "gör.": "görevlisi", "&": "ve", "%": "yüzde", "+": "artı",
        "=": "eşittir",
    },
}  # fmt: skip
# Read in more than one way: which one, only who wrote it knows.
_AMBIGUOUS: dict[str, dict[str, str]] = {
    "en": {"st.": "“saint” or “street”", "ave.": "“avenue”", "rd.": "“road”", "no.": "“number” or “no”"},
    "tr": {"sn.": "“sayın” or “saniye”", "cad.": "“caddesi”", "sok.": "“sokağı”", "no.": "“numara”",
           "mah.": "“mahallesi”"},
}  # fmt: skip
_SPELLED = re.compile(r"(?:[^\W\d_]\.){2,}[^\W\d_]?")
_ADDRESS = re.compile(r"\w@\w|://|^www\.", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_LETTERS_AND_DIGITS = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_AROUND = "\"'()[]{}<>,;:!?¡¿*_~|…·•"


@dataclass(frozen=True)
class TextWord:
    """One part of a text: `written` as the text has it, `token` the number of the piece between blanks that it is in,
    and the words that are said for it, in small letters: `25` is `("twenty", "five")`."""

    written: str
    token: int
    spoken: tuple[str, ...]


def read_text(text: str, language: str = UNDETERMINED) -> list[TextWord]:
    """Every part of a text that is said.

    Raises CorpusError for a text without words, a letter of another script than the text's, and numbers or signs that
    can be read in several ways.

    Example: `[word.spoken for word in read_text("Salt & pepper!", "en")]` is `[("salt",), ("and",), ("pepper",)]`.
    """
    read = [
        TextWord(written, token, tuple(spoken))
        for token, piece, before, following in _pieces(text)
        for written, spoken in _read(piece, before, following, language)
    ]
    if not read:
        raise CorpusError(N_("“{text}” contains no words. Write what is to be said."), text=text)
    return read


def words_of(text: str, language: str = UNDETERMINED) -> list[str]:
    """The words to compare and look up by: as `read_text` reads them; what it refuses stays as it is written."""
    words: list[str] = []
    for _, piece, before, following in _pieces(text):
        try:
            words += [word for _, spoken in _read(piece, before, following, language) for word in spoken]
        except CorpusError:
            words += _matches(_LETTERS_AND_DIGITS, lower(unified(piece), _of(language)))
    return words


def is_said_as_written(word: str, language: str = UNDETERMINED) -> bool:
    """Whether a word of a list is read as itself: no abbreviation (`mr`, `km`), nothing to spell or to refuse."""
    try:
        return [said for part in read_text(word, language) for said in part.spoken] == [word]
    except CorpusError:
        return False


def text_key(text: str, language: str = UNDETERMINED) -> str:
    """What two spellings of one text have in common."""
    return " ".join(words_of(text, language)) or lower(unified(text.strip()), _of(language))


def _pieces(text: str) -> list[tuple[int, str, str, str]]:
    """The pieces between blanks: number, piece, the one before and the one after."""
    pieces = text.split()
    return list(zip(range(len(pieces)), pieces, ["", *pieces], [*pieces[1:], ""], strict=False))


def _read(piece: str, before: str, following: str, language: str) -> list[tuple[str, list[str]]]:
    """Pairs of a part as it is written and the words for it."""
    language = _of(language)
    if odd := next((sign for sign in piece if unicodedata.category(sign) == "No"), None):
        raise CorpusError(N_("Write “{piece}” in words, as it is said: it has the sign “{odd}”."), piece=piece, odd=odd)
    sign = unified(piece)
    core = sign.strip(_AROUND)
    short = lower(core, language)
    units, ambiguous = UNITS.get(language, {}), _AMBIGUOUS.get(language, {})
    shortened = _ABBREVIATIONS.get(language, {})
    if words := shortened.get(short) or shortened.get(sign):
        return [(core, words.split())]
    if core.endswith(".") and short in ambiguous and (following or short != "no."):
        raise CorpusError(
            N_("“{short}” is an abbreviation. Write it as it is said: {words}."), short=core, words=ambiguous[short]
        )
    if _SPELLED.fullmatch(core):
        return [(core, [lower(letter, language) for letter in core if letter != "."])]
    if _ADDRESS.search(core):
        raise CorpusError(N_("“{address}” is an address. Write it in words, as it is said."), address=core)
    if any(letter.isdecimal() for letter in core):
        return _with_number(sign, core, unified(following).strip(_AROUND), language)
    unit = short.rstrip(".")
    if unit in units:
        if not any(letter.isdecimal() for letter in before):
            raise CorpusError(
                N_("“{short}” is an abbreviation. Write it as it is said, for example “{words}”."),
                short=core, words=units[unit],
            )  # fmt: skip
        return [(core, [unit_word(unit, language, is_one=before.strip(_AROUND) == "1")])]
    parts = _letters(sign, language)
    if len(parts) == 1:
        return [(_spelling(piece), [parts[0][1]])]
    return [(part, [word]) for part, word in parts]


def _spelling(piece: str) -> str:
    """A word without what stands around it, its apostrophes as they were typed."""
    inside = [n for n, sign in enumerate(piece) if is_of_word(sign)]
    return piece[inside[0] : inside[-1] + 1] if inside else piece


def _with_number(sign: str, core: str, following: str, language: str) -> list[tuple[str, list[str]]]:
    """A token with digits: a number, or parts of which one is (`20th-century`, `COVID-19`)."""
    bare = core.rstrip(".")
    if language == "tr" and core.endswith("."):
        is_last = not following
        return [(core, number_words(bare if is_last or not following[:1].islower() else core, language, following))]
    if language == "en" and bare.casefold().endswith("'s") and bare[:-2].isdecimal() and not bare[:-2].endswith("0"):
        *words, last = number_words(bare[:-2], language, following)
        return [(bare, [*words, f"{last}'s"])]
    if sign.startswith("#"):
        bare = f"#{bare.lstrip('#')}"
    joined = [part for part in bare.split("-") if part]
    if len(joined) > 1 and not bare.startswith("-") and sum(any(c.isdecimal() for c in p) for p in joined) == 1:
        return [pair for part in joined for pair in _read(part, "", following, language)]
    return [(bare, number_words(bare, language, following))]


def _letters(sign: str, language: str) -> list[tuple[str, str]]:
    """The words between punctuation, each as it is written and as it is compared."""
    words: list[tuple[str, str]] = []
    joined = {"en": " and ", "tr": " ve "}.get(language, " ")
    for mark in sign:
        if unicodedata.category(mark) in ("Sm", "Sc") and mark not in "|~<>":
            raise CorpusError(N_("Write “{mark}” in “{sign}” as a word."), mark=mark, sign=sign)
    for written in _matches(_LETTERS, sign.replace("&", joined) if len(sign.strip(_AROUND)) > 1 else sign):
        check_scripts(written, language)
        word = lower(plain(written), language) if language == "en" else lower(written, language)
        if language == "en" and not re.fullmatch("[a-z']+", word):
            odd = next(letter for letter in word if not re.fullmatch("[a-z']", letter))
            name = unicodedata.name(odd, "unnamed")
            raise CorpusError(
                N_("“{word}” has the letter “{odd}” ({name}). Write the word with English letters."),
                word=written, odd=odd, name=name,
            )  # fmt: skip
        words.append((written, word.replace("'", "") if language == "tr" else word))
    return words


def _matches(words: "re.Pattern[str]", text: str) -> list[str]:
    """All words of a kind, with the marks on their letters, which a pattern takes for punctuation."""
    letters = "".join("x" if is_mark(sign) else sign for sign in text)
    parts = (text[match.start() : match.end()] for match in words.finditer(letters))
    return [part for part in parts if any(sign.isalnum() for sign in part)]


def _of(language: str) -> str:
    """`en` of `en-GB`."""
    return language.replace("_", "-").split("-")[0].casefold()
