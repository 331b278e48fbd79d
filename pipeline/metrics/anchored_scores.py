"""Scores (0-100) of a scale's items, by the known scores of some of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ProjectError
from pipeline.i18n import N_, NN_
from pipeline.metrics.bradley_terry import Scale, Vector, Z

MAPS = ("linear", "monotone")


@dataclass(frozen=True)
class AnchoredScores:
    """Scores 0-100 of a scale's items with the ends of their 95 % intervals, each [items]. `n_anchors` items had a
    known score, `error` is their mean absolute distance from it; `outside` marks the items that lie beyond all anchors,
    where the map is a guess."""

    score: Vector
    low: Vector
    high: Vector
    outside: NDArray[np.bool_]
    n_anchors: int
    error: float


def anchored(scale: Scale, known: dict[str, float], method: str = "linear") -> AnchoredScores:
    """Turn places into scores by the known scores (0-100) of some items, the anchors.

    `linear` fits a line through the anchors by least squares; its interval has the place's own error and that of the
    line. `monotone` joins the anchors' isotonic means by straight pieces, flat beyond the outermost; its interval is
    that of the place. Raises ProjectError for fewer than two anchors on the scale, and where better places do not mean
    better scores.
    """
    from scipy.optimize import isotonic_regression

    if method not in MAPS:
        raise ValueError(f"the map is one of {', '.join(MAPS)}, got {method!r}")
    place = {item: k for k, item in enumerate(scale.items)}
    at = [place[item] for item in known if item in place]
    score = np.array([value for item, value in known.items() if item in place], dtype=np.float64)
    x = scale.value[at]
    if len(at) < 2 or np.ptp(x) == 0.0 or np.ptp(score) == 0.0:
        raise ProjectError(
            NN_(
                "Scores need at least two compared recordings with different known scores; {n} of the known answers "
                "was compared.",
                "Scores need at least two compared recordings with different known scores; {n} of the known answers "
                "were compared.",
            ),
            n=len(at),
        )
    slope, intercept = np.polyfit(x, score, 1)
    if slope <= 0.0:
        raise ProjectError(
            N_("The known scores contradict the comparisons: recordings with higher scores were preferred less often.")
        )
    if method == "linear":
        value = intercept + slope * scale.value
        line = np.zeros_like(value)
        if len(at) > 2:
            residual = float(((score - intercept - slope * x) ** 2).sum()) / (len(at) - 2)
            line = residual * (1.0 / len(at) + (scale.value - x.mean()) ** 2 / float(((x - x.mean()) ** 2).sum()))
        half = Z * np.sqrt((slope * scale.se) ** 2 + line)
        low, high = value - half, value + half
    else:
        order = np.argsort(x, kind="stable")
        steps = isotonic_regression(score[order]).x
        value, low, high = (np.interp(v, x[order], steps) for v in (scale.value, scale.low, scale.high))
    return AnchoredScores(
        score=np.clip(value, 0.0, 100.0),
        low=np.clip(low, 0.0, 100.0),
        high=np.clip(high, 0.0, 100.0),
        outside=np.asarray((scale.value < x.min()) | (scale.value > x.max())),
        n_anchors=len(at),
        error=float(np.abs(np.clip(value[at], 0.0, 100.0) - score).mean()),
    )
