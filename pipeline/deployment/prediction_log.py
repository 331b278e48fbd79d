"""The log of predictions: one row per prediction, and daily totals that stay small.

Pages and metrics read the rollups; single rows are read by id or for a page of the newest. A log that cannot be written
(a full disk) never fails the prediction: it is counted as lost.
"""

import json
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from pipeline import artifacts
from pipeline.database import BUSY_TIMEOUT_S, connected
from pipeline.errors import PronlabError, said_by
from pipeline.i18n import N_
from pipeline.records import ScoreResult, Seconds
from pipeline.settings import Settings

SCORE_BINS = 20  # of 5 points
LATENCY_EDGES_MS = (5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0)
SAMPLED_A_DAY = 1000  # feature vectors a day and model: enough for a distribution, whatever the traffic
LONGEST_COMMENT = 2000
SHADOW = " (shadow)"  # after the scorer's name, where its answers were shown to nobody
END_OF_TIME = 253402300799.0  # the end of the year 9999: what was changed by hand to what is no time is passed over
SCHEMA_VERSION = 2  # kept in the file: one that was removed, or that an earlier version began, is seen to
SCHEMA = """
CREATE TABLE IF NOT EXISTS predictions(
  id TEXT PRIMARY KEY, at REAL NOT NULL, scorer TEXT NOT NULL, model_id TEXT NOT NULL, rubric TEXT NOT NULL,
  text TEXT NOT NULL, participant TEXT NOT NULL, client TEXT NOT NULL, overall REAL, state TEXT NOT NULL,
  confidence REAL, milliseconds REAL NOT NULL, duration_s REAL, snr_db REAL, peak REAL, silence_share REAL,
  arm TEXT NOT NULL DEFAULT '', comparison TEXT NOT NULL DEFAULT '', shadow_of TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS predictions_model ON predictions(model_id, at);
CREATE INDEX IF NOT EXISTS predictions_participant ON predictions(participant) WHERE participant != '';
CREATE TABLE IF NOT EXISTS feedback(
  prediction TEXT NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL, score REAL, agrees INTEGER, comment TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS feedback_prediction ON feedback(prediction);
CREATE TABLE IF NOT EXISTS days(
  day TEXT NOT NULL, model_id TEXT NOT NULL, scorer TEXT NOT NULL, n INTEGER NOT NULL, n_scored INTEGER NOT NULL,
  sum_score REAL NOT NULL, sum_ms REAL NOT NULL, scores TEXT NOT NULL, latencies TEXT NOT NULL,
  PRIMARY KEY(day, model_id, scorer)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS features(day TEXT NOT NULL, model_id TEXT NOT NULL, number INTEGER NOT NULL, vector BLOB);
CREATE INDEX IF NOT EXISTS features_day ON features(day, model_id);
"""


@dataclass(frozen=True)
class Day:
    """What one model answered on one day (UTC). `scores` counts those that were scored in 20 bins of 5 points,
    `latencies` counts answers up to each of LATENCY_EDGES_MS and, last, above."""

    day: str
    model_id: str
    scorer: str
    n: int
    n_scored: int
    mean_score: float | None
    mean_ms: float
    scores: tuple[int, ...]
    latencies: tuple[int, ...]


@dataclass(frozen=True)
class Logged:
    """One prediction, with the mean of the scores that people gave it afterwards, None where nobody did."""

    id: str
    at: str
    scorer: str
    model_id: str
    text: str
    participant: str
    overall: float | None
    confidence: float | None
    milliseconds: float
    people: float | None


@dataclass(frozen=True)
class Labelled:
    """A prediction and what people said of it: `label` a score 0-100 (experts' mean, else learners'), `agrees` the
    share who agreed; None where nobody said so. `at` is in seconds since 1970."""

    id: str
    at: float
    scorer: str
    model_id: str
    rubric: str
    text: str
    participant: str
    overall: float | None
    confidence: float | None
    arm: str
    comparison: str
    label: float | None
    agrees: float | None

    @property
    def error(self) -> float | None:
        """Predicted less said."""
        return None if self.overall is None or self.label is None else self.overall - self.label


class FeedbackError(PronlabError):
    """Feedback cannot be saved: an unknown prediction, or a value outside its range."""


class LogError(PronlabError):
    """The log cannot be read or written now: a full disk, a damaged file, or another writer for too long."""


