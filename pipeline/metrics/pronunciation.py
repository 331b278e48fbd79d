"""Metrics of a pronunciation scorer on speechocean762 and corpora like it, level by level.

    utterance   PCC of unrounded predictions with the reference score (0-10), per aspect (Gong et al. 2022, GOPT)
    word        PCC of accuracy, stress and total, one value per word, with the experts' median; of stress, also with
                their mean among words of two syllables and more, as one syllable cannot be stressed wrongly
    bands       do the totals lie in the experts' verbal bands, see `bands.py`
    phone       PCC over all phones of all utterances with the experts' mean (0-2)
    mdd         mispronunciation detection and diagnosis, see `mdd.py`
    per, wer    of what the scorer recognised without the text, see `transcription.py`

Intervals are bootstrapped over speakers. A level that a scorer does not predict is None.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.metrics.bands import BandAgreement, band_agreement
from pipeline.metrics.bootstrap import interval, resampled_sums
from pipeline.metrics.correlation import pearson
from pipeline.metrics.mdd import MddMetrics, PhoneMatch, mdd, phone_match
from pipeline.metrics.transcription import Tokens, error_rate

WORD_ASPECTS = ("accuracy", "stress", "total")
LONG_STRESS = "stress, two syllables or more"


@dataclass(frozen=True)
class Correlation:
    """PCC, its 95 % interval over speakers, the mean squared error, and how many pairs there were."""

    pcc: float | None
    interval: tuple[float, float] | None
    mse: float | None
    n: int


@dataclass(frozen=True)
class UtterancePair:
    """One utterance: the experts' reference and what a scorer predicted.

    `reference` and `predicted` are sentence aspects, 0-10. Word and phone rows run in parallel; a side that has none
    is empty. Phone sequences: `canonical` is the target, `perceived` what the experts transcribed, `diagnosed` what
    the scorer, which knows the text, says was spoken (None for one that knows none). `recognised_phones` and
    `recognised_words` are what it recognised without the text. `stress_of_long` are the
    experts' mean and the prediction for each word of two syllables and more.
    """

    speaker: str
    reference: dict[str, float]
    predicted: dict[str, float]
    words: tuple[str, ...] = ()
    stress_of_long: tuple[tuple[float, float], ...] = ()
    word_reference: dict[str, tuple[float, ...]] = field(default_factory=dict)
    word_predicted: dict[str, tuple[float, ...]] = field(default_factory=dict)
    phone_reference: tuple[float, ...] = ()
    phone_predicted: tuple[float, ...] = ()
    canonical: tuple[str, ...] = ()
    perceived: tuple[str, ...] | None = None
    diagnosed: tuple[str, ...] | None = None
    recognised_phones: tuple[str, ...] | None = None
    recognised_words: tuple[str, ...] | None = None


@dataclass(frozen=True)
class PronunciationMetrics:
    """`mdd` is of the diagnosed phones, for a scorer that knows no text of the recognised ones. `per` and `wer` are
    text-free; `per_told` is the phone error rate of the diagnosed sequence, which is low for a
    system that repeats the canonical phones and means something only beside `mdd`. `per_accuracy` are correlations of
    an utterance's text-free PER with the experts' and with the predicted accuracy (arXiv 2509.02915, Figure 5)."""

    utterance: dict[str, Correlation]
    bands: BandAgreement | None
    word: dict[str, Correlation]
    phone: Correlation | None
    mdd: MddMetrics | None
    phone_match: PhoneMatch | None
    per: float | None
    per_told: float | None
    wer: float | None
    per_accuracy: dict[str, float | None]


def correlation(
    reference: ArrayLike, predicted: ArrayLike, speakers: Sequence[str], n_resamples: int = 1000
) -> Correlation:
    """Of two vectors [n] with the speaker of each entry. Raises ValueError for different lengths."""
    truth, guess = np.asarray(reference, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if not len(truth) == len(guess) == len(speakers):
        raise ValueError(f"expected three of a length, got {len(truth)}, {len(guess)}, {len(speakers)}")
    pcc = pearson(truth, guess)
    if pcc is None:
        return Correlation(None, None, None if not len(truth) else float(((truth - guess) ** 2).mean()), len(truth))
    spread: tuple[float, float] | None = None
    if n_resamples and len(set(speakers)) > 1:
        spread = interval(_resampled(truth, guess, speakers, n_resamples))
    return Correlation(pcc, spread, float(((truth - guess) ** 2).mean()), len(truth))


def pronunciation_metrics(pairs: Sequence[UtterancePair], n_resamples: int = 1000) -> PronunciationMetrics:
    """All levels that both sides have values for."""
    aspects = sorted({aspect for j in pairs for aspect in j.reference.keys() & j.predicted.keys()})
    utterance = {}
    for aspect in aspects:
        rows = [j for j in pairs if aspect in j.reference and aspect in j.predicted]
        utterance[aspect] = correlation(
            [j.reference[aspect] for j in rows],
            [j.predicted[aspect] for j in rows],
            [j.speaker for j in rows],
            n_resamples,
        )
    word = {}
    for aspect in WORD_ASPECTS:
        rows = [j for j in pairs if aspect in j.word_reference and aspect in j.word_predicted]
        if rows:
            word[aspect] = correlation(
                [v for j in rows for v in j.word_reference[aspect]],
                [v for j in rows for v in j.word_predicted[aspect]],
                [j.speaker for j in rows for _ in j.word_reference[aspect]], n_resamples,
            )  # fmt: skip
    long = [(j.speaker, *scores) for j in pairs for scores in j.stress_of_long]
    if long:
        speakers, reference, predicted = zip(*long, strict=True)
        word[LONG_STRESS] = correlation(reference, predicted, speakers, n_resamples)
    totals = [j for j in pairs if "total" in j.reference and "total" in j.predicted]
    phoned = [j for j in pairs if j.phone_reference and j.phone_predicted]
    phone = None
    if phoned:
        phone = correlation(
            [v for j in phoned for v in j.phone_reference], [v for j in phoned for v in j.phone_predicted],
            [j.speaker for j in phoned for _ in j.phone_reference], n_resamples,
        )  # fmt: skip
    told = [
        (j.canonical, j.perceived, j.diagnosed) for j in pairs if j.perceived is not None and j.diagnosed is not None
    ]
    free = [
        (j, j.perceived, j.recognised_phones)
        for j in pairs
        if j.perceived is not None and j.recognised_phones is not None
    ]
    detected = told or [(j.canonical, perceived, phones) for j, perceived, phones in free if j.canonical]
    spelled = [(j.words, j.recognised_words) for j in pairs if j.recognised_words is not None and j.words]
    return PronunciationMetrics(
        utterance=utterance,
        bands=band_agreement(
            [10.0 * j.reference["total"] for j in totals],
            [10.0 * j.predicted["total"] for j in totals],
            [j.speaker for j in totals],
            n_resamples,
        )
        if totals
        else None,
        word=word,
        phone=phone,
        mdd=mdd([c for c, _, _ in detected], [h for _, h, _ in detected], [d for _, _, d in detected])
        if detected
        else None,
        phone_match=phone_match([h for _, h, _ in free], [p for _, _, p in free]) if free else None,
        per=error_rate([h for _, h, _ in free], [p for _, _, p in free]).rate if free else None,
        per_told=error_rate([h for _, h, _ in told], [d for _, _, d in told]).rate if told else None,
        wer=error_rate([w for w, _ in spelled], [f for _, f in spelled]).rate if spelled else None,
        per_accuracy=_per_accuracy(free),
    )


def utterance_per(perceived: Tokens, recognised: Tokens) -> float:
    """The phone error rate of one utterance; 0 where the experts perceived nothing."""
    return error_rate([perceived], [recognised]).rate or 0.0


def _per_accuracy(free: Sequence[tuple[UtterancePair, Tokens, Tokens]]) -> dict[str, float | None]:
    rates = [utterance_per(perceived, phones) for _, perceived, phones in free]
    correlations: dict[str, float | None] = {}
    for name in ("reference", "predicted"):
        values = [getattr(j, name).get("accuracy") for j, _, _ in free]
        correlations[name] = pearson(rates, values) if values and None not in values else None
    return correlations


def pair_sums(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """What `pearson_of_sums` needs of each pair, to be added up: [n, 6] of 1, x, y, x^2, y^2, xy."""
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)


def pearson_of_sums(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """PCC from added-up pair sums [..., 6] -> [...]; NaN where a variance vanishes."""
    n, sx, sy, sxx, syy, sxy = np.moveaxis(sums, -1, 0)
    cov, var_x, var_y = sxy / n - sx * sy / n**2, sxx / n - (sx / n) ** 2, syy / n - (sy / n) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where((var_x > 1e-12) & (var_y > 1e-12), cov / np.sqrt(var_x * var_y), np.nan))


def _resampled(
    truth: NDArray[np.float64], guess: NDArray[np.float64], speakers: Sequence[str], n_resamples: int
) -> NDArray[np.float64]:
    """PCC under resampled speakers [n_resamples], from each speaker's sums."""
    pairs = pair_sums(truth - truth.mean(), guess - guess.mean())
    return pearson_of_sums(resampled_sums(pairs, speakers, n_resamples=n_resamples))
