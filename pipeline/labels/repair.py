"""Mend label files whose times were damaged by hand, on request: every rating stays, and so does the file as it was."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import artifacts
from pipeline.corpus.sets import RecordingSet, list_sets, read_recordings, result_path
from pipeline.errors import LabelError
from pipeline.labels.index import Index
from pipeline.labels.result_file import LabelTimeError, parse_result, read_result, with_sound_times, write_result
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import Recording
from pipeline.settings import Settings
from pipeline.times import now_iso


@dataclass(frozen=True)
class Repaired:
    """`n_times` of the file were mended; `kept` is the file as it was."""

    file: Path
    n_times: int
    kept: Path


def repair_labels(
    settings: Settings, sets: Sequence[RecordingSet], files: Sequence[Path] = (), by: Identity | None = None
) -> list[Repaired]:
    """Those of `files`, or all of the sets, that want it. Raises LabelError for a file that is no label file of a
    recording here, or is damaged in another way, AccessError for who may not (`by`)."""
    permit(settings, by, Action.MANAGE_PROJECTS)
    index = Index(settings)
    index.ensure()
    wanted = {file.resolve() for file in files}
    there: set[Path] = set()
    repaired: list[Repaired] = []
    for set_ in sets or list_sets(settings):
        for recording in read_recordings(settings, set_.name):
            path = result_path(set_, recording)
            if path.resolve() in wanted:
                there.add(path.resolve())
            elif wanted:
                continue
            done = _repair(settings, index, recording, path, strict=bool(wanted))
            if done is not None:
                repaired.append(done)
    if unknown := sorted(wanted - there):
        raise LabelError(
            f"{unknown[0]} is not a label file of a recording here. `pronlab index status` lists the sets."
        )
    return repaired


def _repair(settings: Settings, index: Index, recording: Recording, path: Path, *, strict: bool) -> Repaired | None:
    with locked(settings, path, LabelError):
        try:
            read_result(path)
            return None
        except LabelTimeError:
            pass
        except LabelError:
            if strict:
                raise
            return None
        content, n = with_sound_times(artifacts.read_json(path))
        result = parse_result(content, path)
        stamp = now_iso().replace(":", "").replace("+0000", "Z")
        kept = path.with_name(f"{path.name}.before-repair-{stamp}")
        try:
            shutil.copyfile(path, kept)
        except OSError as error:
            kept.unlink(missing_ok=True)
            raise LabelError(
                f"{kept} could not be written ({error.strerror or error}); {path} is unchanged."
            ) from error
        with index.saving(recording.id):
            write_result(path, result)
            index.update_labels(recording, result)
    return Repaired(path, n, kept)
