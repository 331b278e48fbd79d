"""Why something failed is told in words that can be translated, by number, position and class: not in the system's or
a library's English."""

import errno
import io
import os
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
import soundfile

from pipeline import artifacts, jsonl
from pipeline.errors import said_by
from pipeline.i18n import Message
from pipeline.reasons import own_words
from pipeline.records import RatingAction


def reason(act: Callable[[], Any]) -> str:
    with pytest.raises(Exception) as told:
        act()
    words = said_by(told.value)
    assert isinstance(words, Message)
    return str(words)


def test_failures_of_the_system_are_told_by_their_number(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert reason((tmp_path / "missing").read_bytes) == "there is no such file or folder"
    assert reason((tmp_path / "folder").read_bytes) == "it is a folder"
    assert reason((tmp_path / "folder").mkdir) == "it already exists"
    assert reason((tmp_path / ("x" * 300)).read_bytes) == "its name is too long"
    for number, words in (
        (errno.EACCES, "permission denied"), (errno.EPERM, "permission denied"), (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"), (errno.EADDRINUSE, "another program is using this address"),
    ):  # fmt: skip
        assert own_words(OSError(number, os.strerror(number), "/a/b")) == words


def test_what_has_no_words_here_is_told_as_it_was_raised() -> None:
    assert said_by(OSError(errno.EINVAL, os.strerror(errno.EINVAL), "/a/b")) == os.strerror(errno.EINVAL)
    assert said_by(OSError(errno.EINVAL, Message("it is not a file"), "/a/b")) == "it is not a file"
    assert said_by(OSError("no number")) == "no number"
    assert own_words(RuntimeError("odd")) is None
    assert own_words(ValueError("odd")) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"), (" \n", "it is empty"),
        ("hello", "column 1: a value was expected here"),
        ("{", "column 2: a key in double quotes is missing"),
        ('{"a":1\n"b":2}', "line 2, column 1: a comma or closing bracket is missing"),
        ('{"a" 1}', "column 6: a colon is missing"),
        ('"a', "column 1: a text has no closing quote"),
        ('{"a":"x\ny"}', "line 1, column 8: a text has a line end or another control character"),
        ('"\\q"', "column 2: a text has an unknown escape (a backslash with a wrong letter)"),
        ("{} x", "column 4: there is more text after the end"),
        ("[" * 100_000, "it is nested too deeply"),
        (b"\xff", "byte 1 is not UTF-8"),
    ],
    ids=range(12),
)  # fmt: skip
def test_json_is_told_by_the_place_and_what_is_wrong_there(text: str | bytes, words: str) -> None:
    assert reason(lambda: artifacts.loads(text)) == words


def test_a_line_of_json_is_told_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{"a" 2}\n', encoding="utf-8")
    words = "line 2: it is not JSON: column 6: a colon is missing"
    assert reason(lambda: list(jsonl.read(tmp_path / "a.jsonl"))) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: b: c", "line 1, column 5: a colon is not allowed here; put the text in quotes"),
        ("a: 1\nb: @", "line 2, column 4: this character cannot stand here; use quotes, and no tabs"),
        ("a: [1", "line 2, column 1: a comma or closing bracket is missing"),
        ("a: 'x", "line 1, column 6: a text has no closing quote"),
        ("a: *x", "line 1, column 4: it refers to a name that is not defined"),
    ],
    ids=range(5),
)  # fmt: skip
def test_yaml_is_told_by_the_place_and_what_is_wrong_there(text: str, words: str) -> None:
    assert reason(lambda: artifacts.loads_yaml(text)) == words


def test_other_yaml_is_told_in_one_line() -> None:
    with pytest.raises(ValueError, match="unknown directive") as told:
        artifacts.loads_yaml("%y")
    assert "\n" not in said_by(told.value)


def test_toml_and_archives_are_told_in_words_of_our_own() -> None:
    assert reason(lambda: tomllib.loads("a = 1\nb c")) == "line 2, column 3: it is not valid TOML"
    assert reason(lambda: tomllib.loads('a = "x')) == "it is not valid TOML"
    assert reason(lambda: zipfile.ZipFile(io.BytesIO(b"no zip"))) == "it is damaged, or no such archive"


def test_values_of_another_kind_are_told() -> None:
    assert reason(lambda: float("8,5")) == "'8,5' is not a number"
    assert reason(lambda: int("x")) == "'x' is not a whole number"
    assert reason(lambda: RatingAction("love")) == "'love' is not a known value"
    assert reason(lambda: dict[str, str]()["audio"]) == "'audio' is missing"
    assert reason(lambda: "text".keys()).startswith("a value is of the wrong kind (")  # type: ignore[attr-defined]


def test_sound_is_told_by_the_code_of_its_library() -> None:
    for content, words in (
        (b"no sound at all", "it is not in an audio format that can be read"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "the audio in it is damaged"),
        (b"fLaC" + bytes(40), "this kind of audio is not supported"),
    ):
        assert reason(lambda content=content: soundfile.SoundFile(io.BytesIO(content))) == words  # type: ignore[misc]
    assert reason(lambda: av.open(io.BytesIO(b"no sound" * 20), format="matroska")) == "the audio in it is damaged"
