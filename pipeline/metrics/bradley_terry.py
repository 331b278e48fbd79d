"""One scale from answers to "which of the two is better?".

The model is Bradley & Terry's (1952) with ties (Davidson 1970) and an effect of the order in which the two were shown
(Davidson & Beaver 1977). With the places v of two items, the order effect g and the tie parameter t, and
d = v_left - v_right + g, the weights of the answers are

    left better   exp(d / 2)
    no difference exp(t)            only where somebody answered so
    right better  exp(-d / 2)

Places are in logits with mean 0: of two items that lie 1 apart, the better one is preferred 73 times of 100 (ties left
out). A normal prior of standard deviation `PRIOR_SD` keeps an item that won or lost every comparison finite. Standard
errors come from the inverse Hessian; intervals that allow for the choice of raters from `rater_bootstrap`.

Vectors over comparisons: `left` and `right` are indices of items, `preferred` is 1 (left), 0 (right) or 0.5 (no
difference), `rater` is an index of raters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ProjectError
from pipeline.i18n import N_, NN_
from pipeline.metrics.estimate import Estimate

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]

PRIOR_SD = 2.0  # logits
WIDE_SD = 3.0  # of the order effect and the tie parameter
Z = 1.959964
MAX_STEPS = 100
TOLERANCE = 1e-8
TIE = 0.5


@dataclass(frozen=True)
class Comparisons:
    """Answers of `raters` about `items`, in the order in which they were given."""

    items: tuple[str, ...]
    raters: tuple[str, ...]
    left: Indices
    right: Indices
    preferred: Vector
    rater: Indices

    def __post_init__(self) -> None:
        """Raises ValueError for vectors that do not fit each other, or an answer that is none."""
        n = len(self.left)
        if not n == len(self.right) == len(self.preferred) == len(self.rater):
            raise ValueError("left, right, preferred and rater differ in length")
        if np.any(self.left == self.right):
            raise ValueError("an item was compared with itself")
        if not np.isin(self.preferred, (0.0, TIE, 1.0)).all():
            raise ValueError("preferred is 1 (left), 0 (right) or 0.5 (no difference)")

    def __len__(self) -> int:
        return len(self.left)

    def where(self, mask: NDArray[np.bool_]) -> "Comparisons":
        """Those of the mask, with the same items and raters."""
        return Comparisons(
            self.items, self.raters, self.left[mask], self.right[mask], self.preferred[mask], self.rater[mask]
        )


def comparisons(rows: Sequence[tuple[str, str, float, str]]) -> Comparisons:
    """Of (left, right, preferred, rater). Items and raters are sorted by name.

    >>> comparisons([("a", "b", 1.0, "Eve"), ("b", "c", 0.5, "Eve")]).items
    ('a', 'b', 'c')
    """
    items = sorted({item for left, right, *_ in rows for item in (left, right)})
    raters = sorted({row[3] for row in rows})
    place, number = ({name: k for k, name in enumerate(names)} for names in (items, raters))
    return Comparisons(
        tuple(items),
        tuple(raters),
        np.array([place[row[0]] for row in rows], dtype=np.intp),
        np.array([place[row[1]] for row in rows], dtype=np.intp),
        np.array([row[2] for row in rows], dtype=np.float64),
        np.array([number[row[3]] for row in rows], dtype=np.intp),
    )


@dataclass(frozen=True)
class Scale:
    """Places of `items` with standard errors `se`, both [items] in logits, and how often each was compared (`n`).

    `order` is the advantage of the left side in logits; `tie` the tie parameter, None where nobody answered "no
    difference". `reliability` is the share of the places' variance that is not error (scale separation reliability,
    Bramley 2015), None for fewer than three items. `log_likelihood` is the mean per comparison, in nats.
    """

    items: tuple[str, ...]
    value: Vector
    se: Vector
    n: Indices
    order: Estimate
    tie: float | None
    reliability: float | None
    log_likelihood: float
    n_comparisons: int

    @property
    def low(self) -> Vector:
        return np.asarray(self.value - Z * self.se)

    @property
    def high(self) -> Vector:
        return np.asarray(self.value + Z * self.se)


def connected_groups(data: Comparisons) -> list[list[int]]:
    """Groups of items that chains of comparisons connect, the largest first."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(data.items)
    links = coo_array((np.ones(len(data)), (data.left, data.right)), shape=(n, n))
    count, label = connected_components(links, directed=False)
    groups = [np.flatnonzero(label == group).tolist() for group in range(count)]
    return sorted(groups, key=len, reverse=True)


