"""The SQLite index over recording sets and label files: quick to ask, and never the truth.

Everything in it follows from `sets/*/recordings.jsonl` and the `*_result.json` files; `rebuild` makes the same state
from them that single saves make step by step. A connection a call, WAL, and one writing transaction a change, so that
several servers and commands can share it. Questions that need more than a row or two are in `queries`.
"""

import hashlib
import json
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import psutil
import sqlite_utils

from pipeline import artifacts
from pipeline.corpus.sets import (
    RESULT_SUFFIX,
    RecordingSet,
    damaged_sets,
    get_set,
    label_path,
    list_sets,
    read_recordings,
    recording_from_json,
    result_path,
)
from pipeline.database import NoRoomError, as_it_lies, connected, failure, forget
from pipeline.errors import CorpusError, LabelError, UnknownNameError
from pipeline.labels.history import current_ratings, review, standing_events
from pipeline.labels.queries import IndexQueries
from pipeline.labels.result_file import LabelTimeError, ResultFile, event_to_json, read_result
from pipeline.locks import locked
from pipeline.records import Problem, RatingEvent, Recording, Seconds, to_json
from pipeline.settings import Settings
from pipeline.text import composed

if TYPE_CHECKING:
    import pandas

Progress = Callable[[int, int, str], None]

