"""Watching a run of 100,000 logged steps, and the second start of fine-tuning, when its recordings are decoded."""

import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from dashboard.charts import run_charts
from dashboard.services import jobs
from pipeline.runs import RunDirectory
from pipeline.settings import CHECKOUT, Settings
from tests.bench import BenchResult, best_s

N_STEPS = 100_000
COLUMNS = ("loss", "rate", "grad_norm")
MANIFEST = CHECKOUT.parent / "shared" / "data" / "speechocean762" / "manifest.jsonl"


def run() -> list[BenchResult]:
    with tempfile.TemporaryDirectory() as folder:
        results = _watching(Path(folder))
        if MANIFEST.is_file():
            results += _starts(Path(folder))
    return results


def _watching(folder: Path) -> list[BenchResult]:
    directory = RunDirectory.create(folder, kind="speechllm", name="long", config={})
    file = directory.path / "metrics.jsonl"
    file.write_text("".join(_line(step) for step in range(1, N_STEPS + 1)), encoding="utf-8")

    def redraw() -> None:
        with file.open("a", encoding="utf-8") as more:
            more.write(_line(N_STEPS))
        metrics = jobs.metrics_of(directory)
        for name in COLUMNS:
            run_charts.steps(metrics.steps(name), name).to_json()

    def whole() -> None:
        import plotly.graph_objects as go

        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for name in COLUMNS:
            go.Figure(go.Scatter(x=[row["step"] for row in rows], y=[row[name] for row in rows])).to_json()

    started = time.perf_counter()
    redraw()
    first = time.perf_counter() - started
    again, naive = best_s(redraw), best_s(whole, 2)
    return [
        BenchResult("100,000 steps, first draw of three curves", 1e3 * first, "ms", "", "all points", naive / first),
        BenchResult("100,000 steps, each redraw", 1e3 * again, "ms", "< 300", "all points", naive / again),
    ]


def _line(step: int) -> str:
    row: dict[str, Any] = {"at": "2026-01-01T00:00:00.000+00:00", "event": "step", "step": step, "epoch": step / 3e4}
    return json.dumps({**row, **{name: random.random() for name in COLUMNS}}) + "\n"


def _starts(folder: Path) -> list[BenchResult]:
    from pipeline.labels.corpus_source import of_manifest
    from pipeline.speechllm.samples import load_corpus, samples_of

    home = Settings(folder / "data", folder / "models")
    took = []
    for _ in range(2):
        started = time.perf_counter()
        samples_of(load_corpus(home, of_manifest(home, MANIFEST), "train"))
        took.append(time.perf_counter() - started)
    return [
        BenchResult(
            "fine-tuning data of 2,500 recordings, second start", took[1], "s", "< 10", "the first start",
            took[0] / took[1],
        )
    ]  # fmt: skip
