"""Counts and times for Prometheus, of this process."""

from typing import ClassVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pipeline.api.limits import Places

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Measures:
    """A registry of its own, so that several applications in one process do not share."""

    MEDIA_TYPE: ClassVar[str] = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("pronlab_requests", "Answered", ["path", "status"], registry=self._registry)
        self._seconds = Histogram(
            "pronlab_request_seconds", "From the first byte to the answer", ["path"], buckets=BUCKETS,
            registry=self._registry,
        )  # fmt: skip
        self._scoring = Histogram(
            "pronlab_scoring_seconds", "Of the scorer alone", ["scorer"], buckets=BUCKETS, registry=self._registry
        )
        self._taken = Gauge("pronlab_requests_at_work", "Scored or waiting for it", registry=self._registry)
        self._refused = Gauge("pronlab_requests_refused", "With 429, since the start", registry=self._registry)
        self._lost = Gauge("pronlab_predictions_lost", "That could not be logged", registry=self._registry)

    def request(self, path: str, status: int, seconds: float) -> None:
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def scored(self, scorer: str, seconds: float) -> None:
        self._scoring.labels(scorer).observe(seconds)

    def text(self, places: Places, lost: int) -> bytes:
        self._taken.set(places.taken)
        self._refused.set(places.refused)
        self._lost.set(lost)
        return generate_latest(self._registry)
