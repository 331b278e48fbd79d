"""A set of sentences whose audio is not there, for tests of what recordings are rated with."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.corpus.sets import RecordingSet
from pipeline.labels.index import Index
from pipeline.records import AudioReport, Recording, RubricName
from pipeline.settings import Settings
from tests.prepared import save_set


def save_sentences(folder: Path, units: Sequence[RubricName]) -> tuple[Settings, list[Recording]]:
    """An installation in `folder` with the set `s`, of a recording for each unit."""
    settings = Settings(data_root=folder / "data", models_root=folder / "models")
    root = folder / "audio"
    root.mkdir()
    report = AudioReport(1.0, 16000, 1, 0.5, 0.0, 0.0, None)
    recordings = [
        Recording(f"s/{n}", "s", f"{n}.wav", f"p{n}", "a house", unit, "en", report=report)
        for n, unit in enumerate(units)
    ]
    save_set(settings, RecordingSet("s", "S", "manifest", root, folder / "labels", RubricName.SENTENCE), recordings)
    Index(settings).rebuild()
    return settings, recordings
