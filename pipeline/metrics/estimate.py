"""A figure with its interval, and intervals by drawing clusters of items (usually speakers)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.i18n import N_, NN_, Message
from pipeline.metrics.bootstrap import interval, resample_weights

Table = NDArray[np.float64]
Statistic = Callable[[Table], Table]
MIN_SHARED = 10
NOT_ENOUGH = NN_(
    "not enough overlap: {n} shared item, at least {least} are needed",
    "not enough overlap: {n} shared items, at least {least} are needed",
)
ALL_ALIKE = Message(N_("all ratings are the same"))
UNSTABLE = Message(N_("undefined for many resamples, so it has no interval"))
ONE_CLUSTER = Message(N_("all items are of one speaker, so it has no interval"))


@dataclass(frozen=True)
class Estimate:
    """A figure over `n` items with its 95 % interval. Where one of them is None, `reason` says why (a `Message`)."""

    value: float | None
    interval: tuple[float, float] | None
    n: int
    reason: str = ""


@dataclass(frozen=True)
class Clusters:
    """Draws of whole clusters of items: `sums` of item columns to the figures of all resamples at once."""

    member: NDArray[np.intp]
    weights: Table

    @classmethod
    def of(cls, names: Sequence[str] | None, n: int, n_resamples: int, seed: int = 0) -> "Clusters":
        if names is None:
            member = np.arange(n)
        else:
            _, member = np.unique(np.asarray(names), return_inverse=True)
        size = int(member.max()) + 1 if n else 0
        return cls(
            member, resample_weights(size, None, n_resamples=n_resamples, seed=seed) if size else np.empty((0, 0))
        )

    def estimate(self, columns: Table, statistic: Statistic, n: int, undefined: str = ALL_ALIKE) -> Estimate:
        """`columns` [items, sums] to a figure: `statistic` takes sums [..., k] and gives [...], NaN where the figure is
        not defined; `undefined` says why."""
        if n < MIN_SHARED:
            return too_few(n)
        size = self.weights.shape[1]
        by_cluster = np.stack(
            [np.bincount(self.member, weights=column, minlength=size) for column in columns.T], axis=1
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            value = float(statistic(by_cluster.sum(axis=0)))
            drawn = statistic(self.weights @ by_cluster)
        if not np.isfinite(value):
            return Estimate(None, None, n, undefined)
        if np.count_nonzero(by_cluster.any(axis=1)) < 2:
            return Estimate(value, None, n, ONE_CLUSTER)
        between = interval(drawn)
        return Estimate(value, between, n, "" if between else UNSTABLE)


def too_few(n: int) -> Estimate:
    """No figure, over `n` items."""
    return Estimate(None, None, n, Message(NOT_ENOUGH, n=n, least=MIN_SHARED))