def require_connected(data: Comparisons) -> None:
    """Raises ProjectError where there is no comparison at all, or where two groups of items were never compared with
    each other: their places could not be told apart."""
    if not len(data):
        raise ProjectError(N_("There are no comparisons yet."))
    groups = connected_groups(data)
    if len(groups) > 1:
        raise ProjectError(
            NN_(
                "There are not enough comparisons for one scale: no comparison connects the {n_a} recordings around "
                "“{a}” with the recording “{b}” ({n_groups} separate groups). Compare more pairs.",
                "There are not enough comparisons for one scale: no comparison connects the {n_a} recordings around "
                "“{a}” with the {n} around “{b}” ({n_groups} separate groups). Compare more pairs.",
            ),
            n_a=len(groups[0]),
            a=data.items[groups[0][0]],
            n=len(groups[1]),
            b=data.items[groups[1][0]],
            n_groups=len(groups),
        )


def fit(data: Comparisons, *, prior_sd: float = PRIOR_SD) -> Scale:
    """The scale, by penalised maximum likelihood. Raises ProjectError as `require_connected` does."""
    from scipy.linalg import cho_solve

    require_connected(data)
    model = Model(data, prior_sd)
    parameters = model.maximise(np.ones(len(data)))
    k = len(data.items)
    covariance = cho_solve((model.factor(parameters, np.ones(len(data))), True), np.eye(len(parameters)))
    places = covariance[:k, :k]
    mean = places.mean(axis=0)
    se = np.sqrt(np.maximum(0.0, np.diag(places) - 2.0 * mean + mean.mean()))
    value = parameters[:k] - parameters[:k].mean()
    order, order_se = float(parameters[k]), float(np.sqrt(covariance[k, k]))
    variance = float(value.var(ddof=1)) if k > 2 else 0.0
    return Scale(
        items=data.items,
        value=value,
        se=se,
        n=np.bincount(np.concatenate([data.left, data.right]), minlength=k),
        order=Estimate(order, (order - Z * order_se, order + Z * order_se), len(data)),
        tie=float(parameters[k + 1]) if model.has_ties else None,
        reliability=max(0.0, 1.0 - float((se**2).mean()) / variance) if variance > 0.0 else None,
        log_likelihood=float(model.log_likelihoods(parameters).mean()),
        n_comparisons=len(data),
    )


def rater_bootstrap(
    data: Comparisons, *, n_resamples: int = 200, seed: int = 0, prior_sd: float = PRIOR_SD
) -> tuple[Vector, Vector]:
    """95 % intervals of the places when raters are drawn anew: the lower and upper ends, each [items].

    Wider than those of `Scale` where raters differ in what they prefer. Raises ProjectError for fewer than three
    raters, and as `require_connected` does.
    """
    require_connected(data)
    n_raters = len(data.raters)
    if n_raters < 3:
        raise ProjectError(
            N_("Intervals over raters need at least three raters, there are {n_raters}."), n_raters=n_raters
        )
    model = Model(data, prior_sd)
    start = model.maximise(np.ones(len(data)))
    draws = np.random.default_rng(seed).multinomial(n_raters, np.full(n_raters, 1.0 / n_raters), size=n_resamples)
    k = len(data.items)
    drawn = np.stack([model.maximise(times[data.rater].astype(np.float64), start)[:k] for times in draws])
    drawn -= drawn.mean(axis=1, keepdims=True)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return low, high


