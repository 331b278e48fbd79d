"""The bar "Reach" in docs/results/wake-words.md: the preset `default` on 250 recordings of each of four keywords, three
seeds, without and with the judge of phones that learns the word from the recordings of the training.

    python -m tests.bench.wakeword_study FOLDER SHARED reach [alone] [KEYWORD or SEED ...]
    python -m tests.bench.wakeword_study FOLDER SHARED reach stream KEYWORD SEED
    python -m tests.bench.wakeword_study FOLDER SHARED reach [alone] table

A row is kept in FOLDER/reach.jsonl as soon as it is there, and what is there is not measured again, so that several of
these may run at once for other keywords and seeds. `stream` makes what a keyword is measured on, and nothing else;
`alone` asks no judge, and keeps its rows in FOLDER/reach-alone.jsonl.
"""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.bench.wakeword_study import KEYWORDS, SEEDS, Case, prepare, train
from tests.bench.wakeword_typed import (
    WRITTEN,
    keep_what_is_checked,
    learnt,
    near_answers,
    scores_of,
    sound_in,
    stream_of,
)

TARGETS = ("0.1", "0.5", "1.0")
LIMITS = np.arange(-6.0, 20.0, 0.25)  # of the judge, for one limit over all streams
THRESHOLDS = np.arange(0.0, 8.0, 0.1)  # of the detector alone


def alone(folder: Path, keyword: str, seed: int) -> dict[str, Any]:
    return _without_judge(folder, keyword, seed)[0]


def _without_judge(folder: Path, keyword: str, seed: int) -> tuple[dict[str, Any], Any, Any]:
    """The row, the finished run, and its scores of the stream."""
    import torch

    from pipeline.records import to_json
    from pipeline.wakeword.evaluation.stream_metrics import measure, operate

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or 1))
    begun = time.process_time()
    finished = train(folder, Case("default", keyword, seed))
    trained_s = time.process_time() - begun
    info = finished.info
    scored = scores_of(finished, stream_of(folder, keyword, seed, info.features)[0])
    result = measure(scored, info.detector)
    points = [operate(scored, info.detector, float(threshold))[0] for threshold in THRESHOLDS]
    report = json.loads((finished.home / "report.json").read_text(encoding="utf-8"))
    row = {
        "keyword": keyword, "seed": seed, "n": result.n_keywords, "hours": result.hours, "eer": result.eer,
        "alone": {target: to_json(point) for target, point in result.at_fah.items()},
        "at_thresholds": [[point.misses, point.false_alarms] for point in points], "parameters": report["parameters"],
        "validation": report["validation"], "cpu_s": {"training": trained_s},
    }  # fmt: skip
    return row, finished, scored


