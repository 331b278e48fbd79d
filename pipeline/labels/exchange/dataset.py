"""A Hugging Face dataset on disk: audio with text, speaker, consensus and every rating."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import LabelError
from pipeline.labels.exchange.recordings import Rated
from pipeline.optional import require
from pipeline.records import RatingAction
from pipeline.settings import Settings


def write_dataset(folder: Path, rated: Sequence[Rated], settings: Settings) -> int:
    """Read it with `datasets.load_from_disk`; the audio is kept as the file's bytes. Returns how many recordings.

    Raises LabelError where `datasets` is missing, or something is in the folder already.
    """
    require("This format", ("datasets",), LabelError)
    from datasets import Audio, Dataset, Features, List, Value, disable_progress_bars

    if folder.exists() and any(folder.iterdir()):
        raise LabelError(f"{folder} is not empty. Name a new folder.")
    disable_progress_bars()
    rating = {
        "evaluator": Value("string"), "score": Value("float32"), "dimensions": Value("string"),
        "notes": Value("string"), "at": Value("string"),
    }  # fmt: skip
    columns = Features({
        "id": Value("string"), "audio": {"bytes": Value("binary"), "path": Value("string")},
        "text": Value("string"), "speaker": Value("string"), "part": Value("string"), "score": Value("float32"),
        "ratings": List(rating),
    })  # fmt: skip

    def generate() -> Iterator[dict[str, Any]]:
        for one in rated:
            recording = one.recording
            yield {
                "id": recording.id,
                "audio": {"path": one.audio.name, "bytes": one.audio.read_bytes()},
                "text": recording.text,
                "speaker": recording.speaker,
                "part": recording.part or "",
                "score": one.score,
                "ratings": [
                    {
                        "evaluator": name, "score": event.score, "dimensions": json.dumps(event.dimensions),
                        "notes": event.notes, "at": event.at,
                    }
                    for name, event in sorted(one.ratings.items())
                    if event.action is RatingAction.RATE
                ],
            }  # fmt: skip

    settings.data_root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=settings.data_root) as cache:
        # Named as audio only now: writing it as such would need torchcodec, though nothing is encoded.
        table = Dataset.from_generator(generate, features=columns, cache_dir=cache)
        table = table.cast_column("audio", Audio(decode=False))
        table.save_to_disk(f"{cache}/table")
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            folder.rmdir()
        shutil.move(f"{cache}/table", folder)
    return len(rated)
