"""Ratings from other programs: checked as a whole before anything is written."""

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from pipeline import artifacts, csvfile
from pipeline.corpus.sets import get_set, read_recordings
from pipeline.errors import LabelError
from pipeline.labels.exchange import label_studio
from pipeline.labels.exchange.rating_rows import Row
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore, checked
from pipeline.people.access import Action, Identity
from pipeline.people.names import name_key, spelled_as
from pipeline.people.people import People, permit
from pipeline.records import REVIEWS, Mark, Purpose, RatingAction, RatingEvent, RatingSource, Recording, RubricName
from pipeline.rubrics import RUBRICS
from pipeline.settings import Settings
from pipeline.text import composed
from pipeline.times import now_iso


@dataclass(frozen=True)
class Incoming:
    """What an import would do: ratings by recording; every row that cannot be used, with the reason; which names were
    taken for another spelling of one person's; and what stands in the file beside the ratings and is left out."""

    ratings: dict[str, list[RatingEvent]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    respelled: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        return sum(map(len, self.ratings.values()))


def from_csv(content: bytes) -> list[Row]:
    """Of `pronlab export --format csv`, or any table with `recording_id`, `evaluator`, and `score` (words) or the
    dimensions' names (sentences). Raises LabelError where the columns are missing."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelError(f"The file is not UTF-8 text ({error.reason}). Save it as CSV UTF-8.") from error
    table = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if set(table.fieldnames or ()) >= label_studio.FLAT_KEYS:
            return [label_studio.from_flat(f"line {number}", raw) for number, raw in enumerate(table, start=2)]
        return _rows_of(table)
    except csv.Error as error:
        raise LabelError(
            f"The table cannot be read after line {table.line_num}: {error}. Check for a quote that is not closed."
        ) from error


def _rows_of(table: "csv.DictReader[str]") -> list[Row]:
    missing = {"recording_id", "evaluator"} - set(table.fieldnames or ())
    if missing:
        raise LabelError(
            f"The table needs the columns recording_id and evaluator; missing: {', '.join(sorted(missing))}."
        )
    rows: list[Row] = []
    for number, raw in enumerate(table, start=2):
        values: dict[str, Any] = {
            key: csvfile.plain(value) for key, value in raw.items() if key and value not in (None, "")
        }
        problem = ""
        for name in ("dimensions", "marks"):
            if name in values:
                try:
                    values[name] = artifacts.loads(values[name])
                except ValueError:
                    problem = f"has {name} that are not JSON"
        rows.append(Row(f"line {number}", values, problem))
    return rows


def check(settings: Settings, set_name: str, rows: Sequence[Row], known: Collection[str] | None = None) -> Incoming:
    """Against the set, its rubric and the people whose ratings may come in (`known`; None: anybody's). Spellings of
    one name become one person: as the installation knows them, else as the file has them first. Writes nothing."""
    rubric = get_set(settings, set_name).rubric
    recordings = {recording.id: recording for recording in read_recordings(settings, set_name)}
    by_path = {composed(str(PurePosixPath(r.path).with_suffix(""))): r for r in recordings.values()}
    by_path |= {composed(recording.path): recording for recording in recordings.values()}
    reviewers = People(settings).who_may(Action.REVIEW)
    found: dict[str, list[RatingEvent]] = {}
    problems: list[str] = []
    spelled: dict[str, str] = {}
    respelled: dict[str, str] = {}
    people = People(settings)
    for row in rows:
        try:
            if row.problem:
                raise LabelError(row.problem)
            recording = _recording(row, recordings, by_path)
            event = checked(rubric, _event(row.values, rubric))
            listed, role = (reviewers, "reviewer") if event.action in REVIEWS else (known, "rater")
            if listed is not None and spelled_as(event.evaluator, listed) is None:
                raise LabelError(f"{event.evaluator!r} is not an active {role} on this installation's list of people")
            key = name_key(event.evaluator)
            if key not in spelled:
                spelled[key] = people.spelling(event.evaluator)
            if event.evaluator != spelled[key]:
                respelled[event.evaluator] = spelled[key]
                event = replace(event, evaluator=spelled[key])
            found.setdefault(recording.id, []).append(event)
        except (LabelError, ValueError, TypeError, KeyError) as error:
            problems.append(f"{row.place}: {str(error).rstrip('.')}")
    told = tuple(f"{typed!r} is taken as {known!r}" for typed, known in respelled.items())
    left_out = tuple(label_studio.counted(name for row in rows for name in row.left_out))
    return Incoming(found, tuple(problems), told, left_out)


def apply(settings: Settings, set_name: str, incoming: Incoming, by: Identity | None = None) -> int:
    """Append what is new to the histories; how many recordings that changed. Running it again changes nothing. Raises
    AccessError for who may not import, or may not decide where there are decisions."""
    permit(settings, by, Action.IMPORT_DATA)
    if any(event.action in REVIEWS for events in incoming.ratings.values() for event in events):
        permit(settings, by, Action.REVIEW)
    store, recordings = LabelStore(settings), {r.id: r for r in read_recordings(settings, set_name)}
    changed = 0
    for key, events in incoming.ratings.items():
        changed += store.add_from_corpus(recordings[key], events, by) is not None
    Index(settings).refresh_set(set_name)
    return changed


def _recording(row: Row, recordings: dict[str, Recording], by_path: dict[str, Recording]) -> Recording:
    asked = composed(str(row.values.get("recording_id") or ""))
    found = recordings.get(asked) or by_path.get(asked)
    parts = asked.split("/")
    for n in range(1, len(parts)):  # a path with folders before it
        found = found or by_path.get("/".join(parts[n:]))
    if found is None:
        raise LabelError(f"there is no recording {asked!r} in the set")
    return found


def _event(values: dict[str, Any], rubric: RubricName) -> RatingEvent:
    action = RatingAction(str(values.get("action") or "rate"))
    if action is RatingAction.UNDO:
        raise LabelError(f"'{action}' is not a rating")
    names = [dimension.key for dimension in RUBRICS[rubric].dimensions]
    dimensions = values.get("dimensions") or {name: values[name] for name in names if name in values}
    score = values.get("score")
    took_s = values.get("took_s")
    return RatingEvent(
        evaluator=str(values.get("evaluator") or ""),
        action=action,
        at=_time(str(values.get("at") or "")),
        score=None if score is None or rubric is not RubricName.WORD else float(score),
        dimensions={} if rubric is RubricName.WORD else {str(k): float(v) for k, v in dimensions.items()},
        notes=str(values.get("notes") or ""),
        reason=str(values.get("reason") or ("" if action is RatingAction.RATE else "imported")),
        marks=tuple(Mark(**mark) for mark in values.get("marks") or ()),
        project=str(values.get("project") or ""),
        purpose=Purpose(str(values.get("purpose") or "")),
        took_s=None if took_s is None else float(took_s),
        source=RatingSource(str(values.get("source") or RatingSource.HUMAN)),
    )


def _time(text: str) -> str:
    """In UTC as we write it; now where none was given. Raises ValueError for what is no time."""
    if not text:
        return now_iso()
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")
