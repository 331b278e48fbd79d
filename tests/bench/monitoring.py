"""The log of predictions at ten million of them: what the Monitor page reads, beside counting the rows themselves, and
what one more prediction costs."""

import json
import sqlite3
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from pipeline.deployment.prediction_log import LATENCY_EDGES_MS, SCORE_BINS, PredictionLog
from pipeline.records import ScoreResult, Target
from pipeline.settings import Settings
from tests.bench import BenchResult, best_s

N = 10_000_000
DAYS = 365
LABELLED = 20_000
MODEL = "m1"
INSERT = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :n)
INSERT INTO predictions(id, at, scorer, model_id, rubric, text, participant, client, overall, state, confidence,
  milliseconds)
SELECT printf('%08x%024x', i * 2654435761 % 4294967296, i), :start + i * :step, 'model',
  CASE WHEN i % 3 THEN 'm1' ELSE 'm2' END, 'word', 'araba', 'l' || (i % 5000), '', 40 + i % 60, 'scored', 0.7, 20.0
FROM n
"""


def run() -> list[BenchResult]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_root=Path(folder) / "data", models_root=Path(folder) / "models")
        log = PredictionLog(settings)
        _fill(settings, log)
        since = (datetime.now(UTC) - timedelta(days=30)).strftime("%Y-%m-%d")
        recent = time.time() - 30 * 86_400

        def page() -> None:
            log.days(since)
            log.newest(MODEL, 50)

        def counted() -> None:
            with sqlite3.connect(settings.data_root / "predictions.sqlite") as connection:
                connection.execute(
                    "SELECT date(at, 'unixepoch'), COUNT(*), AVG(overall), AVG(milliseconds) FROM predictions "
                    "WHERE at >= ? GROUP BY 1, model_id", (recent,),
                ).fetchall()  # fmt: skip

        drawn_s, counted_s = best_s(page, 3), best_s(counted, 1)
        said_s = best_s(lambda: log.labelled(recent), 3)
        added_s = best_s(lambda: log.add(_result()), 200)
        size_mb = (settings.data_root / "predictions.sqlite").stat().st_size / 2**20
        return [
            BenchResult(
                f"Monitor, answers of 30 days among {N:,}", drawn_s, "s", "1 s", "counting rows", counted_s / drawn_s
            ),
            BenchResult(f"Monitor, what people said, {LABELLED:,} labelled", said_s, "s", "1 s"),
            BenchResult("one more prediction", 1000 * added_s, "ms"),
            BenchResult("the log's file", size_mb, "MB"),
        ]


def _result() -> ScoreResult:
    return ScoreResult(70.0, "fair", "ml_model", "model", MODEL, Target("araba"), milliseconds=20.0)


def _fill(settings: Settings, log: PredictionLog) -> None:
    """A year of them: rows by SQLite itself, and the rollups that as many single calls would have left."""
    log.add(_result())
    start = time.time() - DAYS * 86_400
    a_day = N // DAYS
    with sqlite3.connect(settings.data_root / "predictions.sqlite") as connection:
        connection.execute("PRAGMA cache_size = -3000000")  # of this filling alone, in kB
        connection.execute(INSERT, {"n": N, "start": start, "step": DAYS * 86_400 / N})
        for number in range(DAYS):
            day = (datetime.now(UTC) - timedelta(days=DAYS - number)).strftime("%Y-%m-%d")
            scores = json.dumps([a_day // SCORE_BINS] * SCORE_BINS)
            latencies = json.dumps([a_day // len(LATENCY_EDGES_MS)] * (len(LATENCY_EDGES_MS) + 1))
            for model in ("m1", "m2"):
                row = (
                    day,
                    model,
                    "model",
                    a_day // 2,
                    a_day // 2,
                    70.0 * a_day / 2,
                    20.0 * a_day / 2,
                    scores,
                    latencies,
                )
                connection.execute("INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        chosen = np.random.default_rng(0).integers(0, N, LABELLED)
        rows = connection.execute("SELECT id FROM predictions ORDER BY at DESC LIMIT ?", (LABELLED,)).fetchall()
        connection.executemany(
            "INSERT INTO feedback VALUES (?, ?, 'expert', ?, NULL, '')",
            [(found, time.time(), float(40 + number % 60)) for (found,), number in zip(rows, chosen, strict=True)],
        )
