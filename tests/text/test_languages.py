"""The code of a language: one rule at every door."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.corpus.readers.items import language_given
from pipeline.errors import CorpusError, UnknownNameError
from pipeline.practice.lessons import LessonError, parse
from pipeline.records import RubricName, Target
from pipeline.scoring.selection import select, settle
from pipeline.settings import CHECKOUT, Settings
from pipeline.text.languages import is_language_code, language_code

MASA = CHECKOUT / "data" / "demo" / "references" / "masa.wav"
UNKNOWN = ("xx", "English", "türkçe", "zxx", "1", "e")


@pytest.mark.parametrize(
    ("given", "code"),
    [("tr", "tr"), (" TR ", "tr"), ("tr-TR", "tr"), ("en_US", "en"), ("eng", "en"), ("tur", "tr"), ("und", "und")],
)
def test_one_language_has_one_code(given: str, code: str) -> None:
    assert language_code(given) == code


@pytest.mark.parametrize("given", UNKNOWN)
def test_what_is_no_language_is_refused_with_those_that_are_known(given: str) -> None:
    with pytest.raises(UnknownNameError, match=f"“{given}” is not known here. Known are en .English., tr .Turkish.;"):
        language_code(given)
    assert not is_language_code(given)


def test_a_region_is_no_part_of_a_code_in_files() -> None:
    assert is_language_code("de") and not is_language_code("de-DE") and not is_language_code(3)


@pytest.mark.parametrize("rubric", RubricName)
def test_no_scorer_answers_in_an_unknown_language(settings: Settings, rubric: RubricName) -> None:
    with pytest.raises(UnknownNameError, match="“xx” is not known"):
        select(settings, Target("masa", "xx", rubric))
    assert settle(Target("masa", "tr-TR", rubric))[0].language == "tr"


@pytest.mark.parametrize(
    "command",
    [
        ("score", MASA, "--word", "masa"),
        ("import", "."),
        ("train", "sounds", "--out", "sounds"),
        ("wakeword", "speak", "computer", "--out", "clips"),
        ("wakeword", "wyoming", MASA),
    ],
    ids=lambda command: " ".join(command[:2]) if command[0] in ("train", "wakeword") else command[0],
)
def test_every_command_refuses_an_unknown_language(
    command: tuple[object, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, [*map(str, command), "--language", "xx"])
    assert done.exit_code == 1
    assert "“xx” is not known here. Known are en (English), tr (Turkish)" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_lesson_in_an_unknown_language_is_refused() -> None:
    with pytest.raises(LessonError, match="language “xx” is not known"):
        parse("x", b"title: a\nlanguage: xx\nitems: [a]\n")
    with pytest.raises(LessonError, match="title has"):
        parse("x", b"title: {xx: a}\nlanguage: tr\nitems: [a]\n")
    assert parse("x", b"title: a\nlanguage: tr-TR\nitems: [a]\n").language == "tr"


def test_a_corpus_may_say_none_and_no_unknown_one() -> None:
    assert (language_given(""), language_given("TR")) == ("und", "tr")
    with pytest.raises(CorpusError, match="“xx” is not known"):
        language_given("xx")
