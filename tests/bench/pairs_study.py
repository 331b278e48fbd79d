"""The study behind the figure of pairs in docs/results/raters.md: how many comparisons a scale needs.

    python -m tests.bench.pairs_study FOLDER [docs/images/pairs.png]

FOLDER is speechocean762's, as described in its manifest. Its five experts scored the sentences of part dev; here each
pair is answered by one of them, drawn at random: the sentence to which they gave the higher total, no difference where
the two are the same. Pairs are planned as in a project. The scale of these answers is compared with the mean of all
five experts' scores; ratings are compared with it at the same cost, one rating for each comparison of a recording. A
comparison has two recordings, so that the same number of judgements makes twice as many of them. Not part of `make
bench`.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import jsonl
from pipeline.metrics import bradley_terry
from pipeline.metrics.correlation import pearson, spearman
from pipeline.projects.pairs.design import design

COMPARISONS = (4, 6, 10, 16, 24, 40)  # per recording
SEEDS = range(5)
N_EXPERTS = 5
Scores = NDArray[np.float64]


def read_scores(folder: Path) -> tuple[list[str], Scores]:
    """Sentences of part dev, and their totals [sentences, experts]."""
    rows = [row for row in jsonl.read(folder / "manifest.jsonl") if row["part"] == "dev"]
    return [str(row["id"]) for row in rows], np.array([row["experts"]["total"] for row in rows], dtype=np.float64)


def answers(ids: Sequence[str], scores: Scores, comparisons: int, seed: int) -> bradley_terry.Comparisons:
    """One answer per planned pair, by an expert drawn at random."""
    place = {key: k for k, key in enumerate(ids)}
    draw = np.random.default_rng(seed)
    rows = []
    for left, right in design(dict.fromkeys(ids, ""), comparisons, seed=seed):
        expert = int(draw.integers(N_EXPERTS))
        difference = scores[place[left], expert] - scores[place[right], expert]
        rows.append((left, right, float(np.sign(difference) + 1.0) / 2.0, f"expert {expert + 1}"))
    return bradley_terry.comparisons(rows)


def measured(ids: Sequence[str], scores: Scores) -> list[dict[str, object]]:
    """One row per number of comparisons: Pearson and Spearman with the mean scores, each for every seed."""
    mean = dict(zip(ids, scores.mean(axis=1), strict=True))
    table: list[dict[str, object]] = []
    for comparisons in COMPARISONS:
        row: dict[str, list[float]] = {"pearson": [], "spearman": [], "reliability": []}
        for seed in SEEDS:
            data = answers(ids, scores, comparisons, seed)
            scale = bradley_terry.fit(data)
            truth = [mean[item] for item in scale.items]
            row["pearson"].append(pearson(scale.value, truth) or 0.0)
            row["spearman"].append(spearman(scale.value, truth) or 0.0)
            row["reliability"].append(scale.reliability or 0.0)
        table.append({"comparisons": comparisons, "judgements": len(data), **row})
        print(json.dumps(table[-1]), flush=True)
    return table


def rated(scores: Scores) -> list[dict[str, object]]:
    """The same for ratings: the mean of the scores by as many experts, drawn for each sentence."""
    mean = scores.mean(axis=1)
    table: list[dict[str, object]] = []
    for n in range(1, N_EXPERTS):
        values = []
        for seed in SEEDS:
            order = np.random.default_rng(seed).random(scores.shape).argsort(axis=1)[:, :n]
            values.append(pearson(np.take_along_axis(scores, order, axis=1).mean(axis=1), mean) or 0.0)
        table.append({"ratings": n, "judgements": n * len(scores), "pearson": values})
        print(json.dumps(table[-1]), flush=True)
    return table


def draw(pairs: Sequence[dict[str, object]], ratings: Sequence[dict[str, object]], file: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.2, 4.2), dpi=120)
    for rows, key, label, colour, marker in (
        (pairs, "pearson", "pairs, Pearson", "#0072b2", "o"), (pairs, "spearman", "pairs, Spearman", "#56b4e9", "s"),
        (ratings, "pearson", "ratings, Pearson", "#e69f00", "D"),
    ):  # fmt: skip
        values = np.array([row[key] for row in rows], dtype=np.float64)
        middle = values.mean(axis=1)
        ends = [middle - values.min(axis=1), values.max(axis=1) - middle]
        x = [float(str(row["judgements"])) for row in rows]
        axes.errorbar(x, middle, yerr=ends, label=label, color=colour, marker=marker, capsize=3)
    axes.set_xscale("log")
    ticks = [float(str(row["judgements"])) for row in pairs]
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("judgements (answers, or ratings)")
    axes.set_ylabel("correlation with the mean of five experts")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(file)


def main() -> None:
    ids, scores = read_scores(Path(sys.argv[1]))
    pairs, ratings = measured(ids, scores), rated(scores)
    if len(sys.argv) > 2:
        draw(pairs, ratings, Path(sys.argv[2]))


if __name__ == "__main__":
    main()