def one(folder: Path, keyword: str, seed: int) -> dict[str, Any]:

    from pipeline.records import to_json
    from pipeline.wakeword.evaluation.judged_stream import ask, judged_point, measure_judged

    row, finished, scored = _without_judge(folder, keyword, seed)
    begun = time.process_time()
    judge = learnt(finished, WRITTEN.get(keyword, keyword))
    learnt_s = time.process_time() - begun
    info = finished.info
    _stream, sound = stream_of(folder, keyword, seed, info.features)
    questions = ask(scored, info.detector, info.temperature, sound_in(sound), judge)
    judged = measure_judged(scored, info.detector, questions, judge.limit)
    near = near_answers(
        folder, keyword, finished, judge, questions.threshold, row["alone"]["0.5"]["threshold"],
        judged.at_fah["0.5"].threshold,
    )  # fmt: skip
    with_judge = [judged_point(scored, info.detector, questions, float(limit)) for limit in LIMITS]
    return row | {
        "judged": to_json(judged), "near": near, "learnt_from": to_json(judge.learnt.learnt_from),
        "at_limits": [[point.misses, point.false_alarms] for point in with_judge],
        "cpu_s": row["cpu_s"] | {"learning the word": learnt_s},
    }  # fmt: skip


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Missed words, for each keyword the mean, smallest and largest of its seeds, and together with exact intervals."""
    lines = ["| | keyword | clips | ≤ 0.1 FAH | ≤ 0.5 FAH | ≤ 1 FAH |", "|---|---|---|---|---|---|"]
    judged = all("judged" in row for row in rows)
    for name in ("alone", "judged") if judged else ("alone",):
        points = [row["alone"] if name == "alone" else row["judged"]["at_fah"] for row in rows]
        for keyword in KEYWORDS:
            own = [(row, at) for row, at in zip(rows, points, strict=True) if row["keyword"] == keyword]
            if own:
                shares = [[100 * at[target]["misses"] / row["n"] for row, at in own] for target in TARGETS]
                cells = [f"{np.mean(each):.1f} ({min(each):.1f} to {max(each):.1f})" for each in shares]
                lines.append(f"| {name} | {keyword} | {len(own)} x {own[0][0]['n']} | {' | '.join(cells)} |")
        lines.append(f"| {name} | together | {sum(row['n'] for row in rows)} | {' | '.join(_together(rows, points))} |")
    if not judged:
        return "\n".join([*lines, "", *_of_one_limit(rows, "alone", "at_thresholds", THRESHOLDS)])
    as_set = [row["judged"]["as_set"] for row in rows]
    lines.append(
        f"\nJudged, at the limit that is set: {sum(p['misses'] for p in as_set)} of {sum(row['n'] for row in rows)} "
        f"missed, {sum(p['false_alarms'] for p in as_set)} false alarms in {sum(row['hours'] for row in rows):.1f} h."
    )
    lines += _of_one_limit(rows, "alone", "at_thresholds", THRESHOLDS)
    lines += _of_one_limit(rows, "judged", "at_limits", LIMITS)
    return "\n".join([*lines, *_near(rows)])


def _of_one_limit(rows: Sequence[dict[str, Any]], name: str, key: str, limits: NDArray[np.float64]) -> list[str]:
    """The fewest misses over all streams at one limit, the same for every keyword and seed, so that a rate rests on all
    of their hours."""
    from pipeline.metrics.detection import poisson_interval, share_interval

    n, hours = sum(row["n"] for row in rows), sum(row["hours"] for row in rows)
    lines = []
    misses, alarms = np.sum([row[key] for row in rows], axis=0).T
    for target in map(float, TARGETS):
        best = int(np.where(alarms <= target * hours, misses, n + 1).argmin())
        low, high = share_interval(int(misses[best]), n)
        least, most = poisson_interval(int(alarms[best]), hours)
        lines.append(
            f"One limit for all, {name}, at most {target:g} FAH: {misses[best]} missed, "
            f"{100 * misses[best] / n:.2f} % ({100 * low:.2f} to {100 * high:.2f}), {alarms[best]} false alarms in "
            f"{hours:.1f} h ({least:.2f} to {most:.2f} per hour), limit {limits[best]:.2f}"
        )
    return lines


def _near(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Clips of near phrases that set it off, at half a false alarm per hour and at the limit that is set."""
    from pipeline.metrics.detection import share_interval

    lines = []
    for kind in ("alone", "judged", "as_set"):
        for keyword in (*KEYWORDS, "together"):
            own = [row["near"][kind] for row in rows if keyword in (row["keyword"], "together")]
            if own:
                accepted, n = map(int, np.sum([counts for each in own for counts in each.values()], axis=0))
                low, high = share_interval(accepted, n)
                lines.append(
                    f"Near phrases, {kind}, {keyword}: {accepted} of {n}, {100 * accepted / n:.1f} % "
                    f"({100 * low:.1f} to {100 * high:.1f})"
                )
    return lines


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
    """`arguments`: `table`, or keywords and seeds to confine it to; before them `stream` for what is measured on and
    nothing else, or `alone` for no judge."""
    from pipeline.wakeword.features import FeatureConfig

    without_judge = "alone" in arguments
    store = folder / ("reach-alone.jsonl" if without_judge else "reach.jsonl")
    rows = [json.loads(line) for line in store.open(encoding="utf-8")] if store.is_file() else []
    if "table" in arguments:
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
                row = (alone if without_judge else one)(folder, keyword, seed)
                with store.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                print("done:", keyword, seed, row["n"], flush=True)
