"""A mark of a save tells whether its process is still there, whatever has its number by now."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.labels.save_marks import SAVE_LASTS_AT_MOST_S, SaveMarks

HOLD = """
import sys
from pathlib import Path
from pipeline.labels.save_marks import SaveMarks
with SaveMarks(Path(sys.argv[1])).hold("a recording"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """Of a save that lasts in this process."""
    with SaveMarks(tmp_path).hold("a recording"):
        (mark,) = (tmp_path / "locks" / "saving").iterdir()
        yield mark


def test_the_mark_of_a_process_that_is_there_is_no_orphan(tmp_path: Path, mark: Path) -> None:
    assert mark.read_text(encoding="utf-8") == "a recording"
    assert SaveMarks(tmp_path).orphaned() == []


def test_a_mark_whose_number_is_another_process_s_now_is_an_orphan_at_once(tmp_path: Path, mark: Path) -> None:
    began_at = psutil.Process().create_time()
    before = mark.with_name(mark.name.replace(f"-{began_at:.2f}-", f"-{began_at - 3600.0:.2f}-"))
    assert before != mark
    before.touch()
    assert SaveMarks(tmp_path).orphaned() == [before]


def test_the_mark_of_a_killed_process_is_an_orphan_at_once(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert SaveMarks(tmp_path).orphaned() == []
        holder.kill()
    assert len(SaveMarks(tmp_path).orphaned()) == 1


@pytest.mark.parametrize(
    "process", [f"lab-{os.getpid()}", f"{'0' * 16}-{2**22 + 1}-100.00"], ids=["earlier version", "elsewhere"]
)
def test_a_mark_of_elsewhere_or_of_an_earlier_version_is_judged_by_its_age(tmp_path: Path, process: str) -> None:
    folder = tmp_path / "locks" / "saving"
    folder.mkdir(parents=True)
    mark = folder / f"{'a' * 16}-{process}-139"
    mark.touch()
    (folder / ".DS_Store").touch()
    assert SaveMarks(tmp_path).orphaned() == []
    old = time.time() - 2 * SAVE_LASTS_AT_MOST_S
    for file in folder.iterdir():
        os.utime(file, (old, old))
    assert SaveMarks(tmp_path).orphaned() == [mark]
