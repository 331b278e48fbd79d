"""Files appear whole or not at all."""

import errno
import json
import os
import re
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline import artifacts, jsonl
from pipeline.runs.failures import of_the_system


def test_a_failed_write_keeps_the_former_content_and_leaves_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    artifacts.write_json(path, {"n": 1})
    with pytest.raises(RuntimeError, match="half way"), artifacts.replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("half way")
    assert json.loads(path.read_text(encoding="utf-8")) == {"n": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("place", ["a pipe", "a link to a device", "a link to nowhere", "a folder"])
def test_what_is_no_file_is_never_replaced(tmp_path: Path, place: str) -> None:
    path = tmp_path / "out.csv"
    if place == "a pipe":
        os.mkfifo(path)
    elif place == "a folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/full" if place == "a link to a device" else tmp_path / "nowhere")
    before = path.lstat()
    with pytest.raises(OSError, match="it is not a file; name another") as told:
        artifacts.write_text(path, "a")
    assert told.value.filename == str(path)
    assert path.lstat() == before
    assert not list(tmp_path.glob(".tmp-*"))


def test_the_systems_own_links_are_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As /dev/stdout while the output goes to a file."""
    monkeypatch.setattr(artifacts, "_DEVICES", (tmp_path / "dev",))
    (tmp_path / "dev").mkdir()
    (tmp_path / "file").touch()
    link = tmp_path / "dev" / "stdout"
    link.symlink_to(tmp_path / "file")
    with pytest.raises(OSError, match="it is not a file; name another"):
        artifacts.write_text(link, "a")
    assert link.is_symlink()


def test_a_link_to_a_file_gives_way_to_the_new_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    artifacts.write_text(tmp_path / "link", "new")
    assert ((tmp_path / "link").read_text(), (tmp_path / "file").read_text()) == ("new", "old")


@pytest.mark.parametrize("code", [errno.EFBIG, errno.EDQUOT, errno.ENOSPC])
@pytest.mark.parametrize("told_by", [OSError, RuntimeError])
def test_a_failed_write_names_its_file(tmp_path: Path, code: int, told_by: type[Exception]) -> None:
    path = tmp_path / "a.json"
    text = os.strerror(code)
    error = OSError(code, text) if told_by is OSError else RuntimeError(f"I/O error: {text} (os error {code})")
    with pytest.raises(OSError, match=re.escape(text)) as told, artifacts.replacing(path):
        raise error
    assert (told.value.errno, told.value.filename) == (code, str(path))
    assert str(path) in of_the_system(told.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", [jsonl.append, jsonl.write, artifacts.write_json])
def test_a_file_that_grows_too_large_is_named(tmp_path: Path, write: Callable[[Path, Any], None]) -> None:
    path = tmp_path / "a.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        with pytest.raises(OSError, match="File too large") as told:
            write(path, ["x" * 50_000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert told.value.filename == str(path)


def test_an_error_about_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as told, artifacts.replacing(tmp_path / "a.json"):
        (tmp_path / "other").read_bytes()
    assert told.value.filename == str(tmp_path / "other")


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


def test_yaml_whose_aliases_repeat_without_bound_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(ValueError, match="repeat too much"):
        artifacts.loads_yaml("\n".join(lines))
    with pytest.raises(ValueError, match="nested too deeply"):
        artifacts.loads_yaml("a: &a [*a]")
    assert artifacts.loads_yaml("a: &a {b: 1}\nc: *a") == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize(("umask", "file", "folder"), [(0o077, 0o600, 0o700), (0o027, 0o640, 0o750), (0, 0o644, 0o755)])
def test_what_is_written_is_as_private_as_the_umask_asks(tmp_path: Path, umask: int, file: int, folder: int) -> None:
    written = (
        "import sys; from pathlib import Path; from pipeline import artifacts; from pipeline.runs import RunDirectory\n"
        "folder = Path(sys.argv[1]); artifacts.write_text(folder / 'a.txt', 'a')\n"
        "print(RunDirectory.create(folder, kind='word', name='a', config={}, seed=0).path)"
    )
    done = subprocess.run(
        [sys.executable, "-c", written, str(tmp_path)], umask=umask, check=True, capture_output=True, text=True
    )
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == file
    assert stat.S_IMODE(Path(done.stdout.strip()).stat().st_mode) == folder
