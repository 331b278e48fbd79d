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


NESTED = "[" * 150_000


@pytest.mark.parametrize("content", [NESTED.encode(), b"\xff", b"", b"{", b"[1,"])
def test_whatever_is_no_json_is_a_value_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        artifacts.read_json(tmp_path / "a.json")
    with pytest.raises(ValueError, match=r"."):
        artifacts.loads(content)


def test_json_is_read_with_and_without_a_byte_order_mark(tmp_path: Path) -> None:
    for mark in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "a.json").write_bytes(mark + '{"ı": 1}'.encode())
        assert artifacts.read_json(tmp_path / "a.json") == {"ı": 1}


@pytest.mark.parametrize("content", ["[" * 20_000, "a: 2026-13-45", "a: [", "\0", b"\xff"])
def test_whatever_is_no_yaml_is_a_value_error_of_one_line(content: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        artifacts.loads_yaml(content)
    assert "\n" not in str(refused.value)
