"""Messages are kept in English and shown in the reader's language; numbers and times follow the language."""

import copy
import json
import pickle
from datetime import UTC, datetime

import pytest

from pipeline.i18n import Message, Multilingual, duration, minute, speaking, translated
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


def test_messages_within_a_message_are_translated() -> None:
    outer = Message("{inner} {text}", inner=Multilingual({"en": "a", "tr": "b"}), text="{not a place}")
    assert outer == "a {not a place}"
    with speaking("tr"):
        assert translated(outer) == "b {not a place}"


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
