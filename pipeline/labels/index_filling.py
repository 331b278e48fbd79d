"""Fills the tables of the index from sets and label files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pipeline.corpus.sets import (
    RESULT_SUFFIX,
    RecordingSet,
    damaged_sets,
    label_path,
    list_sets,
    read_recordings,
    recording_to_json,
    result_path,
)
from pipeline.errors import CorpusError, LabelError
from pipeline.i18n import N_, NN_, Message, about, ended
from pipeline.labels.comments import comments_of
from pipeline.labels.foreign_scores import Labelled, with_known_scales
from pipeline.labels.history import current_ratings, review, standing_events
from pipeline.labels.index_schema import DAMAGED
from pipeline.labels.raters import RaterNames
from pipeline.labels.result_file import (
    NO_RATER,
    LabelTimeError,
    ResultFile,
    event_to_json,
    read_result,
    respelled,
    scale_is_unknown,
    unread_parts,
)
from pipeline.people.names import name_key
from pipeline.records import Problem, RatingEvent, Recording, problem_row, to_json
from pipeline.settings import Settings
from pipeline.text import composed

if TYPE_CHECKING:
    import sqlite_utils

# What may be wrong with label files.
LABEL_PROBLEMS = ("broken_label", "label_scale", "no_rater", "respelled", "stray_label", "unread_part")
UNREAD = {
    "marks": N_("The marks of the rating by {name} at {time} are left out: {reason}"),
    "segments": N_("The segments of the rating by {name} at {time} are left out: {reason}"),
}
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class IndexReport:
    n_sets: int
    n_recordings: int
    n_label_files: int
    n_ratings: int
    problems: tuple[Problem, ...]


def fill(
    settings: Settings, database: sqlite_utils.Database, names: RaterNames, progress: Progress | None
) -> IndexReport:
    """Insert every registered set with its labels into the empty tables, raters as `names` spells them."""
    n_recordings = n_files = n_ratings = 0
    problems = damaged_sets(settings)
    sets = list_sets(settings)
    for set_ in sets:
        try:
            counts, found = fill_set(settings, database, set_, names, progress)
        except CorpusError as error:
            problems.append(Problem("broken_set", error.text, "error", set_.name))
            continue
        n_recordings, n_files, n_ratings = n_recordings + counts[0], n_files + counts[1], n_ratings + counts[2]
        problems.extend(found)
    return IndexReport(len(sets), n_recordings, n_files, n_ratings, tuple(problems))


def fill_set(
    settings: Settings,
    database: sqlite_utils.Database,
    set_: RecordingSet,
    names: RaterNames,
    progress: Progress | None,
) -> tuple[tuple[int, int, int], list[Problem]]:
    """Insert one set with its labels. Returns the numbers of recordings, label files and ratings, and what is wrong
    with label files: one problem each. Scores whose scale has to be asked for are left out until it is answered."""
    recordings = read_recordings(settings, set_.name)
    problems: list[Problem] = []
    labelled: list[tuple[Recording, ResultFile]] = []
    wants_repair: set[str] = set()
    present = _label_files(set_.labels_root)
    by_letters = {composed(name): name for name in sorted(present, reverse=True)}
    for done, recording in enumerate(recordings):
        if progress is not None and done % 500 == 0:
            progress(done, len(recordings), set_.name)
        try:
            asked = str(label_path(recording.path))
            relative = asked if asked in present else by_letters.get(composed(asked))
            result = None
            if relative is not None:
                path = set_.labels_root / relative
                if path.is_symlink():
                    path = result_path(set_, recording)  # raises where it leads out of the set
                result = read_result(path)
        except (LabelError, CorpusError) as error:
            problems.append(Problem("broken_label", error.text, "error", recording.id))
            if isinstance(error, LabelTimeError):
                wants_repair.add(recording.id)
            continue
        if result is not None:
            labelled.append((recording, result))
    problems += _strays(present, recordings)
    problems += _unread(labelled)
    labelled, unscaled, told = with_known_scales(set_.name, labelled)
    wants_repair |= unscaled
    problems += told
    labelled, told = _with_known_raters(labelled, names)
    problems += told
    results = {recording.id: result for recording, result in labelled}
    database.execute(
        "INSERT INTO sets VALUES (?, ?, ?, ?)", [set_.name, set_.title, int(set_.synthetic), str(set_.rubric)]
    )
    database.conn.executemany(
        "INSERT INTO recordings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (_recording_row(recording, results.get(recording.id)) for recording in recordings),
    )
    database.conn.executemany(
        "UPDATE recordings SET review = ? WHERE id = ?", ((DAMAGED, key) for key in sorted(wants_repair))
    )
    database.execute("INSERT INTO meta VALUES (?, ?)", [f"ids {set_.name}", _digest(recordings)])
    n_ratings = insert_ratings(database, labelled)
    database.conn.executemany(
        "INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?)", _problem_rows(set_, recordings, problems)
    )
    return (len(recordings), len(labelled), n_ratings), problems


def order_key(name: str) -> int:
    """A place on the shuffled circle: 62 bits, so that it fits SQLite's signed integers."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 2


def _label_files(root: Path) -> frozenset[str]:
    """The label files' paths relative to `root`: one listing of each folder is far quicker than a look for each
    recording."""
    found: set[str] = set()
    for folder, _, files in os.walk(root):
        names = [name for name in files if name.endswith(RESULT_SUFFIX)]
        if names:
            below = PurePosixPath(Path(folder).relative_to(root).as_posix())
            found.update(str(below / name) for name in names)
    return frozenset(found)


