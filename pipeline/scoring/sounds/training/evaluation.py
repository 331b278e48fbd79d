"""How well the sounds of a word are told apart, on voices and words that were not trained on."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.sounds.model_files import SoundModel
from pipeline.scoring.sounds.training.samples import Trials

DRAWS = 1000
LEVEL = 0.95
MOST_FALSE = 0.05  # of clean words with any mark, on the voices that the threshold is chosen on

Figure = Callable[[NDArray[np.int64]], float]


def probabilities(model: SoundModel, trials: Trials) -> NDArray[np.float64]:
    return model.wrong(trials.values, tuple(trials.sounds))


def chosen_threshold(trials: Trials, wrong: NDArray[np.float64], most_false: float = MOST_FALSE) -> float:
    """The lowest at which no more than that share of the clean words has any mark."""
    highest = _highest(trials, wrong)
    return float(np.nextafter(np.quantile(highest, 1.0 - most_false, method="higher"), 1.0)) if len(highest) else 0.5


def figures(trials: Trials, wrong: NDArray[np.float64], threshold: float, seed: int = 0) -> dict[str, object]:
    """By voices: AUC of wrong sounds against right ones; the share of false marks among the sounds of clean words, and
    of clean words with any; among marked sounds the share that is wrong (precision), among wrong ones the share that is
    marked (recall); and the share of right sounds beside a wrong one that are marked (`neighbours`)."""
    counted, is_wrong, marked = trials.counts, trials.wrong == 1, wrong >= threshold
    beside = counted & ~is_wrong & ~trials.clean

    def share(of: NDArray[np.bool_], what: NDArray[np.bool_]) -> Figure:
        return lambda rows: float(what[rows][of[rows]].mean()) if of[rows].any() else float("nan")

    def false_words(rows: NDArray[np.int64]) -> float:
        clean = rows[trials.clean[rows]]
        if not len(clean):
            return float("nan")
        starts = np.flatnonzero(np.r_[True, np.diff(trials.recordings[clean]) != 0])
        return float(np.logical_or.reduceat(marked[clean], starts).mean())

    measured: dict[str, Figure] = {
        "auc": lambda rows: auc(is_wrong[rows][counted[rows]], wrong[rows][counted[rows]]),
        "false_sounds": share(trials.clean & counted, marked),
        "false_words": false_words,
        "precision": share(counted & marked, is_wrong),
        "recall": share(is_wrong, marked),
        "neighbours": share(beside, marked),
    }
    by_voice = [np.flatnonzero(trials.voices == voice) for voice in dict.fromkeys(trials.voices.tolist())]
    draw = np.random.default_rng(seed)
    samples = [
        np.concatenate([by_voice[number] for number in draw.integers(0, len(by_voice), len(by_voice))])
        for _ in range(DRAWS if len(by_voice) > 2 else 0)
    ]
    result: dict[str, object] = {
        name: interval(figure, np.arange(len(wrong)), samples) for name, figure in measured.items()
    }
    result["n"] = {
        "voices": len(by_voice), "sounds": int(counted.sum()), "wrong": int(is_wrong.sum()),
        "clean_words": len(np.unique(trials.recordings[trials.clean])),
    }  # fmt: skip
    result["recall_by_fault"] = _recalls(trials, marked)
    return result


def interval(
    figure: Figure, everything: NDArray[np.int64], samples: list[NDArray[np.int64]]
) -> dict[str, float | None]:
    """A figure, and where it lies in 95 % of the draws of voices."""
    values = np.array([figure(rows) for rows in samples])
    values = values[~np.isnan(values)]
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail]) if len(values) else (None, None)
    value = figure(everything)
    return {
        "value": None if np.isnan(value) else round(value, 4),
        "low": None if low is None else round(float(low), 4),
        "high": None if high is None else round(float(high), 4),
    }


def auc(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """The probability that a positive scores higher than a negative (Mann & Whitney); ties count half."""
    from scipy.stats import rankdata

    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def _highest(trials: Trials, wrong: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each clean recording, its highest probability of a wrong sound."""
    clean = np.flatnonzero(trials.clean)
    if not len(clean):
        return np.zeros(0)
    starts = np.flatnonzero(np.r_[True, np.diff(trials.recordings[clean]) != 0])
    return np.asarray(np.maximum.reduceat(wrong[clean], starts), dtype=np.float64)


def _recalls(trials: Trials, marked: NDArray[np.bool_]) -> dict[str, dict[str, float]]:
    """Of each kind of fault, how many there are and which share is marked."""
    kinds: dict[str, list[bool]] = {}
    for fault, wrong, is_marked in zip(trials.faults, trials.wrong, marked, strict=True):
        if wrong == 1:
            kinds.setdefault(str(fault).partition(":")[0], []).append(bool(is_marked))
    return {kind: {"n": len(values), "recall": round(sum(values) / len(values), 3)} for kind, values in kinds.items()}
