"""The labelled recordings of a set, and the formats that take them one by one."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from pipeline.corpus.sets import audio_path, get_set, read_recordings, result_path
from pipeline.errors import LabelError
from pipeline.labels.exchange.label_studio import to_label_studio
from pipeline.labels.exchange.textgrid import Aligner, write_textgrid
from pipeline.labels.history import current_ratings
from pipeline.labels.result_file import read_result
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import RatingEvent, Recording
from pipeline.settings import Settings


@dataclass(frozen=True)
class Rated:
    """A recording with its audio file, everybody's current rating, skip or flag, and the consensus (0-100)."""

    recording: Recording
    audio: Path
    ratings: dict[str, RatingEvent]
    score: float | None


def rated_recordings(settings: Settings, set_name: str, by: Identity | None = None) -> list[Rated]:
    """Those that have a label file, read from the files. Raises LabelError where there is none, AccessError for who may
    not export."""
    permit(settings, by, Action.EXPORT)
    set_ = get_set(settings, set_name)
    found = []
    for recording in read_recordings(settings, set_name):
        result = read_result(result_path(set_, recording))
        if result is not None:
            ratings = current_ratings(result.ratings)
            found.append(Rated(recording, audio_path(set_, recording), ratings, result.score))
    if not found:
        raise LabelError(f"There are no ratings to export in {set_name!r}. Rate recordings first.")
    return found


def label_studio(rated: Sequence[Rated]) -> bytes:
    return to_label_studio((one.recording, one.recording.path, one.ratings) for one in rated)


def write_textgrids(folder: Path, rated: Sequence[Rated], aligner: Aligner | None = None) -> list[Path]:
    """One file a recording, at the same place under `folder` as its audio under its set."""
    paths = []
    for one in rated:
        path = folder / PurePosixPath(one.recording.path).with_suffix(".TextGrid")
        write_textgrid(path, one.recording, one.ratings, () if aligner is None else aligner(one.recording, one.audio))
        paths.append(path)
    return paths


def zipped_textgrids(rated: Sequence[Rated]) -> bytes:
    file = io.BytesIO()
    with TemporaryDirectory() as folder, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in write_textgrids(Path(folder), rated):
            archive.write(path, path.relative_to(folder))
    return file.getvalue()
