"""Counts and times for Prometheus, of this service since its start."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
DESCRIPTION = """The text format of Prometheus (version 0.0.4). One process answers all requests and counts them, so the
figures are of the whole service, processes that score included; counts begin at 0 when it starts.

- `pronlab_requests_total{path,status}`: requests that were answered; `path` is `other` for unknown ones
- `pronlab_request_seconds{path}`: histogram, from the end of the headers to the end of the answer
- `pronlab_scoring_seconds{scorer}`: histogram, of the scorer alone
- `pronlab_requests_at_work`: scored or waiting for it now
- `pronlab_requests_refused_total`: clips that found no place (429)
- `pronlab_predictions_lost_total`: predictions that could not be logged
- `pronlab_workers_loaded`: processes that can score now
- `pronlab_workers_replaced_total`: processes that ended and were replaced
"""


class Measures:
    """A registry of its own, so that several applications in one process do not share. `at_work` and `loaded` say how
    much there is now, `refused`, `lost` and `replaced` how often it happened."""

    MEDIA_TYPE: ClassVar[str] = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(
        self,
        at_work: Callable[[], int],
        loaded: Callable[[], int],
        refused: Callable[[], int],
        lost: Callable[[], int],
        replaced: Callable[[], int],
    ) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "pronlab_requests", "Requests that were answered", ["path", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "pronlab_request_seconds", "From the end of the headers to the end of the answer", ["path"],
            buckets=BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._scoring = Histogram(
            "pronlab_scoring_seconds", "Of the scorer alone", ["scorer"], buckets=BUCKETS, registry=self._registry
        )
        self._now = (
            ("pronlab_requests_at_work", "Scored or waiting for it now", at_work),
            ("pronlab_workers_loaded", "Processes that can score now", loaded),
        )
        self._since_start = (
            ("pronlab_requests_refused", "Clips that found no place (429)", refused),
            ("pronlab_predictions_lost", "Predictions that could not be logged", lost),
            ("pronlab_workers_replaced", "Processes that ended and were replaced", replaced),
        )
        self._registry.register(self)

    def collect(self) -> Iterator[Any]:
        """What others count, read when it is asked for."""
        for name, description, value in self._now:
            yield GaugeMetricFamily(name, description, value=value())
        for name, description, value in self._since_start:
            yield CounterMetricFamily(name, description, value=value())

    def request(self, path: str, status: int, seconds: float) -> None:
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def scored(self, scorer: str, seconds: float) -> None:
        self._scoring.labels(scorer).observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self._registry)
