"""Who has which recording open: reservations that end by themselves.

One SQLite file beside the index. It may be thrown away at any time: all that is lost is who was about to rate what.
"""

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.database import connected, failure
from pipeline.i18n import N_, Message
from pipeline.records import Purpose, Seconds
from pipeline.settings import Settings

LASTS_S: Seconds = 600.0
SLACK_S: Seconds = 60.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS leases (
    project TEXT NOT NULL, slot TEXT NOT NULL, recording_id TEXT NOT NULL, evaluator TEXT NOT NULL,
    token TEXT NOT NULL, purpose TEXT NOT NULL, taken_at REAL NOT NULL, expires_at REAL NOT NULL,
    PRIMARY KEY (project, slot)
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Lease:
    """Times in seconds since 1970. Of one `slot` there is one lease: for work the recording's, so that nobody rates it
    at the same time; calibration, gold and repeats are each expert's own."""

    project: str
    slot: str
    recording_id: str
    evaluator: str
    token: str
    purpose: str
    taken_at: float
    expires_at: float


def slot_of(recording_id: str, purpose: Purpose, evaluator: str) -> str:
    return recording_id if purpose is Purpose.WORK else f"{recording_id}|{evaluator}"


class Leases:
    """At most one expert has a recording of a project to work on at a time. Every method is safe from several
    processes."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.time) -> None:
        self._path = settings.data_root / "leases.sqlite"
        self._now = now

    def of(self, project: str, evaluator: str) -> Lease | None:
        """The evaluator's own live one."""
        with self._connect() as db:
            rows = db.execute(
                f"SELECT * FROM leases WHERE project = ? AND evaluator = ? AND {_LIVE}",  # noqa: S608
                [project, evaluator, *self._times()],
            ).fetchall()
        return Lease(*rows[0]) if rows else None

    def repeats_of(self, evaluator: str) -> dict[str, float]:
        """The recordings that the evaluator has open as repeats in any project, and since when (seconds since 1970)."""
        if not self._path.is_file():
            return {}
        with self._connect() as db:
            sql = f"SELECT recording_id, taken_at FROM leases WHERE evaluator = ? AND purpose = ? AND {_LIVE}"  # noqa: S608
            return dict(db.execute(sql, [evaluator, str(Purpose.REPEAT), *self._times()]).fetchall())

    def held(self, project: str) -> list[Lease]:
        """All live ones, the next to end first."""
        with self._connect() as db:
            sql = f"SELECT * FROM leases WHERE project = ? AND {_LIVE} ORDER BY expires_at"  # noqa: S608
            return [Lease(*row) for row in db.execute(sql, [project, *self._times()])]

    def claim(
        self,
        project: str,
        evaluator: str,
        candidates: Iterable[tuple[str, Purpose]],
        still_open: Callable[[str, Purpose], bool],
        *,
        before_s: Seconds = 0.0,
    ) -> Lease | None:
        """Take the first of `candidates` that nobody else has and that is `still_open`; what the evaluator had before
        in this project is given back. None where there is none: then they keep what they had. `before_s` is how long
        the evaluator had it already.

        Within one writing transaction: a rating is saved before its lease is released, so that whoever sees a recording
        free here also sees every rating of it.
        """
        with self._connect() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                now = self._now()
                db.execute(f"DELETE FROM leases WHERE project = ? AND NOT ({_LIVE})", [project, *self._times()])  # noqa: S608
                others = db.execute(
                    "SELECT slot FROM leases WHERE project = ? AND evaluator <> ?", [project, evaluator]
                )
                taken = {row[0] for row in others}
                lease = None
                for recording_id, purpose in candidates:
                    slot = slot_of(recording_id, purpose, evaluator)
                    if slot not in taken and still_open(recording_id, purpose):
                        token, until = secrets.token_hex(8), now + LASTS_S
                        lease = Lease(
                            project, slot, recording_id, evaluator, token, str(purpose), now - before_s, until
                        )
                        db.execute("DELETE FROM leases WHERE project = ? AND evaluator = ?", [project, evaluator])
                        db.execute("INSERT INTO leases VALUES (?, ?, ?, ?, ?, ?, ?, ?)", list(vars(lease).values()))
                        break
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
        return lease

    def renew(self, lease: Lease) -> bool:
        """Whether it was still held, and now lasts anew."""
        with self._connect() as db:
            done = db.execute(
                f"UPDATE leases SET expires_at = ? WHERE token = ? AND {_LIVE}",  # noqa: S608
                [self._now() + LASTS_S, lease.token, *self._times()],
            )
            return done.rowcount == 1

    def release(self, lease: Lease) -> None:
        with self._connect() as db:
            db.execute("DELETE FROM leases WHERE token = ?", [lease.token])

    def _times(self) -> list[float]:
        """A clock that went back would leave leases alive for ever: one that ends too far ahead counts as ended."""
        now = self._now()
        return [now, now + LASTS_S + SLACK_S]

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        try:
            db = connected(self._path)
        except sqlite3.Error as error:
            raise failure(
                Message(N_("The reservations {path}"), path=str(self._path)),
                self._path,
                error,
                Message(N_("Check its permissions.")),
            ) from error
        try:
            db.execute(SCHEMA)
            yield db
        except sqlite3.DatabaseError as error:
            raise failure(
                Message(N_("The reservations {path}"), path=str(self._path)),
                self._path,
                error,
                Message(N_("The file can be removed safely.")),
            ) from error
        finally:
            db.close()


_LIVE = "expires_at > ? AND expires_at <= ?"
