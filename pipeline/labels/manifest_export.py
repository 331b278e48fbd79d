"""A set as a manifest that can be imported again, here or elsewhere: recordings, what their corpus says of them, and
every rating with its history."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline import artifacts, jsonl
from pipeline.corpus.manifest_writer import manifest_row
from pipeline.corpus.sets import audio_path, get_set, read_recordings, result_path
from pipeline.errors import CorpusError, LabelError
from pipeline.i18n import N_
from pipeline.labels.corpus_source import corpus_items
from pipeline.labels.result_file import event_to_json, read_result
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import Problem
from pipeline.settings import Settings
from pipeline.write_errors import not_written


def manifest_lines(
    settings: Settings, set_name: str, problems: list[Problem], by: Identity | None = None
) -> Iterator[bytes]:
    """One line per recording. `audio` is a full path, so that the file can lie anywhere; `ratings` is the history in
    its label file. Label files that cannot be read are added to `problems`, and their recordings have no ratings.

    Raises AccessError for who may not export.
    """
    permit(settings, by, Action.EXPORT)
    set_ = get_set(settings, set_name)
    recordings = {recording.path: recording for recording in read_recordings(settings, set_name)}
    for item in corpus_items(settings, set_):
        recording = recordings.get(item.audio)
        if recording is None:
            continue
        ratings: list[dict[str, Any]] = []
        try:
            result = read_result(result_path(set_, recording))
            ratings = [] if result is None else [event_to_json(event) for event in result.ratings]
        except (LabelError, CorpusError) as error:
            problems.append(Problem("broken_label", error.text, "error", recording.id))
        yield jsonl.dumps(manifest_row(item, audio=str(audio_path(set_, recording)), ratings=ratings))


def write_manifest(
    settings: Settings, set_name: str, path: Path, by: Identity | None = None
) -> tuple[int, list[Problem]]:
    """How many lines, and the label files that cannot be read, whose recordings stand there without ratings. Raises
    LabelError where the file cannot be written."""
    problems: list[Problem] = []
    n = 0
    try:
        with artifacts.replacing(path) as temporary, temporary.open("wb") as file:
            for line in manifest_lines(settings, set_name, problems, by):
                file.write(line)
                n += 1
    except OSError as error:
        raise LabelError(
            not_written(N_("{path} cannot be written ({reason})."), path, error, otherwise=N_("Or name another place."))
        ) from error
    return n, problems
