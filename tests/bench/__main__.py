"""Run the benchmarks named on the command line, or all, each in a process of its own so that none warms another."""

import json
import multiprocessing
import os
import platform
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime

from pipeline.settings import CHECKOUT
from tests.bench import measure

MODULES = (
    "features",
    "scoring",
    "speech",
    "training",
    "runs",
    "experts",
    "labelling",
    "recording_list",
    "desk",
    "practising",
    "classroom",
    "wakeword",
    "service",
    "monitoring",
    "startup",
    "manifest",
)
RESULTS = CHECKOUT / "tests" / "bench" / "results"


def main() -> None:
    names = sys.argv[1:] or list(MODULES)
    unknown = set(names) - set(MODULES)
    if unknown:
        sys.exit(f"Unknown benchmark {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}.")
    context = multiprocessing.get_context("spawn")
    for name in names:
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            rows = pool.submit(measure, name).result()
        for row in rows:
            beside = "" if row["ratio"] is None else f"   {row['ratio']:.1f} x {row['alternative']}"
            bar = f"   (bar: {row['bar']})" if row["bar"] else ""
            print(f"{name:10} {row['name']:52} {row['value']:10.4g} {row['unit']}{beside}{bar}", flush=True)
        RESULTS.mkdir(exist_ok=True)
        content = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {"cpus": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
            "results": rows,
        }
        (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