class PredictionLog:
    """Of one installation. `lost` counts predictions that could not be written, e.g. as another program held the file
    for longer than `patience_s`."""

    def __init__(self, settings: Settings, patience_s: Seconds = BUSY_TIMEOUT_S) -> None:
        self._path = settings.data_root / "predictions.sqlite"
        self._patience_s = patience_s
        self.lost = 0

    def add(
        self,
        result: ScoreResult,
        *,
        participant: str = "",
        client: str = "",
        features: Sequence[float] | None = None,
        arm: str = "",
        comparison: str = "",
        shadow_of: str = "",
        at: float | None = None,
    ) -> str:
        """Keep what was answered, never the sound; returns its id, also where the disk is full. `arm` and `comparison`
        are of a route, `shadow_of` the id of the prediction that was shown in place of this one."""
        prediction_id = uuid.uuid4().hex
        extra = (arm, comparison, shadow_of)
        try:
            with self._writing() as connection:
                _insert(connection, prediction_id, result, participant, client, features, at or time.time(), extra)
        except LogError:
            self.lost += 1
        return prediction_id

    def feedback(
        self,
        prediction: str,
        *,
        score: float | None = None,
        agrees: bool | None = None,
        comment: str = "",
        kind: str = "learner",
    ) -> None:
        """What somebody says about a prediction: a score of their own (0-100), or whether they agree. Raises
        FeedbackError; LogError where it could not be kept."""
        if score is None and agrees is None and not comment:
            raise FeedbackError(N_("The feedback is empty. Give a score, whether you agree, or a comment."))
        if score is not None and not 0.0 <= score <= 100.0:
            raise FeedbackError(N_("A score must be between 0 and 100, got {score}."), score=score)
        if len(comment) > LONGEST_COMMENT:
            raise FeedbackError(
                N_("A comment has at most {longest} characters, got {n}."), longest=LONGEST_COMMENT, n=len(comment)
            )
        with self._writing() as connection:
            if not connection.execute("SELECT 1 FROM predictions WHERE id = ?", (prediction,)).fetchone():
                raise FeedbackError(
                    N_("There is no prediction {prediction!r}. Send the id that came with the score."),
                    prediction=prediction,
                )
            connection.execute(
                "INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?)",
                (prediction, time.time(), kind, score, None if agrees is None else int(agrees), comment),
            )

    def forget(self, participant: str) -> int:
        """Take a name out of every prediction; what was predicted stays, as nobody's. How many there were."""
        if not participant or not self._path.is_file():
            return 0
        with self._writing() as connection:
            rows = connection.execute(
                "UPDATE predictions SET participant = '' WHERE participant = ? AND participant != ''", (participant,)
            )
            return rows.rowcount

    def labelled(self, since: float = 0.0) -> list[Labelled]:
        """What somebody said a score or their opinion of, oldest first; experts' scores before learners'."""
        rows = self._read(
            "SELECT p.id, p.at, p.scorer, p.model_id, p.rubric, p.text, p.participant, p.overall, p.confidence, p.arm, "
            "p.comparison, AVG(CASE WHEN f.kind = 'expert' THEN f.score END) AS expert, AVG(f.score) AS anybody, "
            "AVG(f.agrees) AS agrees FROM feedback f JOIN predictions p ON p.id = f.prediction "
            "WHERE p.at BETWEEN ? AND ? GROUP BY p.id ORDER BY p.at",
            (since, END_OF_TIME),
        )
        return [
            Labelled(
                r["id"], r["at"], r["scorer"], r["model_id"], r["rubric"], r["text"], r["participant"], r["overall"],
                r["confidence"], r["arm"], r["comparison"], r["anybody"] if r["expert"] is None else r["expert"],
                r["agrees"],
            )
            for r in rows
        ]  # fmt: skip

    def arm_counts(self, comparison: str) -> dict[str, int]:
        """How many predictions each side of a comparison made."""
        rows = self._read("SELECT arm, COUNT(*) AS n FROM predictions WHERE comparison = ? GROUP BY arm", (comparison,))
        return {r["arm"]: r["n"] for r in rows}

    def days(self, since: str = "") -> list[Day]:
        """The rollups from the day `since` (YYYY-MM-DD) on, oldest first."""
        rows = self._read("SELECT * FROM days WHERE day >= ? ORDER BY day, model_id", (since,))
        return [
            Day(
                r["day"], r["model_id"], r["scorer"], r["n"], r["n_scored"],
                r["sum_score"] / r["n_scored"] if r["n_scored"] else None, r["sum_ms"] / r["n"],
                tuple(artifacts.loads(r["scores"])), tuple(artifacts.loads(r["latencies"])),
            )
            for r in rows
        ]  # fmt: skip

    def newest(self, model_id: str, n: int = 100) -> list[Logged]:
        rows = self._read(
            "SELECT p.*, (SELECT AVG(score) FROM feedback f WHERE f.prediction = p.id) AS people "
            "FROM predictions p WHERE model_id = ? AND at BETWEEN 0 AND ? ORDER BY at DESC LIMIT ?",
            (model_id, END_OF_TIME, n),
        )
        return [
            Logged(
                r["id"], datetime.fromtimestamp(r["at"], UTC).isoformat(timespec="seconds"), r["scorer"], r["model_id"],
                r["text"], r["participant"], r["overall"], r["confidence"], r["milliseconds"], r["people"],
            )
            for r in rows
        ]  # fmt: skip

    def sampled_features(self, model_id: str, since: str = "") -> "np.ndarray[Any, np.dtype[np.float32]]":
        """[n, n_features] of at most 1,000 predictions a day."""
        rows = self._read("SELECT vector FROM features WHERE model_id = ? AND day >= ?", (model_id, since))
        vectors = [np.frombuffer(r["vector"], dtype=np.float32) for r in rows]
        return np.stack(vectors) if vectors else np.zeros((0, 0), dtype=np.float32)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled back by itself
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _read(self, query: str, values: tuple[Any, ...]) -> list[sqlite3.Row]:
        if not self._path.is_file():
            return []
        with self._opened() as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Raises LogError for whatever goes wrong until it is closed."""
        try:
            with closing(connected(self._path)) as connection:
                connection.execute(f"PRAGMA busy_timeout = {round(1000 * self._patience_s)}")
                self._see_to_tables(connection)
                connection.row_factory = sqlite3.Row
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise LogError(
                N_(
                    "{file} cannot be used now ({reason}). Check whether the disk is full. A damaged file can be "
                    "moved away: a new one is created."
                ),
                file=self._path.name,
                reason=said_by(error),
            ) from error

    @staticmethod
    def _see_to_tables(connection: sqlite3.Connection) -> None:
        if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
            connection.executescript(SCHEMA)
            _add_columns(connection)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _add_columns(connection: sqlite3.Connection) -> None:
    """To a log that an earlier version began."""
    known = {row[1] for row in connection.execute("PRAGMA table_info(predictions)")}
    for name in ("arm", "comparison", "shadow_of"):
        if name not in known:
            connection.execute(f"ALTER TABLE predictions ADD COLUMN {name} TEXT NOT NULL DEFAULT ''")


def _insert(
    connection: sqlite3.Connection,
    prediction_id: str,
    result: ScoreResult,
    participant: str,
    client: str,
    features: Sequence[float] | None,
    at: float,
    extra: tuple[str, str, str],
) -> None:
    audio = result.audio
    day = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
    connection.execute(
        "INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            prediction_id, at, result.scorer, result.model_id, str(result.target.rubric), result.target.text,
            participant, client, result.overall, str(result.state), result.confidence, result.milliseconds,
            *((audio.duration_s, audio.snr_db, audio.peak, audio.silence_share) if audio else (None,) * 4), *extra,
        ),
    )  # fmt: skip
    key = (day, result.model_id, result.scorer + (SHADOW if extra[2] else ""))
    before = connection.execute("SELECT * FROM days WHERE day = ? AND model_id = ? AND scorer = ?", key).fetchone()
    scores = artifacts.loads(before["scores"]) if before else [0] * SCORE_BINS
    latencies = artifacts.loads(before["latencies"]) if before else [0] * (len(LATENCY_EDGES_MS) + 1)
    if result.overall is not None:
        scores[min(SCORE_BINS - 1, int(result.overall * SCORE_BINS / 100.0))] += 1
    latencies[int(np.searchsorted(LATENCY_EDGES_MS, result.milliseconds))] += 1
    n = before["n"] if before else 0
    connection.execute(
        "INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *key, n + 1, (before["n_scored"] if before else 0) + (result.overall is not None),
            (before["sum_score"] if before else 0.0) + (result.overall or 0.0),
            (before["sum_ms"] if before else 0.0) + result.milliseconds, json.dumps(scores), json.dumps(latencies),
        ),
    )  # fmt: skip
    if features is not None and n < SAMPLED_A_DAY:
        vector = np.asarray(features, dtype=np.float32).tobytes()
        connection.execute("INSERT INTO features VALUES (?, ?, ?, ?)", (day, result.model_id, n, vector))
