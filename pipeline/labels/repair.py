"""Mend label files on request: times that were damaged by hand, and scores from other programs whose scale nobody knew.
Every rating stays, and so does each file as it was."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import artifacts
from pipeline.corpus.sets import RecordingSet, get_set, list_sets, read_recordings, result_path
from pipeline.errors import LabelError
from pipeline.i18n import N_, about
from pipeline.labels.index import Index
from pipeline.labels.result_file import (
    LabelTimeError,
    ResultFile,
    derive,
    is_unscaled,
    parse_result,
    read_result,
    scale_is_unknown,
    with_sound_times,
    write_result,
)
from pipeline.labels.scale import Scale
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import Recording, RubricName
from pipeline.rubrics import RUBRICS
from pipeline.settings import Settings
from pipeline.times import now_iso
from pipeline.write_errors import not_written


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
            N_("{path} is not a label file of a recording here. `pronlab index status` lists the sets."),
            path=str(unknown[0]),
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
        kept = _kept(path, "repair")
        with index.saving(recording.id):
            write_result(path, result)
            index.update_labels(recording, result)
    return Repaired(path, n, kept)


def rescale_labels(settings: Settings, set_name: str, scale: Scale, by: Identity | None = None) -> list[Path]:
    """Say on which scale the scores of other programs' label files of a set were given, and put them on the rubric's.

    Each becomes a rating like any other, which says so as its reason. Returns the files. Raises LabelError, with
    nothing changed, where a score is off the scale, AccessError for who may not (`by`).
    """
    permit(settings, by, Action.MANAGE_PROJECTS)
    set_ = get_set(settings, set_name)
    wanted: list[Path] = []
    for recording in read_recordings(settings, set_name):
        path = result_path(set_, recording)
        try:
            result = read_result(path)
        except LabelError:  # a damaged file is told where the set is read
            continue
        if result is not None and is_unscaled(result):
            _on_scale(result, scale, path)
            wanted.append(path)
    for path in wanted:
        with locked(settings, path, LabelError):
            result = read_result(path)
            if result is not None:
                _kept(path, "scale")
                write_result(path, _on_scale(result, scale, path))
    Index(settings).refresh_set(set_name)
    return wanted


def _on_scale(result: ResultFile, scale: Scale, path: Path) -> ResultFile:
    """Raises LabelError for a score that is off the scale."""
    (dimension,) = RUBRICS[RubricName.WORD].dimensions
    events = []
    for event in result.ratings:
        if scale_is_unknown(event) and event.score is not None:
            try:
                score = scale.onto(event.score, dimension)
            except LabelError as error:
                raise LabelError(about(str(path), error.text)) from error
            reason = f"given as {event.score:g} on a scale of {scale.low:g} to {scale.high:g}"
            event = replace(event, score=score, reason=reason)
        events.append(event)
    return derive(result.word, result.rubric, tuple(events), result.extra)


def _kept(path: Path, before: str) -> Path:
    """A copy of the file as it is. Raises LabelError where it cannot be made."""
    stamp = now_iso().replace(":", "").replace("+0000", "Z")
    kept = path.with_name(f"{path.name}.before-{before}-{stamp}")
    try:
        shutil.copyfile(path, kept)
    except OSError as error:
        kept.unlink(missing_ok=True)
        raise LabelError(
            not_written(N_("{path} cannot be written ({reason}); {file} is unchanged."), kept, error, file=path.name)
        ) from error
    return kept
