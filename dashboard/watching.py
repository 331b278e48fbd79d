"""What the Monitor page asks for: rollups of the log of predictions, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.services import settings

if TYPE_CHECKING:
    from pipeline.monitoring.drift import Drift
    from pipeline.monitoring.predictions import Day

NEWEST = 50


@dataclass(frozen=True)
class Summary:
    """Of some days: `p95_words` is the edge of the bin that the 95th percentile of the latency falls into."""

    n: int
    refused_share: float
    mean_score: float | None
    p95_words: str
    scores: tuple[int, ...]


def days(last: int) -> list[Day]:
    from pipeline.monitoring.predictions import PredictionLog

    since = (datetime.now(UTC) - timedelta(days=last)).strftime("%Y-%m-%d")
    return PredictionLog(settings()).days(since)


def summary(own: Sequence[Day]) -> Summary:
    from pipeline.monitoring.predictions import LATENCY_EDGES_MS

    n, n_scored = sum(day.n for day in own), sum(day.n_scored for day in own)
    latencies = np.cumsum(np.sum([day.latencies for day in own], axis=0))
    place = int(np.searchsorted(latencies, 0.95 * latencies[-1]))
    words = f"{LATENCY_EDGES_MS[place]:.0f} ms" if place < len(LATENCY_EDGES_MS) else f"> {LATENCY_EDGES_MS[-1]:.0f} ms"
    total = sum((day.mean_score or 0.0) * day.n_scored for day in own)
    scores = tuple(int(count) for count in np.sum([day.scores for day in own], axis=0))
    return Summary(n, 1 - n_scored / n, total / n_scored if n_scored else None, words, scores)


def score_drift(own: Sequence[Day]) -> Drift:
    """The later half of the days against the earlier."""
    from pipeline.monitoring.drift import of_counts
    from pipeline.monitoring.predictions import SCORE_BINS

    names = sorted({day.day for day in own})
    middle = names[len(names) // 2]
    sides = [[day.scores for day in own if (day.day >= middle) is later] for later in (False, True)]
    before, after = (np.sum(side, axis=0) if side else np.zeros(SCORE_BINS, dtype=int) for side in sides)
    return of_counts("score", before, after)


def newest(model: str) -> list[dict[str, Any]]:
    from pipeline.monitoring.predictions import PredictionLog

    return [
        {
            "At": one.at, "Text": one.text, "Score": one.overall, "Confidence": one.confidence,
            "Milliseconds": round(one.milliseconds), "People said": one.people,
        }
        for one in PredictionLog(settings()).newest(model, NEWEST)
    ]  # fmt: skip
