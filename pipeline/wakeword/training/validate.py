"""Which weights are better, on clips that are not trained on: words found at a few false alarms, and long negatives
mined for what the detector takes for the word."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.detection import Counts, counts
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.data.clips import Label
from pipeline.wakeword.data.feature_cache import Pool, Pools
from pipeline.wakeword.features import FeatureConfig
from pipeline.wakeword.runtime.detector import Classifier, Scores, voted

MOST_ALARMS = 20
CHUNK = 4096


@dataclass(frozen=True)
class Validation:
    """`words` [n] are the highest voted logits of each positive stretch, `rest` those of each negative one and each
    piece of a word. `miss` is the mean share of words missed at 0 to 20 false alarms over all negatives; `ranking`, by
    which weights are chosen, the same without steps: the mean of log(1 + exp(alarm - word)) over all words and those
    alarms, in deviations of the scores, so that a model does not win by answering louder. `counts` are of words and
    other stretches at a probability of one half."""

    words: NDArray[np.float32]
    rest: NDArray[np.float32]
    miss: float
    ranking: float
    loss: float
    counts: Counts


def window_scores(pool: Pool, classifier: Classifier, every: int) -> list[tuple[NDArray[np.intp], Scores]]:
    """For each stretch the first frames of its windows, `every` so many frames, and their logits."""
    starts = [np.arange(at, at + len(frames) - pool.size + 1, every) for at, frames in pool.stretches()]
    flat = np.concatenate(starts) if starts else np.zeros(0, dtype=np.intp)
    scores = [classifier(pool.at(flat[i : i + CHUNK])) for i in range(0, len(flat), CHUNK)]
    joined = np.concatenate(scores) if scores else np.zeros(0, dtype=np.float32)
    edges = np.cumsum([len(of_clip) for of_clip in starts])[:-1]
    return list(zip(starts, np.split(joined, edges), strict=True))


def validate(pools: Pools, classifier: Classifier, features: FeatureConfig, config: DetectorConfig) -> Validation:
    """Of a detector of one word."""
    return validate_words(pools, classifier, features, config)[0]


def validate_words(
    pools: Pools, classifier: Classifier, features: FeatureConfig, config: DetectorConfig
) -> tuple[Validation, ...]:
    """One for each word; to each, the other words are negatives."""
    every = features.frames_in(config.hop_s)
    scored = {label: [scores for _, scores in window_scores(pool, classifier, every)] for label, pool in pools.items()}
    held = pools[Label.POSITIVE].words
    if not held:
        return (_validated(scored, config),)
    validations = []
    for word in range(max(held) + 1):
        of_word = {label: [scores[:, word] for scores in stretches] for label, stretches in scored.items()}
        everything = list(zip(of_word.pop(Label.POSITIVE), held, strict=True))
        negatives = [scores for scores, other in everything if other != word] + of_word.pop(Label.NEGATIVE)
        positives = [scores for scores, other in everything if other == word]
        sides = {Label.POSITIVE: positives, Label.NEGATIVE: negatives, **of_word}
        validations.append(_validated(sides, config))
    return tuple(validations)


def mean_of(validations: Sequence[Validation]) -> Validation:
    """Of several words: means of the figures, everything counted; of one word itself."""
    if len(validations) == 1:
        return validations[0]
    return Validation(
        np.concatenate([each.words for each in validations]), np.concatenate([each.rest for each in validations]),
        float(np.mean([each.miss for each in validations])), float(np.mean([each.ranking for each in validations])),
        float(np.mean([each.loss for each in validations])),
        Counts(*(sum(getattr(each.counts, name) for each in validations) for name in Counts.__dataclass_fields__)),
    )  # fmt: skip


def _validated(scored: dict[Label, list[Scores]], config: DetectorConfig) -> Validation:
    """Of the logits of each stretch, by class."""
    highest: dict[Label, NDArray[np.float32]] = {}
    alarms: list[float] = []
    for label, stretches in scored.items():
        votes = [voted(scores, config) for scores in stretches]
        highest[label] = np.array([scores.max(initial=-100.0) for scores in votes], dtype=np.float32)
        if label is not Label.POSITIVE:
            alarms += [float(scores[i]) for scores in votes for i in _peaks(scores, config)]
    words = highest.pop(Label.POSITIVE)
    rest = np.concatenate(list(highest.values()))
    thresholds = np.sort(np.array(alarms))[::-1][: MOST_ALARMS + 1]
    apart = (words[:, None] - thresholds) / float(np.concatenate([words, rest]).std() + 1e-6)
    miss = float((apart <= 0.0).mean()) if len(thresholds) else 0.0
    ranking = float(np.logaddexp(0.0, -apart).mean()) if len(thresholds) else 0.0
    loss = float((np.logaddexp(0.0, -words).mean() + np.logaddexp(0.0, rest).mean()) / 2.0)
    scores = np.concatenate([words, rest]).astype(np.float64)
    at_half = counts(scores, np.arange(len(scores)) < len(words), 0.0)
    return Validation(words, rest, miss, ranking, loss, at_half)


def mine(pool: Pool, classifier: Classifier, features: FeatureConfig, hop_s: float, keep: int) -> NDArray[np.intp]:
    """First frames of the `keep` windows of the negatives with the highest logits, and of those beside them."""
    every = features.frames_in(hop_s)
    scored = window_scores(pool, classifier, every)
    starts = np.concatenate([of_clip for of_clip, _ in scored])
    scores = np.concatenate([of_clip for _, of_clip in scored])
    if scores.ndim == 2:  # of several words, what any of them likes
        scores = scores.max(axis=1)
    best = starts[np.argsort(scores)[::-1][:keep]]
    # A window a few frames on says the same to us, and something new to the model.
    near = np.concatenate([best + shift for shift in range(-every // 2, every // 2 + 1)])
    return np.intersect1d(near, pool.starts)


def _peaks(scores: Scores, config: DetectorConfig) -> NDArray[np.intp]:
    """Where a detector with a very low threshold would go off: the highest of each stretch of `lockout_s`."""
    if not len(scores) or not np.isfinite(scores).any():
        return np.zeros(0, dtype=np.intp)
    lockout = max(1, round(config.lockout_s / config.hop_s))
    return np.array(
        [i + int(np.argmax(scores[i : i + lockout])) for i in range(0, len(scores), lockout)
         if np.isfinite(scores[i : i + lockout]).any()], dtype=np.intp,
    )  # fmt: skip
