"""What a detector's threshold rests on: negatives of how many hours, and how often they set it off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.i18n import duration
from pipeline.metrics.detection import poisson_interval
from pipeline.presets import known_values, misfits

if TYPE_CHECKING:
    from pipeline.wakeword.evaluation.stream_metrics import OperatingPoint, StreamResult

VALIDATION, STREAM = "validation", "stream"
MOST_POINTS = 40  # of the curve that is kept
HIGHEST_FAH = 20.0  # of the curve


@dataclass(frozen=True)
class CurvePoint:
    """False alarms per hour and the share of words missed at one threshold (in logits)."""

    threshold: float
    fah: float
    miss_rate: float


@dataclass(frozen=True)
class ThresholdBasis:
    """`source` is validation (the highest score of each held-back stretch) or stream (a long one of held-back clips and
    noise). `fah` false alarms per hour were counted in `hours` with `n_words` words, `fah_interval` is the exact
    Poisson interval of 95 %; `curve` from the strictest threshold on."""

    source: str
    hours: float
    n_words: int
    false_alarms: int
    fah: float
    fah_interval: tuple[float, float]
    curve: tuple[CurvePoint, ...]


FIGURES = ThresholdBasis.__dataclass_fields__.keys() - {"curve"}


def from_validation(
    words: NDArray[np.float32], rest: NDArray[np.float32], hours: float, target_fah: float
) -> tuple[float, ThresholdBasis]:
    """Just above the validation negatives that may set it off at the target rate.

    Args:
        words: highest voted logit of each positive stretch, [n].
        rest: the same of each negative stretch, [n].
        hours: of the negatives.
        target_fah: false alarms per hour that are accepted.
    """
    highest = np.sort(rest)[::-1]
    above = np.nextafter(highest, np.float32(np.inf))
    allowed = min(int(target_fah * hours), len(highest) - 1)
    last = min(len(highest), int(HIGHEST_FAH * hours) + 2)
    curve = [CurvePoint(float(above[n]), n / hours, float((words < above[n]).mean())) for n in range(last)]
    basis = ThresholdBasis(
        VALIDATION, hours, len(words), allowed, allowed / hours, poisson_interval(allowed, hours), _thinned(curve)
    )
    return float(above[allowed]), basis


def from_stream(stream: "StreamResult", point: "OperatingPoint") -> ThresholdBasis:
    """Of the threshold of one operating point of a stream."""
    curve = [CurvePoint(p.threshold, p.fah, p.miss_rate) for p in stream.curve]
    return ThresholdBasis(
        STREAM, stream.hours, stream.n_keywords, point.false_alarms, point.fah, point.fah_interval, _thinned(curve)
    )


def known_basis(metrics: Any) -> dict[str, Any] | None:
    """The basis among the figures of a model or a bundle, without its curve; None where none is there, or it is not as
    it is written: figures are told, and nothing rests on them."""
    raw = metrics.get("threshold") if isinstance(metrics, Mapping) else None
    if not isinstance(raw, Mapping):
        return None
    values = {name: value for name, value in known_values(ThresholdBasis, raw).items() if name != "curve"}
    if misfits(ThresholdBasis, values) or values.keys() != FIGURES or values["hours"] <= 0.0:
        return None
    return values


def in_words(basis: Mapping[str, Any]) -> str:
    """One sentence, of a basis as it is kept in a model folder."""
    source = "a stream" if basis["source"] == STREAM else "the validation negatives"
    low, high = basis["fah_interval"]
    alarms = "1 false alarm" if basis["false_alarms"] == 1 else f"{basis['false_alarms']} false alarms"
    return (
        f"The threshold rests on {duration(basis['hours'])} of {source} with {alarms}: "
        f"{basis['fah']:.2f} per hour, between {low:.2f} and {high:.2f} with 95 % confidence."
    )


def all_in_words(bases: Mapping[str, Mapping[str, Any]]) -> str:
    """A line for the threshold of each word, of one word without its name; empty where nothing is known."""
    return "\n".join(f"{word}: {in_words(basis)}" if word else in_words(basis) for word, basis in bases.items())


def _thinned(curve: Sequence[CurvePoint]) -> tuple[CurvePoint, ...]:
    kept = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), MOST_POINTS)).astype(int))
    return tuple(curve[i] for i in kept)
