"""Rubrics as files: what is refused, versions that stay readable, and the shipped two."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import LabelError, UnknownNameError
from pipeline.i18n import speaking, translated
from pipeline.records import BANDS, RatingAction, RatingEvent, RubricName
from pipeline.rubrics import MARKS, RUBRICS
from pipeline.rubrics.files import USED_KEYS, RubricError, dump, parse
from pipeline.rubrics.library import UNNAMED, RubricLibrary
from pipeline.settings import CHECKOUT, Settings
from tests.rubrics.clarity import CLARITY, clarity

AT = "2026-01-01T10:00:00.000+00:00"


@pytest.fixture
def library(tmp_path: Path) -> RubricLibrary:
    return RubricLibrary(Settings(data_root=tmp_path / "data", models_root=tmp_path / "models"))


def refused(**changes: Any) -> str:
    with pytest.raises(RubricError) as error:
        parse(json.dumps({**CLARITY, **changes}).replace("NaN", ".nan").replace("Infinity", ".inf").encode())
    return str(error.value)


def dimension(**changes: Any) -> list[dict[str, Any]]:
    return [{**CLARITY["dimensions"][0], **changes}]


def levels(*starts: float) -> list[dict[str, Any]]:
    return [{"low": low, "label": f"from {low}", "meaning": "m"} for low in starts]


def test_the_shipped_rubrics_are_what_ratings_without_a_version_were_given_with(library: RubricLibrary) -> None:
    for unit, reference in UNNAMED.items():
        assert library.version(reference).name == unit
    assert [rubric.reference for rubric in RUBRICS.values()] == ["word@c248b15c", "sentence@9f4d2052"]


def test_the_words_rubric_has_the_bands_of_a_score() -> None:
    (score,) = RUBRICS[RubricName.WORD].dimensions
    assert [(level.low, level.label, level.meaning) for level in score.levels] == [
        (band.low, band.label, band.meaning) for band in BANDS
    ]
    with speaking("tr"):
        assert [translated(level.label) for level in score.levels] == [band.shown_label for band in BANDS]
        assert [translated(level.meaning) for level in score.levels] == [band.shown_meaning for band in BANDS]


def test_five_of_ten_is_not_called_as_fifty_of_a_word() -> None:
    (score,) = RUBRICS[RubricName.WORD].dimensions
    total = RUBRICS[RubricName.SENTENCE].dimensions[-1]
    assert (score.level_of(50).label, total.level_of(5).label) == ("Very poor", "Understandable")


def test_a_file_comes_back_as_it_was_written() -> None:
    for rubric in (*RUBRICS.values(), clarity()):
        assert parse(dump(rubric)).content() == rubric.content()
        assert parse(dump(rubric)).version == rubric.version


def test_texts_are_in_the_readers_language() -> None:
    rubric = clarity()
    with speaking("tr"):
        assert translated(rubric.title) == "Açıklık"
        assert translated(rubric.dimensions[1].label) == "Speed", "a text in one language is for all"
    assert translated(rubric.title) == "Clarity"


def test_scores_on_a_scale_that_does_not_begin_at_zero() -> None:
    rubric = clarity()
    assert rubric.overall_score({"sounds": 1, "speed": 1, "ease": 1}) == 0
    assert rubric.overall_score({"sounds": 5, "speed": 5, "ease": 5}) == 100
    assert rubric.overall_score({"sounds": 3, "speed": 4, "ease": 2}) == 50
    with pytest.raises(LabelError, match="Sounds must be between 1 and 5"):
        rubric.check({"sounds": 0, "speed": 4, "ease": 2})
    with pytest.raises(LabelError, match="missing: Speed, Ease"):
        rubric.check({"sounds": 1})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "No such"}, "a name has 1 to 40 of a-z"),
        ({"unit": "song"}, "unit is word or sentence, got 'song'"),
        ({"title": "x" * 41}, "title has 1 to 40 characters"),
        ({"title": {"en": "A", "tr": ""}}, "title has 1 to 40 characters"),
        ({"title": "line\u0007"}, "title has 1 to 40 characters"),
        ({"overall": "total"}, "overall is sounds, speed, ease or mean, got 'total'"),
        ({"digits": "letters"}, "digits is levels or values"),
        ({"stars": 5}, "there is no key 'stars'"),
        ({"dimensions": []}, "dimensions is a list of 1 to 8"),
        ({"dimensions": dimension() * 9}, "dimensions is a list of 1 to 8"),
        ({"dimensions": dimension() * 2}, "there are two dimensions 'sounds'"),
        ({"dimensions": dimension(key="notes")}, "'notes' cannot be a dimension's key"),
        ({"dimensions": dimension(key="score")}, "a dimension with the key score is the only one and goes from 0"),
        ({"dimensions": dimension(low=float("nan"))}, "sounds: low is a number, got nan"),
        ({"dimensions": dimension(high=float("inf"))}, "sounds: high is a number, got inf"),
        ({"dimensions": dimension(low=True)}, "sounds: low is a number, got True"),
        ({"dimensions": dimension(low=-1)}, "sounds: a scale begins at 0 or above, got -1"),
        ({"dimensions": dimension(low=5)}, "sounds: high must be above low, got 5 and 5"),
        ({"dimensions": dimension(step=0)}, "sounds: step must be above 0"),
        ({"dimensions": dimension(step=3)}, "sounds: steps of 3 do not lead from 1 to 5"),
        ({"dimensions": dimension(step=0.001)}, "sounds: a scale has at most 1000 steps, this has 4000"),
        ({"dimensions": dimension(levels=levels(1, 3))}, "sounds: each level must begin below the one before it"),
        ({"dimensions": dimension(levels=levels(3, 3, 1))}, "sounds: each level must begin below the one before it"),
        ({"dimensions": dimension(levels=levels(4, 2))}, "sounds: the lowest level must begin at 1"),
        ({"dimensions": dimension(levels=levels(6, 1))}, "sounds: the lowest level must begin at 1, and none above 5"),
        ({"dimensions": dimension(levels=[])}, "sounds: levels is a list of 1 to 12"),
        ({"marks": ["rhythm"]}, "marks is a list of kinds, each once: mispronounced"),
        ({"marks": ["stress", "stress"]}, "marks is a list of kinds, each once"),
        ({"keys": {"j": "sounds"}}, "the key 'j' is the form's or the player's"),
        ({"keys": {"SS": "sounds"}}, "'SS' is not a single key"),
        ({"keys": {"X": "total"}}, "the key 'X' leads to 'total'"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(changes: dict[str, Any], reason: str) -> None:
    assert reason in refused(**changes)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    wrong = refused(unit="song", marks=["rhythm"], dimensions=dimension(step=0, label=""))
    for reason in ("unit is", "marks is", "sounds: step must", "sounds: label has"):
        assert reason in wrong


def test_yaml_that_hides_something_is_refused() -> None:
    for content, reason in (
        (b"name: a\nname: b\n", "'name' is there twice in the part that begins in line 1"),
        (b"a: &x [1]\nb: *x\n", "it has aliases"),
        (b"- 1\n", "A rubric has the keys"),
        (b"name: !!python/object/apply:os.system [ls]\n", "cannot be read as YAML"),
        (b"name: [\n", "cannot be read as YAML"),
        (b"#" * 70_000, "at most 64 kB"),
    ):
        with pytest.raises(RubricError, match=re.escape(reason)):
            parse(content)


def test_a_changed_rubric_is_a_new_version_and_the_old_one_stays_readable(library: RubricLibrary) -> None:
    first = library.add(dump(clarity()))
    second = library.add(dump(clarity(title="Clearness")))
    assert first.version != second.version
    assert library.get("clarity").reference == second.reference
    assert library.version(first.reference).title == "Clarity"
    event = RatingEvent("Eve", RatingAction.RATE, AT, rubric=first.reference)
    rubric = library.of_event(event, RubricName.SENTENCE)
    assert rubric is not None
    assert rubric.reference == first.reference
    gone = RatingEvent("Eve", RatingAction.RATE, AT, rubric="clarity@00000000")
    assert library.of_event(gone, RubricName.SENTENCE) is None
    with pytest.raises(UnknownNameError):
        library.version("../../clarity@00000000")


def test_values_of_another_version_are_brought_onto_the_scale(library: RubricLibrary) -> None:
    old = library.add(dump(clarity()))
    wide = [{**entry, "low": 0, "high": 10, "levels": levels(5, 0)} for entry in CLARITY["dimensions"]]
    new = library.add(dump(clarity(dimensions=wide)))
    given = {"sounds": 5.0, "speed": 3.0, "ease": 1.0}
    assert library.values_on(new, given, old.reference) == {"sounds": 10, "speed": 5, "ease": 0}
    assert library.values_on(new, given, new.reference) == given
    assert library.values_on(RUBRICS[RubricName.SENTENCE], given, old.reference) == {}


def test_a_shipped_name_another_unit_and_a_wrong_file_name_are_refused(library: RubricLibrary, tmp_path: Path) -> None:
    with pytest.raises(RubricError, match="comes with Pronlab"):
        library.add(dump(clarity(name="word")))
    library.add(dump(clarity()))
    with pytest.raises(RubricError, match="of a sentence already"):
        library.add(dump(clarity(unit="word")))
    (tmp_path / "data" / "rubrics" / "other.yaml").write_bytes(dump(clarity()))
    assert [rubric.name for rubric in library.all()] == ["word", "sentence", "clarity"]
    (problem,) = library.problems()
    assert "holds the rubric 'clarity'" in problem.message


def test_no_key_of_the_form_can_be_taken_by_a_rubric() -> None:
    """Every key that the scripts of the desk listen to."""
    scripts = "".join(
        path.read_text()
        for path in (CHECKOUT / "dashboard" / "components").glob("*/*.js")
        if path.parent.name != "folder_drop"
    )
    acts = "".join(re.findall(r"(?:const acts =|return) \{(.*?)\n    \};", scripts, re.DOTALL))
    keys = set(re.findall(r'(?:^|[\s{])"?([^\s"{},])"?: \(\) =>', acts)) | set(re.findall(r'"(.)": \(\) =>', acts))
    keys |= set(re.findall(r': "(.)"', "".join(re.findall("const MARK_KEYS = (.*)", scripts))))
    assert {"j", "K", "z", "?", ",", "r", "S", "W"} <= keys
    assert keys <= USED_KEYS


def test_marks_of_the_shipped_rubrics_are_all_kinds() -> None:
    assert all(rubric.marks == tuple(dict(MARKS)) for rubric in RUBRICS.values())
