"""Installations that many tests begin with: made once in each process, copied for each test."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline import jsonl
from pipeline.corpus.sets import RecordingSet, recording_to_json, recordings_file, register
from pipeline.database import forget
from pipeline.records import Recording
from pipeline.settings import Settings


def installation(root: Path) -> Settings:
    return Settings(data_root=root / "data", models_root=root / "models")


def prepare(make: Callable[[Settings, Path], None], into: Path, base: Path) -> None:
    """Let `make(installation(into), into)` fill the folder `into`, or copy there what it made under `base` before."""
    if installation(into).data_root.exists():  # the test has something of its own there
        make(installation(into), into)
        return
    made = base / f"prepared-{make.__name__}"
    if not made.exists():
        make(installation(made), made)
        forget(installation(made).index_path)
    copy(made, into)


def copy(made: Path, into: Path) -> None:
    """Copy an installation, and what of its sets lies beside it."""
    shutil.copytree(made, into, ignore=shutil.ignore_patterns("locks"), dirs_exist_ok=True)
    for registered in installation(into).sets_root.glob("*/set.json"):
        text = registered.read_text(encoding="utf-8")
        registered.write_text(text.replace(str(made), str(into)), encoding="utf-8")


def save_set(settings: Settings, set_: RecordingSet, recordings: Sequence[Recording]) -> RecordingSet:
    """Register `set_` with its recordings, replacing an earlier registration of the same name."""
    jsonl.write(recordings_file(settings, set_.name), map(recording_to_json, recordings))
    return register(settings, set_, len(recordings))