class Model:
    """The penalised likelihood of comparisons. Its parameters are the places, the order effect and, where there are
    ties, the tie parameter."""

    def __init__(self, data: Comparisons, prior_sd: float) -> None:
        self._data = data
        self._k = len(data.items)
        self._tied = data.preferred == TIE
        self.has_ties = bool(self._tied.any())
        n_more = 2 if self.has_ties else 1
        self._precision = np.concatenate([np.full(self._k, prior_sd**-2.0), np.full(n_more, WIDE_SD**-2.0)])

    def log_likelihoods(self, parameters: Vector) -> Vector:
        """Of each comparison, in nats."""
        return np.asarray(np.log(self._chosen(self._probabilities(parameters))))

    def maximise(self, weights: Vector, start: Vector | None = None) -> Vector:
        """Newton's method with halved steps; the objective is concave."""
        from scipy.linalg import cho_solve

        current = np.zeros(len(self._precision)) if start is None else start.copy()
        objective = self._objective(current, weights)
        for _ in range(MAX_STEPS):
            step = cho_solve((self.factor(current, weights), True), self._gradient(current, weights))
            size = 1.0
            while (raised := self._objective(current + size * step, weights)) < objective and size > 1e-6:
                size /= 2.0
            current, objective = current + size * step, raised
            if np.abs(step).max() * size < TOLERANCE:
                break
        return np.asarray(current)

    def factor(self, parameters: Vector, weights: Vector) -> Vector:
        """The lower Cholesky factor of the negative Hessian."""
        from scipy.linalg import cholesky
        from scipy.sparse import coo_array

        data, k = self._data, self._k
        left_wins, tie, right_wins = self._probabilities(parameters)
        slope = left_wins - right_wins
        curve = weights * (left_wins + right_wins - slope**2) / 4.0
        size = len(self._precision)
        values = np.concatenate([curve, curve, -curve, -curve])
        rows = np.concatenate([data.left, data.right, data.left, data.right])
        columns = np.concatenate([data.left, data.right, data.right, data.left])
        hessian = coo_array((values, (rows, columns)), shape=(size, size)).toarray()

        def border(index: int, per_comparison: Vector) -> None:
            """How the places and the parameter at `index` curve together."""
            column = np.bincount(data.left, per_comparison, k) - np.bincount(data.right, per_comparison, k)
            hessian[:k, index] = hessian[index, :k] = column

        border(k, curve)
        hessian[k, k] = curve.sum()
        if self.has_ties:
            mixed = -weights * slope * tie / 2.0
            border(k + 1, mixed)
            hessian[k, k + 1] = hessian[k + 1, k] = mixed.sum()
            hessian[k + 1, k + 1] = (weights * tie * (1.0 - tie)).sum()
        hessian[np.diag_indices(size)] += self._precision
        return np.asarray(cholesky(hessian, lower=True))

    def _gradient(self, parameters: Vector, weights: Vector) -> Vector:
        data, k = self._data, self._k
        left_wins, tie, right_wins = self._probabilities(parameters)
        slope = weights * ((data.preferred - TIE) - (left_wins - right_wins) / 2.0)
        parts = [np.bincount(data.left, slope, k) - np.bincount(data.right, slope, k), np.array([slope.sum()])]
        if self.has_ties:
            parts.append(np.array([(weights * (self._tied - tie)).sum()]))
        return np.asarray(np.concatenate(parts) - self._precision * parameters)

    def _objective(self, parameters: Vector, weights: Vector) -> float:
        penalty = float((self._precision * parameters**2).sum()) / 2.0
        return float((weights * self.log_likelihoods(parameters)).sum()) - penalty

    def _chosen(self, probabilities: tuple[Vector, Vector, Vector]) -> Vector:
        left_wins, tie, right_wins = probabilities
        return np.where(self._tied, tie, np.where(self._data.preferred == 1.0, left_wins, right_wins))

    def _probabilities(self, parameters: Vector) -> tuple[Vector, Vector, Vector]:
        difference = parameters[self._data.left] - parameters[self._data.right] + parameters[self._k]
        return answer_probabilities(difference, float(parameters[self._k + 1]) if self.has_ties else None)


def answer_probabilities(difference: Vector, tie: float | None) -> tuple[Vector, Vector, Vector]:
    """Of "left better", "no difference" and "right better", each [n], for differences of places (order effect
    included). Without a tie parameter nobody answers "no difference"."""
    with np.errstate(over="ignore"):
        halves = np.stack([difference / 2.0, np.full_like(difference, -np.inf if tie is None else tie)])
        top = np.maximum(np.abs(halves[0]), halves[1])
        left, equal, right = np.exp(halves[0] - top), np.exp(halves[1] - top), np.exp(-halves[0] - top)
    total = left + equal + right
    floor = np.finfo(np.float64).tiny
    return np.maximum(left / total, floor), equal / total, np.maximum(right / total, floor)
