"""JSON lines: cut at line feeds only, read in whatever state a writer left them, and no other reader beside."""

import json
import re
from pathlib import Path

import pytest

from pipeline import jsonl
from pipeline.settings import CHECKOUT
from pipeline.text import lines_of

ODD = "one\u2028two\u2029three\u0085four\x0bfive\x0csix\x1cseven\x1deight\x1enine"


def test_text_with_every_kind_of_line_end_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    rows = [
        {"text": ODD + "\r\n\n"},
        {"text": "Iğdır \U0001f642", "score": 1.5, "bad": float("nan")},
        {"half": "\udcff"},
    ]
    jsonl.write(file, rows)
    jsonl.append(file, {"last": True})
    assert list(jsonl.read(file)) == [rows[0], {**rows[1], "bad": None}, rows[2], {"last": True}]
    assert len(file.read_text(encoding="utf-8").splitlines()) == 4, "other programs that cut anywhere can read it too"


def test_reads_a_byte_order_mark_crlf_and_blank_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + '{"t": "a\u2028b"}\r\n\r\n  \n{"t": NaN}'.encode())
    assert [(line.number, line.cut) for line in jsonl.lines(file)] == [(1, False), (4, True)]
    first, last = jsonl.read(file)
    assert first == {"t": "a\u2028b"}
    assert last["t"] != last["t"]


def test_names_the_line_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"a": 1}\n\n{"a": \xff}\n{"a": 2}\n{"a": ')
    with pytest.raises(jsonl.LineError, match="line 3: byte 7 is not UTF-8"):
        list(jsonl.read(file))
    assert list(jsonl.read(file, damaged=True)) == [{"a": 1}, {"a": 2}]
    file.write_bytes(b'{"a": 1}\n{"a": ')
    assert list(jsonl.read(file, cut_end=True)) == [{"a": 1}]
    with pytest.raises(jsonl.LineError, match="line 2: it is not JSON"):
        list(jsonl.read(file))
    file.write_bytes(b'{"a": \n{"a": 2}\n')
    with pytest.raises(jsonl.LineError, match="line 1"):
        list(jsonl.read(file, cut_end=True))


def test_a_line_that_is_nested_too_deeply_or_too_long_is_an_error_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"[" * 200_000 + b"\n1\n")
    assert [line.error is None for line in jsonl.lines(file)] == [False, True]
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 10)
    file.write_bytes(b'"' + b"a" * 35 + b'"\n"fits"\n' + b"9" * 10)
    assert [(line.number, line.error is None, line.cut) for line in jsonl.lines(file)] == [
        (1, False, False), (2, True, False), (3, False, True),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [10, 70_000])
def test_half_a_line_spoils_no_later_one(tmp_path: Path, size: int) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"a": 1}\n{"text": "' + b"x" * size)
    jsonl.append(file, {"a": 2})
    assert list(jsonl.read(file)) == [{"a": 1}, {"a": 2}]
    file.write_bytes(b'{"a": 1}')  # whole, but for its line feed
    jsonl.append(file, {"a": 2}, {"a": 3})
    assert list(jsonl.read(file)) == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_a_growing_file_is_followed_by_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    assert jsonl.read_from(file) == ([], 0)
    file.write_bytes('{"a": "x\u2028y"}\r\nbroken\n{"a": 2}, {"a": 3}\n{"a": 4}\n{"a"'.encode())
    rows, end = jsonl.read_from(file)
    assert rows == [{"a": "x\u2028y"}, {"a": 4}]
    with file.open("ab") as more:
        more.write(b': 5}\n{"a": 6}\n')
    assert jsonl.read_from(file, end)[0] == [{"a": 5}, {"a": 6}]


def test_lines_of_text_end_at_lf_crlf_and_cr() -> None:
    assert lines_of("a\r\nb\rc\n\nd\n") == ["a", "b", "c", "", "d"]
    assert lines_of(ODD) == [ODD]
    assert lines_of("") == []


SOURCES = sorted(p for top in ("pipeline", "dashboard") for p in (CHECKOUT / top).rglob("*.py"))


@pytest.mark.parametrize("file", SOURCES, ids=lambda f: str(f.relative_to(CHECKOUT)))
def test_nothing_else_cuts_lines_or_reads_json_lines(file: Path) -> None:
    """`str.splitlines` cuts inside what people write; a loop of `json.loads` over lines is a second reader."""
    source = file.read_text(encoding="utf-8")
    assert not re.search(r"\w\)?\.splitlines\(", source), "use pipeline.text.lines_of, or pipeline.jsonl"
    if file.name != "jsonl.py":
        assert not re.search(r"json\.loads\(line\)", source) or file.name == "client.py", "use pipeline.jsonl"
        assert not re.search(r"json\.dumps\([^\n]*\) \+ ['\"]\\n['\"] for", source), "use pipeline.jsonl"


@pytest.mark.parametrize("file", SOURCES, ids=lambda f: str(f.relative_to(CHECKOUT)))
def test_nothing_else_parses_json_or_yaml(file: Path) -> None:
    """Python's own parsers raise RecursionError, PyYAML whatever it likes, which no reader thinks of."""
    if file.relative_to(CHECKOUT).as_posix() in (
        "pipeline/artifacts.py",
        "pipeline/jsonl.py",
        "pipeline/api/client.py",
        "pipeline/wakeword/runtime/runner.py",
    ):
        return  # the readers, and files to be copied elsewhere
    source = file.read_text(encoding="utf-8")
    assert not re.search(r"\bjson\.loads?\(", source), "use artifacts.read_json or artifacts.loads"
    assert not re.search(r"\byaml\.\w*load\w*\(", source), "use artifacts.loads_yaml"


def test_what_was_written_before_is_still_read() -> None:
    shipped = CHECKOUT / "data" / "synthetic-prompts" / "prompts.jsonl"
    assert b"".join(map(jsonl.dumps, jsonl.read(shipped))) == shipped.read_bytes()
    assert json.loads(jsonl.dumps({"a": "\u2028"})) == {"a": "\u2028"}
