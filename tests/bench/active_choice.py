"""The study behind docs/results/raters.md, "Which recordings to rate again": does a scorer know where experts differ?

    python -m tests.bench.active_choice predict MANIFEST PREDICTIONS
    python -m tests.bench.active_choice figure MANIFEST PREDICTIONS docs/images/active-choice.svg

`predict` scores part `dev` of speechocean762, and the 16 training speakers that the released speech scorer did not
learn from (20 minutes on one core; what is done already is not done again). `figure` fits the expected spread on the
latter, and gives the five experts' real ratings of `dev` one after another, in the order of each strategy. Not part
of `make bench`.
"""

import heapq
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.corpus.splits import speaker_folds
from pipeline.projects.order import mixed
from pipeline.records import RubricName, Target, to_json
from pipeline.scoring.batch import Item, ScorerSpec, score_items
from pipeline.settings import CHECKOUT, Settings
from pipeline.text import lines_of

N_EXPERTS, HALF_A_POINT = 5, 0.5
DRAWS, BOOTSTRAPS = 40, 1000
AIM = 0.8  # of the recordings within half a point
RANDOM_SHARE = 0.2  # as projects have it
BUDGETS = np.linspace(1, N_EXPERTS, 33)  # mean ratings of a recording
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Strategy = Callable[[np.random.Generator, Floats], list[Ints]]
COLOURS = {
    "random": "#6b7280", "uncertainty": "#2563eb", "expected spread": "#b45309", "observed difference": "#047857",
    "true spread (cannot be known)": "#9d174d",
}  # fmt: skip


def main() -> None:
    command, manifest, predictions, *target = sys.argv[1:]
    rows = _json_lines(Path(manifest))
    train = [row for row in rows if row["part"] == "train"]
    folds = speaker_folds([row["speaker"] for row in train], 8, seed=0)  # as the scorer was trained
    held_out = [row for row, fold in zip(train, folds, strict=True) if fold == 0]
    dev = [row for row in rows if row["part"] == "dev"]
    if command == "predict":
        predict([*held_out, *dev], Path(manifest).parent, Path(predictions))
    else:
        answers = {row["recording_id"]: row for row in _json_lines(Path(predictions))}
        report(held_out, dev, answers, Path(target[0]))


def _json_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines_of(file.read_text(encoding="utf-8"))]


def predict(rows: list[dict[str, Any]], root: Path, file: Path) -> None:
    done = {row["recording_id"] for row in _json_lines(file)} if file.exists() else set()
    items = [
        Item(row["id"], root / row["audio"], row["speaker"], Target(row["text"], "en", RubricName.SENTENCE))
        for row in rows
        if row["id"] not in done
    ]
    spec = ScorerSpec(Settings(file.parent / "data", CHECKOUT / "models"), "speech")
    with file.open("a", encoding="utf-8") as stream:
        for start in range(0, len(items), 20):
            for prediction in score_items(spec, items[start : start + 20], detail=True):
                stream.write(json.dumps(to_json(prediction)) + "\n")


