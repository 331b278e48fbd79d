"""Messages are kept in English and shown in the reader's language; numbers and times follow the language."""

import copy
import json
import pickle
from datetime import UTC, datetime

import pytest

from pipeline.errors import CorpusError
from pipeline.i18n import (
    NN_,
    Message,
    Multilingual,
    about,
    duration,
    from_parts,
    interval,
    minute,
    number,
    series,
    signed,
    speaking,
    translated,
)
from pipeline.records import AudioReport, Problem, to_json


def message() -> Message:
    return Message("{n} of {share:.1%} in {seconds:.2f} s: {inner}", n=1200, share=0.1234, seconds=1234.5, inner="x")


def test_a_message_is_its_english_text_wherever_it_is_kept() -> None:
    text = "1200 of 12.3% in 1234.50 s: x"
    assert message() == text
    report = AudioReport(1.0, 16_000, 1, 0.5, 0.0, 0.1, None, (Problem("odd", message()),))
    with speaking("tr"):
        assert json.loads(json.dumps(to_json(report)))["problems"][0]["message"] == text


def test_numbers_of_a_message_follow_the_language() -> None:
    with speaking("tr"):
        assert translated(message()) == "1.200 of %12,3 in 1.234,50 s: x"
    with speaking("en"):
        assert translated(message()) == "1,200 of 12.3% in 1,234.50 s: x"


def test_numbers_as_they_were_given_have_the_sign_of_the_language() -> None:
    with speaking("tr"):
        assert translated(Message("{share:g} of {n}, {score}", share=0.25, n=3, score=7.5)) == "0,25 of 3, 7,5"


@pytest.mark.parametrize("text", [message(), Multilingual({"en": "a", "tr": "b"})])
def test_copies_can_still_be_translated(text: str) -> None:
    with speaking("tr"):
        for copied in (copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
            assert translated(copied) == translated(text) != text


@pytest.mark.parametrize(
    ("place", "name", "told"),
    [
        ("empty.wav", "empty.wav", "empty.wav is empty."), ("a/b/empty.wav", "empty.wav", "a/b/empty.wav is empty."),
        ("set/a/empty", "empty.wav", "set/a/empty is empty."), ("/a/x.csv", "/a/x.csv", "/a/x.csv is empty."),
        ("utterance-7", "empty.wav", "utterance-7: empty.wav is empty."),
        ("a/01.wav", "b/01.wav", "a/01.wav: b/01.wav is empty."),
    ],
)  # fmt: skip
def test_a_file_that_a_message_names_itself_is_not_named_twice(place: str, name: str, told: str) -> None:
    for reason in (Message("{name} is empty.", name=name), about(name, "is empty.")):
        expected = told if reason.startswith(f"{name} ") else told.replace(" is empty", ": is empty")
        assert about(place, reason) == expected
    assert about(place, Message("It is empty.")) == f"{place}: It is empty."
    assert about(place, "x") == f"{place}: x"


def test_what_a_message_is_about_stays_a_message() -> None:
    with speaking("tr"):
        told = translated(
            about(
                "a/empty.wav",
                Message("{name} holds no audio: it is empty or was cut off. Record it again.", name="empty.wav"),
            )
        )
    assert told.startswith("a/empty.wav")
    assert "holds no audio" not in told


def test_messages_within_a_message_are_translated() -> None:
    outer = Message("{inner} {text}", inner=Multilingual({"en": "a", "tr": "b"}), text="{not a place}")
    assert outer == "a {not a place}"
    with speaking("tr"):
        assert translated(outer) == "b {not a place}"


# A message that the Turkish catalogue has for pages, too.
RECORDINGS = NN_("{n} recording", "{n} recordings")


@pytest.mark.parametrize(
    ("n", "english", "turkish"),
    [(0, "0 recordings", "0 kayıt"), (1, "1 recording", "1 kayıt"), (2, "2 recordings", "2 kayıt")],
)
def test_a_count_decides_the_form_of_a_message(n: int, english: str, turkish: str) -> None:
    made = Message(RECORDINGS, n=n)
    parts = json.loads(json.dumps(made.as_parts()))
    for message in (made, copy.deepcopy(made), pickle.loads(pickle.dumps(made)), from_parts(parts)):
        with speaking("tr"):
            assert (message, translated(message)) == (english, turkish)
        with speaking("en"):
            assert translated(message) == english
    assert str(Message("{a}: {b}", a=made, b=2)) == f"{english}: 2"


def test_an_error_of_one_thing_reads_as_of_one() -> None:
    assert str(CorpusError(RECORDINGS, n=1)) == "1 recording"


@pytest.mark.parametrize(
    "damage",
    [
        {"values": {}}, {"values": {"n": None}}, {"values": {"n": "2"}}, {"values": {"n": 1.5}},
        {"values": {"n": float("nan")}}, {"msgid": []}, {"msgid": ["{n} recordings"]}, {"msgid": ["a", "b", "c"]},
    ],
)  # fmt: skip
def test_damaged_parts_with_a_count_are_no_message(damage: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no parts of a message"):
        from_parts({**Message(RECORDINGS, n=2).as_parts(), **damage})


def test_texts_of_people_are_shown_as_they_are() -> None:
    with speaking("tr"):
        assert translated("Language") == "Language"


def test_times_are_to_the_minute() -> None:
    moment = datetime(2026, 11, 26, 13, 45, 30, tzinfo=UTC)
    with speaking("en"):
        assert minute(moment).replace("\u202f", " ") == "Nov 26, 2026, 1:45 PM"
    with speaking("tr"):
        assert minute(moment) == "26 Kas 2026 13:45"


@pytest.mark.parametrize(
    ("seconds", "text", "turkish"),
    [
        (0.0, "0 s", "0 sn"), (4.24, "4.2 s", "4,2 sn"), (9.97, "10 s", "10 sn"), (89.0, "89 s", "89 sn"),
        (90.0, "2 min", "2 dk"), (1800.0, "30 min", "30 dk"), (5400.0, "1.5 h", "1,5 sa"),
    ],
)  # fmt: skip
def test_a_duration_is_in_the_unit_that_fits(seconds: float, text: str, turkish: str) -> None:
    message = duration(seconds / 3600.0)
    assert message == text
    with speaking("tr"):
        assert translated(message) == turkish


def test_a_comma_between_numbers_is_no_decimal_sign() -> None:
    assert interval(signed(-1.5, 1), signed(0.5, 1)) == "[-1.5, +0.5]"
    with speaking("tr"):
        assert interval(signed(-1.5, 1), signed(0.5, 1)) == "[-1,5; +0,5]"
        assert series(number(value, 1) for value in (0.5, 1.0, 2.25)) == "0,5; 1,0; 2,2"
