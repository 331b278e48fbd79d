"""The SQLite index over recording sets and label files: quick to ask, and never the truth.

Everything in it follows from `sets/*/recordings.jsonl` and the `*_result.json` files; `rebuild` makes the same state
from them that single saves make step by step. One connection per call, WAL, and one writing transaction per change, so
that several servers and commands can share it. `index_filling` reads sets and label files into the tables of
`index_schema`; questions that need more than a row or two are in `queries`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import artifacts
from pipeline.corpus.sets import (
    get_set,
    list_sets,
    recording_from_json,
    result_path,
)
from pipeline.database import NoRoomError, as_it_lies, connected, failure, forget
from pipeline.errors import AccessError, CorpusError, LabelError, UnknownNameError, said_by
from pipeline.i18n import N_, Message
from pipeline.labels.index_filling import (
    LABEL_PROBLEMS,
    IndexReport,
    Progress,
    consensus_columns,
    fill,
    fill_set,
    insert_ratings,
    order_key,
)
from pipeline.labels.index_schema import DAMAGED, SCHEMA, SCHEMA_VERSION, TABLES
from pipeline.labels.queries import IndexQueries, Values
from pipeline.labels.raters import RaterNames
from pipeline.labels.result_file import ResultFile, is_unscaled, read_result, respelled
from pipeline.labels.save_marks import SaveMarks
from pipeline.locks import locked
from pipeline.people.people import People
from pipeline.records import Problem, Recording
from pipeline.settings import Settings
from pipeline.text import composed

if TYPE_CHECKING:
    import pandas
    import sqlite_utils

__all__ = ["TABLES", "Index", "IndexReport", "Progress"]


_RATERS = "SELECT DISTINCT evaluator FROM events"


class Index(IndexQueries):
    def __init__(self, settings: Settings) -> None:
        self._settings = self.settings = settings
        self.path = settings.index_path
        self._marks = SaveMarks(settings.data_root)

    @contextmanager
    def connect(self) -> Iterator[sqlite_utils.Database]:
        """A connection for one change. Raises LabelError where the file is damaged or locked for over 30 s,
        NoRoomError where the disk is full."""
        from sqlite_utils import Database  # imports pandas, which no question to the index needs

        with self._connection() as connection:
            yield Database(connection)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        path = self._settings.index_path
        try:
            connection = connected(path)
        except sqlite3.Error as error:
            raise failure(
                Message(N_("The index {path}"), path=str(path)), path, error, Message(N_("Check its permissions."))
            ) from error
        try:
            yield connection
        except sqlite3.DatabaseError as error:
            raise failure(
                Message(N_("The index {path}"), path=str(path)),
                path,
                error,
                Message(N_("`pronlab index rebuild` rebuilds it.")),
            ) from error
        finally:
            connection.close()

    def ensure(self) -> bool:
        """Build the index where it is missing, damaged, outdated, or has missed a save; whether it was built."""
        orphaned = self._marks.orphaned()
        if self._stale_mark.exists() or not self._is_current() or not all(map(self._mended, orphaned)):
            self.rebuild()
            return True
        return False

    def saving(self, what: str) -> AbstractContextManager[Callable[[], None]]:
        """Hold a mark while `what` is written and the index told of it: see `SaveMarks.hold`."""
        return self._marks.hold(what)

    def rebuild(self, progress: Progress | None = None) -> IndexReport:
        """Make the index anew from the sets and label files, in one transaction: readers see the old or the new."""
        if not self._is_sound():
            self._discard()
        with self.connect() as database, _writing(database):
            # Taken away before any file is read: a save that fails to reach the index from here on sets it again.
            self._stale_mark.unlink(missing_ok=True)
            for mark in self._marks.orphaned():
                mark.unlink(missing_ok=True)
            names = RaterNames(self._listed())
            report = self._filled(database, names, progress)
            if not names.is_settled:  # a better spelling came after another was written
                names.settle()
                report = self._filled(database, names, progress)
            database.execute("INSERT INTO meta VALUES ('schema_version', ?)", [str(SCHEMA_VERSION)])
        return report

    def _filled(self, database: sqlite_utils.Database, names: RaterNames, progress: Progress | None) -> IndexReport:
        for table in TABLES:
            database.execute(f"DROP TABLE IF EXISTS {table}")
        for statement in filter(str.strip, SCHEMA.split(";")):
            database.execute(statement)
        return fill(self._settings, database, names, progress)

    def refresh_set(self, name: str) -> list[Problem]:
        """Read one set and its label files again, after an import; an unregistered set leaves the index. Returns what
        is wrong with the label files."""
        if self.ensure():
            return self.label_problems(name)
        sets = [set_ for set_ in list_sets(self._settings) if set_.name == name]
        with self.connect() as database, _writing(database):
            _remove(database, name)
            others = [row[0] for row in database.execute(_RATERS).fetchall()]
            names = RaterNames(self._listed(), others)
            for set_ in sets:
                fill_set(self._settings, database, set_, names, None)
                if not names.is_settled:  # a better spelling came after another was written
                    names.settle()
                    _remove(database, name)
                    fill_set(self._settings, database, set_, names, None)
        if any(names.of(rater) != rater for rater in others):
            self.rebuild()
        return self.label_problems(name)

    def label_problems(self, set_name: str) -> list[Problem]:
        """What is wrong with the label files of a set; `path` is the recording's id."""
        return [problem for problem in self.problems(set_name) if problem.code in LABEL_PROBLEMS]

    def update_labels(self, recording: Recording, result: ResultFile) -> None:
        """Take over what was just written for `recording`. A failure marks the index as stale instead of raising:
        the label is safe on disk, and the next `ensure` rebuilds. Raises LabelError where not even that can be done."""
        try:
            if not self._is_current():
                self.rebuild()
                return
            if is_unscaled(result) and self.is_held(recording):
                return  # its scores stay out, and nobody rates it, until their scale is given
            with self.connect() as database, _writing(database):
                names = self._names_beside(database, result)
                result = respelled(result, names.of)
                for table in ("ratings", "events", "comments"):
                    database.execute(f"DELETE FROM {table} WHERE recording_id = ?", [recording.id])  # noqa: S608
                insert_ratings(database, [(recording, result)])
                database.execute(
                    "UPDATE recordings SET score = ?, n_raters = ?, source = ?, evaluators = ?, spread = ?, "
                    "review = ?, requested = ?, assigned = ? WHERE id = ?",
                    [*consensus_columns(result), recording.id],
                )
            if not names.is_settled:
                self.rebuild()
        except (LabelError, OSError) as error:
            try:
                self._stale_mark.touch()
            except OSError:
                raise LabelError(
                    N_(
                        "The labels of {recording} are saved, but the index does not know it: {reason} Then run "
                        "`pronlab index rebuild`."
                    ),
                    recording=recording.id,
                    reason=said_by(error),
                ) from error

    def _names_beside(self, database: sqlite_utils.Database, result: ResultFile) -> RaterNames:
        """How the raters of one recording are spelled in the index; names that are there as they are need no look at
        the others."""
        raters = sorted({event.evaluator for event in result.ratings})
        there = "SELECT DISTINCT evaluator FROM events WHERE evaluator IN (SELECT value FROM json_each(?))"
        if len(database.execute(there, [json.dumps(raters)]).fetchall()) == len(raters):
            return RaterNames((), raters)
        return RaterNames(self._listed(), (row[0] for row in database.execute(_RATERS).fetchall()))

    def rater_names(self) -> RaterNames:
        """How the raters of this installation are spelled."""
        return RaterNames(self._listed(), (row["evaluator"] for row in self.rows(_RATERS)))

    def _listed(self) -> list[str]:
        """The names on the list of people; where it is damaged nobody gets in, and labels are still read."""
        with suppress(AccessError):
            return [person.name for person in People(self._settings).all()]
        return []

    def is_held(self, recording: Recording) -> bool:
        """Whether its label file has to be repaired, or the scale of its scores given, before it is rated on."""
        rows = self.rows("SELECT review FROM recordings WHERE id = ?", [recording.id])
        return [row["review"] for row in rows] == [DAMAGED]

    def pass_over(self, recording: Recording) -> None:
        """Give nobody this recording until its label file is repaired and read again."""
        with self.connect() as database, _writing(database):
            database.execute("UPDATE recordings SET review = ? WHERE id = ?", [DAMAGED, recording.id])

    def recording(self, recording_id: str) -> Recording:
        """Raises UnknownNameError for an id that is not in the index."""
        found = self.bodies("SELECT body FROM recordings WHERE id = ?", [composed(recording_id)])
        if not found:
            raise UnknownNameError(
                N_("There is no recording {recording!r}. `pronlab index rebuild` reads the sets again."),
                recording=recording_id,
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
            AND review != 'damaged' AND (assigned = '[]' OR ? IN (SELECT value FROM json_each(assigned)))
            AND NOT EXISTS (SELECT 1 FROM ratings WHERE recording_id = r.id AND evaluator = ?)
            AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY order_key LIMIT 1
        """
        for comparison in (">=", "<"):
            values = [set, start, evaluator, evaluator, json.dumps(list(skip_ids))]
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

    def rows(self, sql: str, values: Values = ()) -> list[dict[str, Any]]:
        found, columns = self._asked(sql, values)
        return [dict(zip(columns, row, strict=True)) for row in found]

    def frame(self, sql: str, values: Sequence[Any] = ()) -> pandas.DataFrame:
        import pandas

        found, columns = self._asked(sql, values)
        return pandas.DataFrame.from_records(found, columns=columns, coerce_float=True)

    def _asked(self, sql: str, values: Values) -> tuple[list[tuple[Any, ...]], list[str]]:
        """Rows and the names of their columns. On a full disk, where SQLite has no room for its log, the file is read
        as it lies."""

        def ask(connection: sqlite3.Connection) -> tuple[list[tuple[Any, ...]], list[str]]:
            cursor = connection.execute(sql, values if isinstance(values, Mapping) else tuple(values))
            return cursor.fetchall(), [column[0] for column in cursor.description]

        try:
            with self._connection() as connection:
                return ask(connection)
        except NoRoomError as full:
            try:
                with closing(as_it_lies(self.path)) as unchanged:
                    return ask(unchanged)
            except sqlite3.Error:
                raise full from None

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

    @property
    def _stale_mark(self) -> Path:
        return self._settings.index_path.with_name("index.sqlite-stale")


def _remove(database: sqlite_utils.Database, set_name: str) -> None:
    for table in ("recordings", "ratings", "events", "comments", "problems"):
        database.execute(f"DELETE FROM {table} WHERE set_name = ?", [set_name])  # noqa: S608
    database.execute("DELETE FROM sets WHERE name = ?", [set_name])
    database.execute("DELETE FROM meta WHERE key = ?", [f"ids {set_name}"])


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