def report(held_out: list[dict[str, Any]], dev: list[dict[str, Any]], answers: dict[str, Any], target: Path) -> None:
    from scipy.stats import spearmanr

    ratings, speakers = _ratings(dev), np.array([row["speaker"] for row in dev])
    spread, known = _spread(ratings), _spread(_ratings(held_out))
    expected = _fitted(_features(held_out, answers), known, _features(dev, answers))
    uncertainty = np.array([1.0 - (answers[row["id"]]["confidence"] or 0.0) for row in dev])
    n_speakers = len(set(speakers))
    print(f"{len(dev)} recordings, {n_speakers} speakers; fitted on {len(held_out)} of held-out training speakers")
    for name, values in (("expected spread", expected), ("uncertainty", uncertainty)):
        print(f"{name}: Spearman with the experts' spread {spearmanr(values, spread)[0]:.3f}")
    strategies: dict[str, Strategy] = {
        "random": _in_order(np.zeros(len(dev)), 1.0),
        "uncertainty": _in_order(uncertainty, RANDOM_SHARE),
        "expected spread": _in_order(expected, RANDOM_SHARE),
        "observed difference": _by_difference,
        "true spread (cannot be known)": _in_order(spread, 0.0),
    }
    outcomes = {name: _simulated(ratings, strategy) for name, strategy in strategies.items()}
    weights = _bootstrap_weights(speakers)
    needed = {name: _needed(*outcome, weights) for name, outcome in outcomes.items()}
    for name, (within, given) in outcomes.items():
        extra = needed[name] - needed["random"]
        low, high = np.percentile(extra[1:], [2.5, 97.5])
        shares = ", ".join(f"{np.interp(n, given.mean(1), within.mean(1)):.3f}" for n in (2, 3, 4))
        print(
            f"{name:32} {needed[name][0]:.2f} ratings for 80 %; than random {extra[0]:+.2f} [{low:+.2f}, {high:+.2f}]; "
            f"within half a point at 2, 3, 4: {shares}"
        )
    for limit, given, within in _by_rule(ratings):
        curve = outcomes["random"][0].mean(1)
        beside = np.interp(given, BUDGETS, curve)
        print(f"another rating above {limit} points: {given:.2f} ratings, {within:.3f} within; at random {beside:.3f}")
    target.write_text(_figure({name: outcome[0].mean(1) for name, outcome in outcomes.items()}), encoding="utf-8")


def _ratings(rows: list[dict[str, Any]]) -> Floats:
    return np.array([row["experts"]["total"] for row in rows])


def _spread(ratings: Floats) -> Floats:
    """Mean distance of the five ratings from their median, in points of 10."""
    return np.asarray(np.abs(ratings - np.median(ratings, axis=1, keepdims=True)).mean(axis=1))


def _features(rows: list[dict[str, Any]], answers: dict[str, Any]) -> Floats:
    return np.array([_of_one(answers[row["id"]]) for row in rows])


def _of_one(answer: dict[str, Any]) -> list[float]:
    """What the scorer says of a recording: its score, how sure it is, and how its words, sounds and dimensions vary."""
    detail, score = answer["detail"], answer["overall"] / 100
    words = [word["score"] / 100 for word in detail["words"]]
    phones = [phone["score"] / 100 for word in detail["words"] for phone in word["phones"]]
    dimensions = [detail["dimensions"][key] / 10 for key in ("accuracy", "fluency", "prosodic")]
    return [
        score, score**2, answer["confidence"] or 0.0, float(np.log(len(words))), min(words), float(np.std(words)),
        float(np.mean(phones)), float(np.std(phones)), *dimensions, float(np.std(dimensions)),
    ]  # fmt: skip


def _fitted(features: Floats, spread: Floats, wanted: Floats) -> Floats:
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 13))).fit(features, spread)
    return np.asarray(model.predict(wanted))


def _in_order(urgency: Floats, random_share: float) -> Strategy:
    """One rating each, then all five of one recording after another, as a project's order has them."""

    def strategy(draw: np.random.Generator, ratings: Floats) -> list[Ints]:
        shuffled = [str(n) for n in draw.permutation(len(urgency))]
        ranked = sorted(shuffled, key=lambda key: -urgency[int(key)])
        order = np.array([int(key) for key in mixed(shuffled, ranked, random_share, int(draw.integers(2**32)))])
        counts = []
        for budget in BUDGETS:
            extra = round((budget - 1) * len(order))
            whole, rest = divmod(extra, N_EXPERTS - 1)
            n = np.ones(len(order), np.int64)
            n[order[:whole]] = N_EXPERTS
            if rest:
                n[order[whole]] += rest
            counts.append(n)
        return counts

    return strategy


def _by_difference(draw: np.random.Generator, ratings: Floats) -> list[Ints]:
    """Two ratings each in random order, then always where those that there are lie furthest apart."""
    n = np.ones(len(ratings), np.int64)
    counts = [n.copy()]
    second = iter(draw.permutation(len(ratings)))
    widest: list[tuple[float, int]] = []
    for budget in BUDGETS[1:]:
        while n.sum() < round(budget * len(ratings)):
            item = next(second, None)
            if item is None:
                item = heapq.heappop(widest)[1]
            n[item] += 1
            if n[item] < N_EXPERTS:
                heapq.heappush(widest, (-float(np.ptp(ratings[item, : n[item]])), int(item)))
        counts.append(n.copy())
    return counts


