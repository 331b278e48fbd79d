"""Manifests of 100,000 and of a million lines with scores: read one line at a time, so that memory does not grow with
them; and what an import adds for each recording.

Beside it, reading the same lines with `json` alone into a list, as a script would.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from pipeline.corpus.readers.items import CorpusItem
from pipeline.corpus.readers.manifest import open_manifest
from pipeline.importing.importer import import_path
from pipeline.settings import Settings
from tests.bench import BenchResult

SMALL, LARGE = 100_000, 1_000_000
IMPORTED = 50_000


def run() -> list[BenchResult]:
    with tempfile.TemporaryDirectory() as folder:
        small_s, small_mb = _apart(_read, _manifest(Path(folder) / "small", SMALL))
        large_s, large_mb = _apart(_read, _manifest(Path(folder) / "large", LARGE))
        json_s, json_mb = _apart(_load, Path(folder) / "large" / "manifest.jsonl")
        import_s, import_mb = _apart(_import, _manifest(Path(folder) / "import", IMPORTED, with_audio=True))
    return [
        BenchResult(f"a manifest of {LARGE:,} lines read", large_s, "s", "", "json alone", json_s / large_s),
        BenchResult(
            f"memory that reading {LARGE:,} lines takes", large_mb, "MB", "< 150", "a list", json_mb / large_mb
        ),
        BenchResult(f"memory that reading {SMALL:,} lines takes", small_mb, "MB"),
        BenchResult(f"a manifest of {SMALL:,} lines read", small_s, "s"),
        BenchResult(f"import of {IMPORTED:,} recordings of half a second with scores", import_s, "s", "< 60"),
        BenchResult(f"memory that importing {IMPORTED:,} takes", import_mb, "MB"),
    ]


def _apart(work: Callable[[Path], Any], path: Path) -> tuple[float, float]:
    """Seconds, and megabytes beyond those of a process that has not begun, in a process of its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, path))


def _measured(work: Callable[[Path], Any], path: Path) -> tuple[float, float]:
    before, started = _peak_mb(), time.perf_counter()
    work(path)
    return time.perf_counter() - started, _peak_mb() - before


def _read(path: Path) -> None:
    n = sum(isinstance(entry, CorpusItem) for entry in open_manifest(path).entries)
    if n not in (SMALL, LARGE):
        raise RuntimeError(f"{n} lines were read")


def _load(path: Path) -> list[Any]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _import(path: Path) -> None:
    home = path.parent / "home"
    report = import_path(Settings(home / "data", home / "models"), path, name="bench")
    if (report.n_recordings, report.n_labels) != (IMPORTED, IMPORTED):
        raise RuntimeError(f"{report.n_recordings} recordings, {report.n_labels} ratings")


def _manifest(folder: Path, n: int, *, with_audio: bool = False) -> Path:
    """A line per recording; the audio, where it is asked for, is one file under many names."""
    folder.mkdir()
    tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(8000) / 16000) * np.hanning(8000)
    soundfile.write(folder / "tone.wav", tone, 16000)
    path = folder / "manifest.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(n):
            audio = f"{number // 1000:04}/{number % 1000:03}.wav"
            if with_audio:
                (folder / audio).parent.mkdir(exist_ok=True)
                os.link(folder / "tone.wav", folder / audio)
            row = {
                "audio": audio, "text": f"she sells {number} loaves", "speaker": f"s{number % 500}", "part": "train",
                "score": number % 101,
            }  # fmt: skip
            file.write(json.dumps(row) + "\n")
    return path


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
