"""A Hugging Face dataset on disk: audio with text, speaker, consensus, decision and every rating."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.errors import LabelError, said_by
from pipeline.i18n import N_, Message
from pipeline.labels.exchange.rating_rows import Row
from pipeline.labels.exchange.recordings import LabelledRecording, Labels
from pipeline.labels.segments import segment_to_json
from pipeline.optional import require
from pipeline.records import Problem, RatingEvent
from pipeline.settings import Settings

EVENT_TEXTS = ("evaluator", "action", "purpose", "notes", "reason", "at", "project", "source", "rubric")


def write_dataset(folder: Path, labels: Labels, settings: Settings) -> tuple[int, tuple[Problem, ...]]:
    """Read it with `datasets.load_from_disk`; the audio is kept as the file's bytes. Returns how many recordings, and
    those whose audio cannot be read, which are left out.

    Raises LabelError where `datasets` is missing, something is in the folder already, or no audio can be read.
    """
    require(N_("This format"), ("datasets",), LabelError)
    from datasets import Audio, Dataset, Features, List, Value, disable_progress_bars

    if folder.exists() and any(folder.iterdir()):
        raise LabelError(N_("{folder} is not empty. Name a new folder."), folder=str(folder))
    disable_progress_bars()
    text, number = Value("string"), Value("float64")
    event = {**dict.fromkeys(EVENT_TEXTS, text), **dict.fromkeys(("score", "took_s", "heard"), number),
             "dimensions": text, "marks": text, "segments": text, "experts": text}  # fmt: skip
    columns = Features({
        **dict.fromkeys(("id", "set", "text", "speaker", "part", "language", "consensus_method"), text),
        "audio": {"bytes": Value("binary"), "path": text}, "score": number, "n_raters": Value("int64"),
        "spread": number, "excluded": Value("bool"), "ratings": List(event),
    })  # fmt: skip
    readable, left_out = _readable(labels)

    def generate() -> Iterator[dict[str, Any]]:
        for labelled in readable:
            yield _entry(labelled)

    settings.data_root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=settings.data_root) as cache:
        # Named as audio only now: writing it as such would need torchcodec, though nothing is encoded.
        table = Dataset.from_generator(generate, features=columns, cache_dir=cache)
        table = table.cast_column("audio", Audio(decode=False))
        table.save_to_disk(f"{cache}/table")
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            folder.rmdir()
        try:
            shutil.move(f"{cache}/table", folder)
        except BaseException:  # another disk, which is full
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return len(readable), left_out


def is_dataset(folder: Path) -> bool:
    return (folder / "dataset_info.json").is_file()


def read_dataset(folder: Path) -> list[Row]:
    """The ratings and decisions of a dataset that was written here. Raises LabelError where it is none."""
    require(N_("This format"), ("datasets",), LabelError)
    from datasets import load_from_disk

    try:
        table = load_from_disk(str(folder)).select_columns(["id", "ratings"])
        return [
            Row(f"{entry['id']}, {rating['evaluator']}", {"recording_id": entry["id"], **_values(rating)})
            for entry in table
            for rating in entry["ratings"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabelError(
            N_("{folder} is no dataset that `pronlab export` wrote ({reason})."),
            folder=str(folder), reason=said_by(error),
        ) from error  # fmt: skip


def _readable(labels: Labels) -> tuple[list[LabelledRecording], tuple[Problem, ...]]:
    readable: list[LabelledRecording] = []
    left_out: list[Problem] = []
    for labelled in labels.recordings:
        try:
            with labelled.audio.open("rb"):
                readable.append(labelled)
        except OSError as error:
            reason = Message(N_("{path} cannot be read ({reason})."), path=str(labelled.audio), reason=said_by(error))
            left_out.append(Problem("unreadable", reason, "error", labelled.recording.id))
    if not readable:
        raise LabelError(N_("No audio can be read; the first: {problem}"), problem=left_out[0].message)
    return readable, tuple(left_out)


def _entry(labelled: LabelledRecording) -> dict[str, Any]:
    recording, agreed = labelled.recording, labelled.consensus
    return {
        "id": recording.id,
        "set": recording.set,
        "audio": {"path": labelled.audio.name, "bytes": labelled.audio.read_bytes()},
        "text": recording.text,
        "speaker": recording.speaker,
        "part": recording.part or "",
        "language": recording.language,
        "score": None if agreed is None else agreed.score,
        "n_raters": 0 if agreed is None else agreed.n,
        "spread": None if agreed is None else agreed.spread,
        "consensus_method": "" if agreed is None else agreed.method,
        "excluded": labelled.is_excluded,
        "ratings": [_event(event) for event in labelled.events],
    }


def _event(event: RatingEvent) -> dict[str, Any]:
    return {
        **{name: str(getattr(event, name)) for name in EVENT_TEXTS},
        "score": event.score, "took_s": event.took_s, "heard": event.heard, "dimensions": json.dumps(event.dimensions),
        "marks": json.dumps([asdict(mark) for mark in event.marks], ensure_ascii=False),
        "segments": json.dumps([segment_to_json(segment) for segment in event.segments], ensure_ascii=False),
        "experts": json.dumps(event.experts, ensure_ascii=False),
    }  # fmt: skip


def _values(rating: dict[str, Any]) -> dict[str, Any]:
    names = ("dimensions", "marks", "segments", "experts")  # the last two are not in datasets of before
    return {**rating, **{name: artifacts.loads(rating[name]) for name in names if name in rating}}