def _strays(present: frozenset[str], recordings: Sequence[Recording]) -> list[Problem]:
    """Label files whose recording the set does not have."""
    wanted = {composed(str(label_path(recording.path))) for recording in recordings}
    return [
        Problem(
            "stray_label",
            about(file, Message(N_("The set has no recording of this name, so this label file is not read."))),
            path=file,
        )
        for file in sorted(present)
        if composed(file) not in wanted
    ]


def _unread(labelled: Labelled) -> Iterator[Problem]:
    """Marks and segments that are left out of ratings."""
    for recording, result in labelled:
        for event in result.ratings:
            for part, reason in unread_parts(event).items():
                text = Message(UNREAD[part], name=event.evaluator, time=event.at, reason=ended(reason))
                yield Problem("unread_part", text, path=recording.id)


def _with_known_raters(labelled: Labelled, names: RaterNames) -> tuple[Labelled, list[Problem]]:
    """Each rater in one spelling, and what is to be said of their names."""
    spelled: dict[str, tuple[str, str]] = {}
    nameless: list[str] = []
    known: Labelled = []
    for recording, result in labelled:
        for event in result.ratings:
            if (name := names.of(event.evaluator)) != event.evaluator:
                spelled.setdefault(event.evaluator, (name, recording.id))
        if any(event.evaluator == NO_RATER and scale_is_unknown(event) for event in result.ratings):
            nameless.append(recording.id)
        known.append((recording, respelled(result, names.of)))
    problems = [
        Problem(
            "respelled",
            Message(N_("“{written}” in label files is taken as “{name}”."), written=written, name=name),
            path=key,
        )
        for written, (name, key) in spelled.items()
    ]
    if nameless:
        named = NN_(
            "{n} label file names no rater: such ratings are by “{name}”. Write the name under `evaluator` in the "
            "file.",
            "{n} label files name no rater: such ratings are by “{name}”. Write the name under `evaluator` in the "
            "files.",
        )
        message = Message(named, n=len(nameless), name=NO_RATER)
        problems.append(Problem("no_rater", message, path=nameless[0]))
    return known, problems


def _digest(recordings: Sequence[Recording]) -> str:
    """Of the recordings' ids and parts."""
    known = sorted(f"{recording.id}|{recording.part}" for recording in recordings)
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]


def consensus_columns(result: ResultFile | None) -> list[Any]:
    if result is None:
        return [None, 0, None, None, None, "", 0, "[]"]
    agreed, said = result.consensus, review(result.ratings)
    assigned = json.dumps(said.assigned, ensure_ascii=False)
    reviewed = ["" if said.verdict is None else str(said.verdict.action), said.requested, assigned]
    if agreed is None:
        return [None, 0, None, None, None, *reviewed]
    evaluators = json.dumps(list(agreed.evaluators), ensure_ascii=False)
    return [agreed.score, agreed.n, str(agreed.source), evaluators, agreed.spread, *reviewed]


def _recording_row(recording: Recording, result: ResultFile | None) -> list[Any]:
    duration_s = None if recording.report is None else recording.report.duration_s
    body = json.dumps(recording_to_json(recording), ensure_ascii=False)
    identity = [recording.id, recording.set, recording.speaker, recording.text, recording.part]
    folded = name_key(f"{recording.speaker} {recording.text} {recording.id}")
    return [*identity, duration_s, order_key(recording.id), body, *consensus_columns(result), folded]


def insert_ratings(database: sqlite_utils.Database, labelled: Sequence[tuple[Recording, ResultFile]]) -> int:
    rows = [
        _rating_row(recording, event)
        for recording, result in labelled
        for event in current_ratings(result.ratings).values()
    ]
    database.conn.executemany("INSERT INTO ratings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.conn.executemany(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (row for recording, result in labelled for row in _event_rows(recording, result)),
    )
    database.conn.executemany(
        "INSERT INTO comments VALUES (?, ?, ?, ?, ?, ?, ?)",
        (row for recording, result in labelled for row in _comment_rows(recording, result)),
    )
    return len(rows)


def _event_rows(recording: Recording, result: ResultFile) -> Iterator[list[Any]]:
    """The whole history, with what was taken back."""
    standing = {id(event) for event in standing_events(result.ratings)}
    for number, event in enumerate(result.ratings):
        body = json.dumps(event_to_json(event), ensure_ascii=False)
        head = [recording.id, number, recording.set, event.evaluator, str(event.action), event.at, str(event.source)]
        yield [*head, body, event.project, str(event.purpose), int(id(event) in standing)]


def _comment_rows(recording: Recording, result: ResultFile) -> Iterator[list[Any]]:
    comments = comments_of(result)
    for number, comment in comments.items():
        first = comments[comment.reply_to] if comment.reply_to is not None else comment
        head = [recording.id, number, recording.set, comment.author]
        yield [*head, first.author, first.audience, comment.at]


def _rating_row(recording: Recording, event: RatingEvent) -> list[Any]:
    dimensions = json.dumps(event.dimensions)
    marks = json.dumps([asdict(mark) for mark in event.marks], ensure_ascii=False)
    head = [recording.id, event.evaluator, recording.set, str(event.source), str(event.action), event.score]
    return [*head, dimensions, event.at, event.notes, event.reason, marks, event.rubric]


def _problem_rows(set_: RecordingSet, recordings: Sequence[Recording], found: Sequence[Problem]) -> Iterator[list[Any]]:
    for recording in recordings:
        for problem in recording.report.problems if recording.report is not None else ():
            yield _problem_row(set_, recording.id, replace(problem, path=recording.path))
    for problem in found:
        yield _problem_row(set_, problem.path, problem)


def _problem_row(set_: RecordingSet, recording_id: str | None, problem: Problem) -> list[Any]:
    body = json.dumps(to_json(problem_row(problem)), ensure_ascii=False)
    return [set_.name, recording_id, problem.code, problem.severity, problem.path, body]
