"""One reading of a text: what is said for what is written, and what is refused with the cure."""

import pytest

from pipeline.errors import CorpusError
from pipeline.metrics.transcription import error_rate
from pipeline.text.words import TextWord, is_said_as_written, read_text, text_key, words_of


def said(text: str, language: str) -> str:
    return " ".join(word for part in read_text(text, language) for word in part.spoken)


@pytest.mark.parametrize("sign", "'’‘‛`´ʼʻʹ′＇ꞌ")
def test_every_apostrophe_is_one(sign: str) -> None:
    assert words_of(f"Let{sign}s go", "en") == ["let's", "go"]


@pytest.mark.parametrize("dash", "-‐‑‒–—―−－")
def test_every_dash_parts_words(dash: str) -> None:
    assert words_of(f"well{dash}known {dash} fact", "en") == ["well", "known", "fact"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“Don’t,” said Zoë – 'twas fine!", "don't said zoe twas fine"),
        ("salt & pepper", "salt and pepper"),
        ("R&D", "r and d"),
        ("ＨＥＬＬＯ ﬁne", "hello fine"),
        ("I have 25 books.", "i have twenty five books"),
        ("1,234", "one thousand two hundred and thirty four"),
        ("-4", "minus four"),
        ("3.14", "three point one four"),
        ("$2.50, €1 and £1.01", "two dollars fifty cents one euro and one pound one penny"),
        ("25%", "twenty five percent"),
        ("at 10:30", "at ten thirty"),
        ("at 10:00", "at ten o'clock"),
        ("10:05 a.m.", "ten oh five a m"),
        ("1st 2nd 3rd 11th 22nd", "first second third eleventh twenty second"),
        ("in 1999.", "in nineteen ninety nine"),
        ("the 1990s", "the nineteen nineties"),
        ("5km and 1 km", "five kilometers and one kilometer"),
        ("#5 №5", "number five number five"),
        ("20th-century", "twentieth century"),
        ("Mr. Smith, Mrs. Lee, Dr. Jones etc.", "mister smith missus lee doctor jones et cetera"),
        ("U.S.A.", "u s a"),
        ("straße", "strasse"),
        ("hi 😀", "hi"),
    ],
)
def test_english_is_read_as_it_is_said(text: str, expected: str) -> None:
    assert said(text, "en") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("KAPI.", "kapı"),
        ("IŞIK İyi", "ışık iyi"),
        ("tuz & biber", "tuz ve biber"),
        ("Ankara'da", "ankarada"),
        ("25'te", "yirmi beşte"),
        ("4'ü", "dördü"),
        ("%25", "yüzde yirmi beş"),
        ("3. sınıf", "üçüncü sınıf"),
        ("Saat 3.", "saat üç"),
        ("4'üncü", "dördüncü"),
        ("10:30", "on otuz"),
        ("3,05", "üç virgül sıfır beş"),
        ("1.234,5", "bin iki yüz otuz dört virgül beş"),
        ("₺50 ve 20 TL", "elli lira ve yirmi lira"),
        ("1999", "bin dokuz yüz doksan dokuz"),
        ("Dr. Ali vb.", "doktor ali ve benzeri"),
    ],
)
def test_turkish_is_read_as_it_is_said(text: str, expected: str) -> None:
    assert said(text, "tr") == expected


@pytest.mark.parametrize(
    ("text", "language", "told"),
    [
        ("Lеt's go", "en", "Letter 2 of “Lеt's”, “е”, is CYRILLIC SMALL LETTER IE"),
        ("gοod", "en", "Letter 2 of “gοod”, “ο”, is GREEK SMALL LETTER OMICRON"),
        ("kаpı", "tr", "Letter 2 of “kаpı”, “а”, is CYRILLIC SMALL LETTER A"),
        ("Лeто", "ru", "Letter 2 of “Лeто”, “e”, is LATIN SMALL LETTER E"),
        ("Привет", "en", "written in Cyrillic letters"),
        ("10-12", "en", "“ten to twelve”"),
        ("1/2", "en", "“one half”"),
        ("½", "en", "“½”"),
        ("2²", "en", "“²”"),
        ("007", "en", "“zero five three”"),
        ("1th", "en", "“1th”"),
        ("MP3", "en", "“MP3”"),
        ("$5 million", "en", "“five million dollars”"),
        ("5 × 3", "en", "“×”"),
        ("St. Peter", "en", "“saint” or “street”"),
        ("kg", "en", "“kilogram”"),
        ("a@b.com", "en", "address"),
        ("3.5", "tr", "“3.5”"),
        ("", "tr", "contains no words"),
        (" . ", "tr", "contains no words"),
        ("\u200b\u2060", "en", "contains no words"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_write(text: str, language: str, told: str) -> None:
    with pytest.raises(CorpusError, match=r"(Write|Type)") as error:
        read_text(text, language)
    assert told in str(error.value)


def test_the_spelling_stays_beside_the_words() -> None:
    assert read_text("“Let`s” pay 25.", "en") == [
        TextWord("Let`s", 0, ("let's",)), TextWord("pay", 1, ("pay",)), TextWord("25", 2, ("twenty", "five")),
    ]  # fmt: skip


@pytest.mark.parametrize("spelling", ["It's late.", "“It’s late!”", "IT`S LATE", "it's - late", "It's late"])
def test_punctuation_changes_no_error_rate(spelling: str) -> None:
    assert error_rate([words_of("It's late", "en")], [words_of(spelling, "en")]).rate == 0.0


def test_what_is_refused_can_be_compared() -> None:
    assert words_of("Lеt's pay 1/2", "en") == ["lеt's", "pay", "1", "2"]
    assert words_of("ışık İ", "tr") == words_of("IŞIK i", "tr") == ["ışık", "i"]


def test_scripts_that_are_written_together_are_one() -> None:
    assert words_of("日本のテレビ", "ja") == ["日本のテレビ"]


def test_a_key_is_the_same_for_every_spelling() -> None:
    assert text_key("kapı.", "tr") == text_key(" KAPI ", "tr") == "kapı"
    assert text_key("???", "tr") == "???"


@pytest.mark.parametrize(
    ("word", "language", "as_written"),
    [
        ("computer", "en", True), ("o'clock", "en", True), ("bilgisayar", "tr", True), ("ml", "en", False),
        ("mr", "en", False), ("café", "en", False), ("α", "en", False), ("12", "en", False), ("kg", "tr", False),
        ("vb", "tr", False), ("", "en", False),
    ],
)  # fmt: skip
def test_a_word_of_a_list_is_said_as_written(word: str, language: str, as_written: bool) -> None:
    assert is_said_as_written(word, language) is as_written


def test_a_small_i_with_the_dot_of_its_capital_is_an_i() -> None:
    """As Python and JavaScript write İ small."""
    assert words_of("İYİ".lower(), "tr") == words_of("İyi", "tr") == ["iyi"]
    assert words_of("İstanbul".lower(), "en") == ["istanbul"]


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("हिन्दी भाषा।", "hi", ["हिन्दी", "भाषा"]),
        ("«السَّلامُ عليكم»", "ar", ["السَّلامُ", "عليكم"]),
        ("שָׁלוֹם", "he", ["שָׁלוֹם"]),
        ("தமிழ், 5", "ta", ["தமிழ்", "5"]),
        ("ɓɛ̀lɛ̀", "ln", ["ɓɛ̀lɛ̀"]),
    ],
)
def test_vowel_signs_and_accents_stay_with_their_words(text: str, language: str, words: list[str]) -> None:
    assert words_of(text, language) == words
