"""Files appear whole or not at all."""

import json
from pathlib import Path

import pytest

from pipeline import artifacts


def test_a_failed_write_keeps_the_former_content_and_leaves_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    artifacts.write_json(path, {"n": 1})
    with pytest.raises(RuntimeError, match="half way"), artifacts.replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("half way")
    assert json.loads(path.read_text(encoding="utf-8")) == {"n": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_json_has_no_number_that_other_readers_refuse(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    artifacts.write_json(path, {"bad": float("nan"), "worse": float("inf"), "word": "çiçek"})
    text = path.read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail) == {"bad": None, "worse": None, "word": "çiçek"}
    assert "çiçek" in text


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert artifacts.sha256_of(tmp_path / "empty") == empty