def _by_rule(ratings: Floats) -> list[tuple[int, float, float]]:
    """What projects do with two ratings and up to three more where they differ by more than so many points of 100: the
    limit, mean ratings of a recording, and the share within half a point."""
    draw, goal, outcomes = np.random.default_rng(0), np.median(ratings, axis=1), []
    for limit in (5, 10, 15, 20):
        given, within = [], []
        for _ in range(DRAWS):
            for row, wanted in zip(draw.permuted(ratings, axis=1), goal, strict=True):
                n = 2
                while n < N_EXPERTS and np.ptp(row[:n]) * 10 > limit:
                    n += 1
                given.append(n)
                within.append(abs(np.median(row[:n]) - wanted) <= HALF_A_POINT + 1e-9)
        outcomes.append((limit, float(np.mean(given)), float(np.mean(within))))
    return outcomes


def _simulated(ratings: Floats, strategy: Strategy) -> tuple[Floats, Floats]:
    """[budgets, recordings]: how often the median lies within half a point of the five experts', and how many ratings
    it is made of; means over draws of which expert comes when."""
    draw = np.random.default_rng(0)
    goal = np.median(ratings, axis=1)
    within, given = (np.zeros((len(BUDGETS), len(ratings))) for _ in range(2))
    for _ in range(DRAWS):
        shuffled = draw.permuted(ratings, axis=1)
        medians = np.stack([np.median(shuffled[:, :k], axis=1) for k in range(1, N_EXPERTS + 1)], axis=1)
        near = np.abs(medians - goal[:, None]) <= HALF_A_POINT + 1e-9
        for place, n in enumerate(strategy(draw, shuffled)):
            within[place] += near[np.arange(len(n)), n - 1] / DRAWS
            given[place] += n / DRAWS
    return within, given


def _bootstrap_weights(speakers: NDArray[np.str_]) -> Floats:
    """[1 + BOOTSTRAPS, recordings]: all once, then with speakers drawn with replacement."""
    names, place = np.unique(speakers, return_inverse=True)
    draw = np.random.default_rng(1)
    drawn = [np.bincount(draw.integers(0, len(names), len(names)), minlength=len(names)) for _ in range(BOOTSTRAPS)]
    return np.stack([np.ones(len(speakers)), *(counts[place] for counts in drawn)]).astype(float)


def _needed(within: Floats, given: Floats, weights: Floats) -> Floats:
    """Mean ratings of a recording until AIM of them are within half a point; one value for each row of weights."""
    total = weights.sum(axis=1)
    shares, counts = weights @ within.T / total[:, None], weights @ given.T / total[:, None]
    return np.array([np.interp(AIM, share, count) for share, count in zip(shares, counts, strict=True)])


def _figure(curves: dict[str, Floats]) -> str:
    """A drawing that reads on light and dark pages."""
    width, height, left, top = 640, 400, 60, 20
    right, bottom = width - 20, height - 50

    def x(value: float) -> float:
        return left + (value - 1) / (N_EXPERTS - 1) * (right - left)

    def y(share: float) -> float:
        return bottom - (share - 0.4) / 0.6 * (bottom - top)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="13">',
        "<title>Share of recordings within half a point of the five experts, by ratings per recording</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for share in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        parts.append(f'<path d="M{left} {y(share):.1f}H{right}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{left - 8}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    for n in range(1, N_EXPERTS + 1):
        parts.append(f'<text x="{x(n):.1f}" y="{bottom + 18}" text-anchor="middle">{n}</text>')
    parts.append(f'<text x="{(left + right) / 2}" y="{height - 8}" text-anchor="middle">ratings per recording</text>')
    for place, (name, curve) in enumerate(curves.items()):
        points = " ".join(f"{x(n):.1f},{y(share):.1f}" for n, share in zip(BUDGETS, curve, strict=True))
        colour, dashes = COLOURS[name], ' stroke-dasharray="6 4"' if "cannot" in name else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        at = bottom - 18 * (len(curves) - place)
        parts.append(f'<path d="M{right - 250} {at - 4}h24" stroke="{colour}" stroke-width="2"{dashes}/>')
        parts.append(f'<text x="{right - 218}" y="{at}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    main()
