"""Figures of several models of one kind on the same utterances: mean, range, and an interval for the mean.

Training seeds make models that differ; a figure of one of them is a draw. The interval is for the mean over the models,
bootstrapped over speakers (all models under the same draws), so that it says how much the speakers matter; the range
says how much the seed does. Every figure is a function of sums over utterances, so sums by speaker are all it needs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.bootstrap import N_RESAMPLES, interval, resample_weights
from pipeline.metrics.mdd import mdd
from pipeline.metrics.pronunciation import WORD_ASPECTS, UtterancePair, pair_sums, pearson_of_sums
from pipeline.metrics.transcription import Tokens, error_rate

Sums = NDArray[np.float64]


@dataclass(frozen=True)
class MeanFigure:
    """`mean` of the models' `values`, and the 95 % `interval` of that mean over speakers."""

    mean: float
    values: tuple[float, ...]
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class _Figure:
    """`sums` of one utterance [rows, k] (None: it has none), and what follows from totals [..., k] -> [...]."""

    sums: Callable[[UtterancePair], Sums | None]
    of: Callable[[Sums], Sums]


def figures_over_models(
    models: Sequence[Sequence[UtterancePair]], n_resamples: int = N_RESAMPLES
) -> dict[str, MeanFigure]:
    """`models` holds the pairs of each model; every figure that all of them have, by name."""
    speakers = sorted({j.speaker for rows in models for j in rows})
    if not speakers:
        return {}
    number = {speaker: k for k, speaker in enumerate(speakers)}
    weights = resample_weights(len(speakers), None, n_resamples=n_resamples)
    aspects = list(dict.fromkeys(aspect for rows in models for j in rows for aspect in j.predicted))
    figures: dict[str, MeanFigure] = {}
    for name, figure in _figures(aspects).items():
        totals = [_by_speaker(figure, rows, number) for rows in models]
        if any(total is None for total in totals):
            continue
        table = np.stack([total for total in totals if total is not None])
        values = figure.of(table.sum(axis=1))
        if np.isfinite(values).all():
            resampled = figure.of(weights @ table).mean(axis=0)
            figures[name] = MeanFigure(float(values.mean()), tuple(map(float, values)), interval(resampled))
    return figures


def _figures(aspects: Iterable[str]) -> dict[str, _Figure]:
    figures = {aspect: _Figure(_utterance(aspect), pearson_of_sums) for aspect in aspects}
    figures |= {f"word {aspect}": _Figure(_word(aspect), pearson_of_sums) for aspect in WORD_ASPECTS}
    figures["phone"] = _Figure(lambda j: _pairs(j.phone_reference, j.phone_predicted), pearson_of_sums)
    figures["MDD precision"] = _Figure(_detections, lambda s: _ratio(s[..., 0], s[..., 0] + s[..., 1]))
    figures["MDD recall"] = _Figure(_detections, lambda s: _ratio(s[..., 0], s[..., 0] + s[..., 2]))
    figures["MDD F1"] = _Figure(_detections, lambda s: _ratio(2 * s[..., 0], 2 * s[..., 0] + s[..., 1] + s[..., 2]))
    figures["PER"] = _Figure(
        lambda j: _errors(j.perceived, j.recognised_phones), lambda s: _ratio(s[..., 0], s[..., 1])
    )
    figures["WER"] = _Figure(
        lambda j: _errors(j.words or None, j.recognised_words), lambda s: _ratio(s[..., 0], s[..., 1])
    )
    return figures


def _by_speaker(figure: _Figure, rows: Sequence[UtterancePair], number: dict[str, int]) -> Sums | None:
    """Totals [n_speakers, k]; None where no utterance has any."""
    sums = [(number[j.speaker], values.sum(axis=0)) for j in rows if (values := figure.sums(j)) is not None]
    if not sums:
        return None
    totals = np.zeros((len(number), len(sums[0][1])))
    np.add.at(totals, [speaker for speaker, _ in sums], np.stack([values for _, values in sums]))
    return totals


def _utterance(aspect: str) -> Callable[[UtterancePair], Sums | None]:
    return lambda j: (
        pair_sums(np.array([j.reference[aspect]]), np.array([j.predicted[aspect]]))
        if aspect in j.reference and aspect in j.predicted
        else None
    )


def _word(aspect: str) -> Callable[[UtterancePair], Sums | None]:
    return lambda j: _pairs(j.word_reference.get(aspect, ()), j.word_predicted.get(aspect, ()))


def _pairs(truth: Sequence[float], guess: Sequence[float]) -> Sums | None:
    return pair_sums(np.array(truth), np.array(guess)) if truth and guess else None


def _detections(j: UtterancePair) -> Sums | None:
    """True rejections, false rejections, false acceptances."""
    if j.perceived is None or j.diagnosed is None:
        return None
    counts = mdd([j.canonical], [j.perceived], [j.diagnosed])
    return np.array([[counts.true_rejections, counts.false_rejections, counts.false_acceptances]], dtype=np.float64)


def _errors(reference: Tokens | None, hypothesis: Tokens | None) -> Sums | None:
    if reference is None or hypothesis is None:
        return None
    errors = error_rate([reference], [hypothesis])
    return np.array(
        [[errors.substitutions + errors.deletions + errors.insertions, errors.n_reference]], dtype=np.float64
    )


def _ratio(part: Sums, whole: Sums) -> Sums:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(part / whole, dtype=np.float64)
