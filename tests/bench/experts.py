"""Twenty experts rating as fast as the machine lets them, and agreement over a hundred thousand ratings."""

import tempfile
import time
from pathlib import Path

import numpy as np

from pipeline.metrics.rater_agreement import agreement
from pipeline.settings import Settings
from tests.bench import BenchResult
from tests.projects.test_projects_load import OVERLAP, prepared, rated_by

N_EXPERTS, N_RATINGS = 20, 200


def run() -> list[BenchResult]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder) / "data", Path(folder) / "models")
        prepared(settings, N_EXPERTS * N_RATINGS // OVERLAP + 60)
        started = time.perf_counter()
        outcome = rated_by(settings, N_EXPERTS, N_RATINGS, 0)
        took_s = time.perf_counter() - started
    middle, high = np.percentile(outcome.saves_ms, [50, 95])
    return [
        BenchResult("20 experts without a pause, one save, median", float(middle), "ms"),
        BenchResult("20 experts without a pause, one save, 95th percentile", float(high), "ms", "< 300"),
        BenchResult("ratings a second, with the queue", len(outcome.saves_ms) / took_s, "1/s"),
        _agreement(),
    ]


def _agreement() -> BenchResult:
    import krippendorff

    draw = np.random.default_rng(0)
    table = np.round(draw.normal(70, 10, (20_000, 1)) + draw.normal(0, 5, (20_000, 5)))
    speakers = [f"s{n}" for n in draw.integers(0, 500, 20_000)]
    started = time.perf_counter()
    agreement(table, list("abcde"), clusters=speakers, bands=(0, 60, 70, 80, 90))
    ours = time.perf_counter() - started
    started = time.perf_counter()
    krippendorff.alpha(table.T, level_of_measurement="interval")
    theirs = time.perf_counter() - started
    return BenchResult(
        "agreement over 100,000 ratings, all figures with intervals", ours, "s", "< 3",
        "krippendorff, alpha alone, no interval", theirs / ours,
    )  # fmt: skip