SCHEMA_VERSION = 2
DAMAGED = "damaged"  # in `recordings.review`: nobody is given it until its label file is repaired
SAVE_LASTS_AT_MOST_S: Seconds = 60.0
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE sets (name TEXT PRIMARY KEY, title TEXT, synthetic INTEGER, rubric TEXT) WITHOUT ROWID;
CREATE TABLE recordings (
    id TEXT PRIMARY KEY, set_name TEXT NOT NULL, speaker TEXT NOT NULL, text TEXT NOT NULL, part TEXT,
    duration_s REAL, order_key INTEGER NOT NULL, body TEXT NOT NULL,
    score REAL, n_raters INTEGER NOT NULL DEFAULT 0, source TEXT, evaluators TEXT,
    review TEXT NOT NULL DEFAULT '', requested INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX recordings_by_order ON recordings (set_name, order_key);
CREATE INDEX recordings_by_speaker ON recordings (set_name, speaker);
CREATE TABLE ratings (
    recording_id TEXT NOT NULL, evaluator TEXT NOT NULL, set_name TEXT NOT NULL, source TEXT NOT NULL,
    action TEXT NOT NULL, score REAL, dimensions TEXT NOT NULL, at TEXT NOT NULL, notes TEXT NOT NULL,
    reason TEXT NOT NULL, marks TEXT NOT NULL, PRIMARY KEY (recording_id, evaluator)
) WITHOUT ROWID;
CREATE INDEX ratings_by_evaluator ON ratings (evaluator, set_name, at);
CREATE TABLE events (
    recording_id TEXT NOT NULL, number INTEGER NOT NULL, set_name TEXT NOT NULL, evaluator TEXT NOT NULL,
    action TEXT NOT NULL, at TEXT NOT NULL, source TEXT NOT NULL, body TEXT NOT NULL, project TEXT NOT NULL,
    purpose TEXT NOT NULL, stands INTEGER NOT NULL, PRIMARY KEY (recording_id, number)
) WITHOUT ROWID;
CREATE INDEX events_by_evaluator ON events (evaluator, set_name, at);
CREATE INDEX events_by_project ON events (project, evaluator, purpose);
CREATE TABLE problems (
    set_name TEXT NOT NULL, recording_id TEXT, code TEXT NOT NULL, severity TEXT NOT NULL,
    message TEXT NOT NULL, path TEXT
);
CREATE INDEX problems_by_set ON problems (set_name);
"""
TABLES = ("meta", "sets", "recordings", "ratings", "events", "problems")


@dataclass(frozen=True)
class IndexReport:
    n_sets: int
    n_recordings: int
    n_label_files: int
    n_ratings: int
    problems: tuple[Problem, ...]


class Index(IndexQueries):
    def __init__(self, settings: Settings) -> None:
        self._settings = self.settings = settings
        self.path = settings.index_path

    @contextmanager
    def connect(self) -> Iterator[sqlite_utils.Database]:
        """A connection for one call. Raises LabelError where the file is damaged or locked for over 30 s, NoRoomError
        where the disk is full."""
        path = self._settings.index_path
        try:
            connection = connected(path)
        except sqlite3.Error as error:
            raise failure(f"The index {path}", error, "Check its permissions.") from error
        try:
            yield sqlite_utils.Database(connection)
        except sqlite3.DatabaseError as error:
            raise failure(f"The index {path}", error, "`pronlab index rebuild` rebuilds it.") from error
        finally:
            connection.close()

    def ensure(self) -> None:
        """Build the index where it is missing, damaged, outdated, or has missed a save."""
        orphaned = self._orphaned_marks()
        if self._stale_mark.exists() or not self._is_current() or not all(map(self._mended, orphaned)):
            self.rebuild()

    @contextmanager
    def saving(self, what: str) -> Iterator[None]:
        """Hold a mark while `what` (a recording's labels, a set) is written and the index told of it. A process killed
        in between leaves the mark behind, and a later `ensure` reads the files again. Raises LabelError where it
        cannot be set."""
        digest = hashlib.sha256(what.encode()).hexdigest()[:16]
        mark = self._marks / f"{digest}-{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
        try:
            self._marks.mkdir(parents=True, exist_ok=True)
            mark.write_text(what, encoding="utf-8")
        except OSError as error:
            with suppress(OSError):
                mark.unlink()
            raise LabelError(
                f"{self._marks} cannot be written ({error.strerror or error}); nothing was saved."
            ) from error
        try:
            yield
        except NoRoomError:  # written, but the index does not know: the mark stays
            raise
        except BaseException:
            mark.unlink(missing_ok=True)
            raise
        mark.unlink(missing_ok=True)

    def rebuild(self, progress: Progress | None = None) -> IndexReport:
        """Make the index anew from the sets and label files, in one transaction: readers see the old or the new."""
        if not self._is_sound():
            self._discard()
        with self.connect() as database, _writing(database):
            # Taken away before any file is read: a save that fails to reach the index from here on sets it again.
            self._stale_mark.unlink(missing_ok=True)
            for mark in self._orphaned_marks():
                mark.unlink(missing_ok=True)
            for table in TABLES:
                database.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in filter(str.strip, SCHEMA.split(";")):
                database.execute(statement)
            report = self._fill(database, progress)
            database.execute("INSERT INTO meta VALUES ('schema_version', ?)", [str(SCHEMA_VERSION)])
        return report

    def refresh_set(self, name: str) -> None:
        """Read one set and its label files again, after an import; an unregistered set leaves the index."""
        self.ensure()
        with self.connect() as database, _writing(database):
            for table in ("recordings", "ratings", "events", "problems"):
                database.execute(f"DELETE FROM {table} WHERE set_name = ?", [name])  # noqa: S608
            database.execute("DELETE FROM sets WHERE name = ?", [name])
            database.execute("DELETE FROM meta WHERE key = ?", [f"ids {name}"])
            for set_ in list_sets(self._settings):
                if set_.name == name:
                    self._fill_set(database, set_, None)

    def update_labels(self, recording: Recording, result: ResultFile) -> None:
        """Take over what was just written for `recording`. A failure marks the index as stale instead of raising:
        the label is safe on disk, and the next `ensure` rebuilds. Raises LabelError where not even that can be done."""
        try:
            if not self._is_current():
                self.rebuild()
                return
            with self.connect() as database, _writing(database):
                for table in ("ratings", "events"):
                    database.execute(f"DELETE FROM {table} WHERE recording_id = ?", [recording.id])  # noqa: S608
                _insert_ratings(database, [(recording, result)])
                database.execute(
                    "UPDATE recordings SET score = ?, n_raters = ?, source = ?, evaluators = ?, review = ?, "
                    "requested = ? WHERE id = ?",
                    [*_consensus_columns(result), recording.id],
                )
        except (LabelError, OSError) as error:
            try:
                self._stale_mark.touch()
            except OSError:
                raise LabelError(
                    f"The labels of {recording.id} are saved, but the index does not know it: {error} Then run "
                    "`pronlab index rebuild`."
                ) from error

    def pass_over(self, recording: Recording) -> None:
        """Give nobody this recording until its label file is repaired and read again."""
        with self.connect() as database, _writing(database):
            database.execute("UPDATE recordings SET review = ? WHERE id = ?", [DAMAGED, recording.id])

    def recording(self, recording_id: str) -> Recording:
        """Raises UnknownNameError for an id that is not in the index."""
        found = self.bodies("SELECT body FROM recordings WHERE id = ?", [composed(recording_id)])
        if not found:
            raise UnknownNameError(
                f"There is no recording {recording_id!r}. `pronlab index rebuild` reads the sets again."
            )
        return found[0]

    def recordings(
        self,
        set: str | None = None,
        *,
        speakers: Sequence[str] | None = None,
        texts: Sequence[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Recording]:
        """In the order of their ids."""
        clauses, values = ["1"], list[Any]()
        if set is not None:
            clauses.append("set_name = ?")
            values.append(set)
        for column, chosen in (("speaker", speakers), ("text", texts)):
            if chosen is not None:
                clauses.append(f"{column} IN ({', '.join('?' * len(chosen))})")
                values.extend(chosen)
        where = " AND ".join(clauses)
        sql = f"SELECT body FROM recordings WHERE {where} ORDER BY id LIMIT ? OFFSET ?"  # noqa: S608
        return self.bodies(sql, [*values, -1 if limit is None else limit, offset])

    def next_recording(self, set: str, evaluator: str, skip_ids: Sequence[str] = ()) -> Recording | None:
        """The next that `evaluator` has neither rated nor skipped nor flagged; None when nothing is left.

        The order is random but fixed: all raters walk the same shuffled circle, each from their own place.
        """
        start = order_key(evaluator)
        sql = """
            SELECT body FROM recordings r WHERE set_name = ? AND order_key {} ?
            AND review != 'damaged'
            AND NOT EXISTS (SELECT 1 FROM ratings WHERE recording_id = r.id AND evaluator = ?)
            AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY order_key LIMIT 1
        """
        for comparison in (">=", "<"):
            values = [set, start, evaluator, json.dumps(list(skip_ids))]
            found = self.bodies(sql.format(comparison), values)
            if found:
                return found[0]
        return None

    def ids_digest(self, set: str) -> str:
        """Changes whenever recordings join or leave the set."""
        found = self.rows("SELECT value FROM meta WHERE key = ?", [f"ids {set}"])
        return str(found[0]["value"]) if found else ""

    def bodies(self, sql: str, values: Sequence[Any]) -> list[Recording]:
        found, _ = self._asked(sql, values)
        return [recording_from_json(artifacts.loads(row[0])) for row in found]

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        found, columns = self._asked(sql, values)
        return [dict(zip(columns, row, strict=True)) for row in found]

    def frame(self, sql: str, values: Sequence[Any] = ()) -> "pandas.DataFrame":
        import pandas

        found, columns = self._asked(sql, values)
        return pandas.DataFrame.from_records(found, columns=columns, coerce_float=True)

    def _asked(self, sql: str, values: Sequence[Any]) -> tuple[list[tuple[Any, ...]], list[str]]:
        """Rows and the names of their columns. On a full disk, where SQLite has no room for its log, the file is read
        as it lies."""

        def ask(connection: sqlite3.Connection) -> tuple[list[tuple[Any, ...]], list[str]]:
            cursor = connection.execute(sql, tuple(values))
            return cursor.fetchall(), [column[0] for column in cursor.description]

        try:
            with self.connect() as database:
                return ask(database.conn)
        except NoRoomError as full:
            try:
                with closing(as_it_lies(self.path)) as connection:
                    return ask(connection)
            except sqlite3.Error:
                raise full from None

    def _fill(self, database: sqlite_utils.Database, progress: Progress | None) -> IndexReport:
        n_recordings = n_files = n_ratings = 0
        problems = damaged_sets(self._settings)
        sets = list_sets(self._settings)
        for set_ in sets:
            try:
                counts, found = self._fill_set(database, set_, progress)
            except CorpusError as error:
                problems.append(Problem("broken_set", str(error), "error", set_.name))
                continue
            n_recordings, n_files, n_ratings = n_recordings + counts[0], n_files + counts[1], n_ratings + counts[2]
            problems.extend(found)
        return IndexReport(len(sets), n_recordings, n_files, n_ratings, tuple(problems))

    def _fill_set(
        self, database: sqlite_utils.Database, set_: RecordingSet, progress: Progress | None
    ) -> tuple[tuple[int, int, int], list[Problem]]:
        recordings = read_recordings(self._settings, set_.name)
        problems: list[Problem] = []
        labelled: list[tuple[Recording, ResultFile]] = []
        wants_repair: set[str] = set()
        present = _label_files(set_.labels_root)
        by_letters = {composed(name): name for name in sorted(present, reverse=True)}
        for done, recording in enumerate(recordings):
            if progress is not None and done % 500 == 0:
                progress(done, len(recordings), set_.name)
            try:
                asked = str(label_path(recording))
                relative = asked if asked in present else by_letters.get(composed(asked))
                result = None
                if relative is not None:
                    path = set_.labels_root / relative
                    if path.is_symlink():
                        path = result_path(set_, recording)  # raises where it leads out of the set
                    result = read_result(path)
            except (LabelError, CorpusError) as error:
                problems.append(Problem("broken_label", str(error), "error", recording.id))
                if isinstance(error, LabelTimeError):
                    wants_repair.add(recording.id)
                continue
            if result is not None:
                labelled.append((recording, result))
        results = {recording.id: result for recording, result in labelled}
        database.execute(
            "INSERT INTO sets VALUES (?, ?, ?, ?)", [set_.name, set_.title, int(set_.synthetic), str(set_.rubric)]
        )
        database.conn.executemany(
            "INSERT INTO recordings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_recording_row(recording, results.get(recording.id)) for recording in recordings),
        )
        database.conn.executemany(
            "UPDATE recordings SET review = ? WHERE id = ?", ((DAMAGED, key) for key in sorted(wants_repair))
        )
        database.execute("INSERT INTO meta VALUES (?, ?)", [f"ids {set_.name}", _digest(recordings)])
        n_ratings = _insert_ratings(database, labelled)
        database.conn.executemany(
            "INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?)", _problem_rows(set_, recordings, problems)
        )
        return (len(recordings), len(labelled), n_ratings), problems

    def _is_current(self) -> bool:
        if not self._settings.index_path.is_file():
            return False
        try:
            rows = self.rows("SELECT value FROM meta WHERE key = 'schema_version'")
        except NoRoomError:
            raise
        except LabelError:
            return False
        return [row["value"] for row in rows] == [str(SCHEMA_VERSION)]

    def _is_sound(self) -> bool:
        try:
            self.rows("SELECT count(*) FROM sqlite_master")
        except NoRoomError:  # it could not be made anew either
            raise
        except LabelError:
            return False
        return True

    def _discard(self) -> None:
        """Nothing is lost: the index can be made again from the files."""
        forget(self._settings.index_path)
        for suffix in ("", "-wal", "-shm"):
            path = self._settings.index_path
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    def _mended(self, mark: Path) -> bool:
        """Take over the one recording's labels whose save was cut short; False where the mark is of something else."""
        try:
            recording = self.recording(mark.read_text(encoding="utf-8"))
            path = result_path(get_set(self._settings, recording.set), recording)
            with locked(self._settings, path, LabelError):  # else a save at this moment could be overwritten here
                result = read_result(path)
                if result is not None:
                    self.update_labels(recording, result)
        except (OSError, ValueError, LabelError, CorpusError, UnknownNameError):
            return False
        mark.unlink(missing_ok=True)
        return not self._stale_mark.exists()

    def _orphaned_marks(self) -> list[Path]:
        """Marks of processes that are no more, and those older than any save can last."""
        oldest, here = time.time() - SAVE_LASTS_AT_MOST_S, socket.gethostname()
        found: list[Path] = []
        try:
            for mark in self._marks.iterdir():
                _, _, owner = mark.name.partition("-")
                host, pid, _ = owner.rsplit("-", 2)
                dead = host == here and not psutil.pid_exists(int(pid))
                if dead or mark.stat().st_mtime < oldest:
                    found.append(mark)
        except FileNotFoundError:  # none was ever set, or one has just been taken away
            return found
        return found

    @property
    def _marks(self) -> Path:
        return self._settings.data_root / "locks" / "saving"

    @property
    def _stale_mark(self) -> Path:
        return self._settings.index_path.with_name("index.sqlite-stale")


def order_key(name: str) -> int:
    """A place on the shuffled circle: 62 bits, so that it fits SQLite's signed integers."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 2


@contextmanager
def _writing(database: sqlite_utils.Database) -> Iterator[None]:
    database.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk has rolled back by itself
            database.conn.execute("ROLLBACK")
        raise
    database.conn.execute("COMMIT")


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


def _digest(recordings: Sequence[Recording]) -> str:
    """Of the recordings' ids and parts."""
    known = sorted(f"{recording.id}|{recording.part}" for recording in recordings)
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]


def _consensus_columns(result: ResultFile | None) -> list[Any]:
    if result is None:
        return [None, 0, None, None, "", 0]
    agreed, said = result.consensus, review(result.ratings)
    reviewed = ["" if said.verdict is None else str(said.verdict.action), said.requested]
    if agreed is None:
        return [None, 0, None, None, *reviewed]
    evaluators = json.dumps(list(agreed.evaluators), ensure_ascii=False)
    return [agreed.score, agreed.n, str(agreed.source), evaluators, *reviewed]


def _recording_row(recording: Recording, result: ResultFile | None) -> list[Any]:
    duration_s = None if recording.report is None else recording.report.duration_s
    body = json.dumps(to_json(recording), ensure_ascii=False)
    identity = [recording.id, recording.set, recording.speaker, recording.text, recording.part]
    return [*identity, duration_s, order_key(recording.id), body, *_consensus_columns(result)]


def _insert_ratings(database: sqlite_utils.Database, labelled: Sequence[tuple[Recording, ResultFile]]) -> int:
    rows = [
        _rating_row(recording, event)
        for recording, result in labelled
        for event in current_ratings(result.ratings).values()
    ]
    database.conn.executemany("INSERT INTO ratings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.conn.executemany(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (row for recording, result in labelled for row in _event_rows(recording, result)),
    )
    return len(rows)


def _event_rows(recording: Recording, result: ResultFile) -> Iterator[list[Any]]:
    """The whole history, with what was taken back."""
    standing = {id(event) for event in standing_events(result.ratings)}
    for number, event in enumerate(result.ratings):
        body = json.dumps(event_to_json(event), ensure_ascii=False)
        head = [recording.id, number, recording.set, event.evaluator, str(event.action), event.at, str(event.source)]
        yield [*head, body, event.project, str(event.purpose), int(id(event) in standing)]


def _rating_row(recording: Recording, event: RatingEvent) -> list[Any]:
    dimensions = json.dumps(event.dimensions)
    marks = json.dumps([asdict(mark) for mark in event.marks], ensure_ascii=False)
    head = [recording.id, event.evaluator, recording.set, str(event.source), str(event.action), event.score]
    return [*head, dimensions, event.at, event.notes, event.reason, marks]


def _problem_rows(set_: RecordingSet, recordings: Sequence[Recording], found: Sequence[Problem]) -> Iterator[list[Any]]:
    for recording in recordings:
        for problem in recording.report.problems if recording.report is not None else ():
            yield [set_.name, recording.id, problem.code, problem.severity, problem.message, recording.path]
    for problem in found:
        yield [set_.name, problem.path, problem.code, problem.severity, problem.message, problem.path]
