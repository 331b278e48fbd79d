"""Speed and memory, measured on this machine and printed as ratios against a named alternative in the same run.

`make bench` runs every module here that has a `run() -> list[BenchResult]`; `python -m tests.bench features` runs one.
Timings never decide a test: machines are shared and noisy.
"""

import importlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class BenchResult:
    """One figure. `alternative` names what `ratio` compares with (above 1 is better than it); `bar` is the aim."""

    name: str
    value: float
    unit: str
    bar: str = ""
    alternative: str = ""
    ratio: float | None = None


def best_s(function: Callable[[], object], repeats: int = 5) -> float:
    """Seconds of the fastest of `repeats` calls: what disturbs a shared machine only ever slows it down."""
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        found.append(time.perf_counter() - started)
    return min(found)


def measure(name: str) -> list[dict[str, object]]:
    """What the module `name` measures; here, and not in `__main__`, so that a fresh process can find it."""
    found = importlib.import_module(f"tests.bench.{name}").run()
    return [asdict(result) for result in found]
