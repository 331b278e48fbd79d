"""Bands, and the JSON form of every record."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.i18n import Message
from pipeline.records import BANDS, Problem, RubricName, ScoreResult, Target, band_of, to_json


@pytest.mark.parametrize(
    ("score", "key"),
    [
        (100, "excellent"),
        (90, "excellent"),
        (89.99, "good"),
        (80, "good"),
        (70, "fair"),
        (60, "poor"),
        (59.9, "very_poor"),
        (0, "very_poor"),
    ],
)
def test_band_limits(score: float, key: str) -> None:
    assert band_of(score).key == key


@pytest.mark.parametrize("score", [-0.1, 100.1, float("nan")])
def test_no_band_outside_the_scale(score: float) -> None:
    with pytest.raises(ValueError, match="0-100"):
        band_of(score)


def test_bands_are_ordered_and_reach_zero() -> None:
    lows = [band.low for band in BANDS]
    assert lows == sorted(lows, reverse=True)
    assert lows[-1] == 0


def test_records_become_plain_json() -> None:
    result = ScoreResult(
        overall=float("nan"), band=None, scoring_method="none", scorer="x", model_id="y", target=Target("araba"),
        dimensions={"a": np.float32(1.5)},
    )  # fmt: skip
    plain = json.loads(json.dumps(to_json(result), allow_nan=False))
    assert plain["overall"] is None
    assert plain["dimensions"] == {"a": 1.5}
    assert plain["target"] == {"text": "araba", "language": "und", "rubric": "word", "phones": None}


def test_scalars_arrays_and_paths() -> None:
    assert to_json({RubricName.WORD: np.arange(3), "p": Path("a/b"), "s": {1}}) == {
        "word": [0, 1, 2],
        "p": "a/b",
        "s": [1],
    }


def test_a_problem_is_told_behind_its_path() -> None:
    assert Problem("odd", "It is odd.", path="a/1.wav").placed == "a/1.wav: It is odd."
    assert Problem("odd", Message("{name} is odd.", name="1.wav"), path="a/1.wav").placed == "a/1.wav is odd."
    assert Problem("odd", "It is odd.").placed == "It is odd."
