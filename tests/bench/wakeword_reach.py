"""The bar "Reach" in docs/results/wake-words.md: the preset `default` on 250 recordings of each of four keywords, three
seeds, without and with the judge of phones that learns the word from the recordings of the training.

    python -m tests.bench.wakeword_study FOLDER SHARED reach [KEYWORD or SEED ...]
    python -m tests.bench.wakeword_study FOLDER SHARED reach stream KEYWORD SEED
    python -m tests.bench.wakeword_study FOLDER SHARED reach table

A row is kept in FOLDER/reach.jsonl as soon as it is there, and what is there is not measured again, so that several of
these may run at once for other keywords and seeds. `stream` makes what a keyword is measured on, and nothing else.
"""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.wakeword_study import KEYWORDS, SEEDS, Case, prepare, train
from tests.bench.wakeword_typed import WRITTEN, keep_what_is_checked, learnt, scores_of, sound_in, stream_of

TARGETS = ("0.1", "0.5", "1.0")


def one(folder: Path, keyword: str, seed: int) -> dict[str, Any]:
    import torch

    from pipeline.records import to_json
    from pipeline.wakeword.evaluation.judged_stream import ask, measure_judged
    from pipeline.wakeword.evaluation.stream_metrics import measure

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or 1))
    begun = time.process_time()
    finished = train(folder, Case("default", keyword, seed))
    trained_s = time.process_time() - begun
    judge = learnt(finished, WRITTEN.get(keyword, keyword))
    learnt_s = time.process_time() - begun - trained_s
    info = finished.info
    stream, sound = stream_of(folder, keyword, seed, info.features)
    scored = scores_of(finished, stream)
    alone = measure(scored, info.detector)
    questions = ask(scored, info.detector, info.temperature, sound_in(sound), judge)
    judged = measure_judged(scored, info.detector, questions, judge.limit)
    report = json.loads((finished.home / "report.json").read_text(encoding="utf-8"))
    return {
        "keyword": keyword, "seed": seed, "n": alone.n_keywords, "hours": alone.hours, "eer": alone.eer,
        "alone": {target: to_json(point) for target, point in alone.at_fah.items()}, "judged": to_json(judged),
        "learnt_from": to_json(judge.learnt.learnt_from), "parameters": report["parameters"],
        "validation": report["validation"], "cpu_s": {"training": trained_s, "learning the word": learnt_s},
    }  # fmt: skip


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Missed words, for each keyword the mean, smallest and largest of its seeds, and together with exact intervals."""
    lines = ["| | keyword | clips | ≤ 0.1 FAH | ≤ 0.5 FAH | ≤ 1 FAH |", "|---|---|---|---|---|---|"]
    for name in ("alone", "judged"):
        points = [row["alone"] if name == "alone" else row["judged"]["at_fah"] for row in rows]
        for keyword in KEYWORDS:
            own = [(row, at) for row, at in zip(rows, points, strict=True) if row["keyword"] == keyword]
            if own:
                shares = [[100 * at[target]["misses"] / row["n"] for row, at in own] for target in TARGETS]
                cells = [f"{np.mean(each):.1f} ({min(each):.1f} to {max(each):.1f})" for each in shares]
                lines.append(f"| {name} | {keyword} | {len(own)} x {own[0][0]['n']} | {' | '.join(cells)} |")
        lines.append(f"| {name} | together | {sum(row['n'] for row in rows)} | {' | '.join(_together(rows, points))} |")
    as_set = [row["judged"]["as_set"] for row in rows]
    lines.append(
        f"\nJudged, at the limit that is set: {sum(p['misses'] for p in as_set)} of {sum(row['n'] for row in rows)} "
        f"missed, {sum(p['false_alarms'] for p in as_set)} false alarms in {sum(row['hours'] for row in rows):.1f} h."
    )
    return "\n".join(lines)


def _together(rows: Sequence[dict[str, Any]], points: Sequence[dict[str, Any]]) -> list[str]:
    from pipeline.metrics.detection import share_interval

    n = sum(row["n"] for row in rows)
    cells = []
    for target in TARGETS:
        missed = sum(at[target]["misses"] for at in points)
        low, high = share_interval(missed, n)
        alarms = sum(at[target]["false_alarms"] for at in points)
        cells.append(f"{100 * missed / n:.2f} ({100 * low:.2f} to {100 * high:.2f}); {alarms} alarms")
    return cells


def main(folder: Path, shared: Path, arguments: Sequence[str]) -> None:
    """`arguments`: `table`, or keywords and seeds to confine it to, after `stream` for what is measured on alone."""
    from pipeline.wakeword.features import FeatureConfig

    store = folder / "reach.jsonl"
    rows = [json.loads(line) for line in store.open(encoding="utf-8")] if store.is_file() else []
    if list(arguments) == ["table"]:
        print(table(rows))
        return
    prepare(folder, shared)
    keep_what_is_checked(folder)
    done = {(row["keyword"], row["seed"]) for row in rows}
    seeds = [int(seed) for seed in arguments if seed.isdigit()] or list(SEEDS)
    keywords = [keyword for keyword in arguments if keyword in KEYWORDS] or list(KEYWORDS)
    for seed in seeds:
        for keyword in keywords:
            if "stream" in arguments:
                stream_of(folder, keyword, seed, FeatureConfig())
            elif (keyword, seed) not in done:
                row = one(folder, keyword, seed)
                with store.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                print("done:", keyword, seed, row["n"], flush=True)
