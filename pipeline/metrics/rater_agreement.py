"""How far several raters agree on one dimension: alpha, ICC, kappa, pairs, severity, each with n and an interval.

Tables are [items, raters], NaN where a rater did not rate. Every figure is a function of sums over items, so that an
interval (percentile bootstrap over clusters of items, usually speakers) takes a matrix product, and a hundred thousand
ratings a second. A figure that the ratings do not define (nobody's ratings vary, or raters contradict each other) is
None with the reason. Formulas:

    alpha        Krippendorff (2011), interval metric, missing ratings allowed
    ICC          Shrout & Fleiss (1979), two-way random, absolute agreement: (2,1) for one rater, (2,k) for their mean
    kappa        Cohen (1968), quadratic weights, over verbal bands; the mean over pairs
    leave one out  Pearson correlation of each rater with the median of the others; the mean over raters
    severity     a rater less the mean of the others on the same items: negative is strict
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.i18n import N_, Message
from pipeline.metrics.estimate import ALL_ALIKE, MIN_SHARED, Clusters, Estimate, Statistic, Table, too_few

N_RESAMPLES = 500
ALL_RATERS = "all raters"
ONE_BAND = Message(N_("all ratings are in the same band"))
NO_BANDS = Message(N_("no bands"))
OVER_PAIRS = Message(N_("mean over pairs"))
CONTRADICTORY = Message(N_("the raters contradict each other: the items differ less than the ratings of one item"))


@dataclass(frozen=True)
class Pair:
    """Two raters on the items that both rated; `bias` is `b` less `a`."""

    a: str
    b: str
    n: int
    mae: Estimate
    bias: Estimate
    kappa: Estimate


@dataclass(frozen=True)
class Rater:
    """One rater: how many items, their mean and spread, and severity and correlation beside the others."""

    name: str
    n: int
    mean: float
    sd: float
    severity: Estimate
    leave_one_out: Estimate


@dataclass(frozen=True)
class Agreement:
    """On one dimension. `n` items have two or more ratings, of `n_rated`. `icc_over` says on what the ICC stands:
    `all raters` (items that all of them rated) or `pairs` (the mean over pairs, weighted by their items)."""

    n: int
    n_rated: int
    alpha: Estimate
    icc: Estimate
    icc_k: Estimate
    icc_over: str
    kappa: Estimate
    leave_one_out: Estimate
    pairs: tuple[Pair, ...]
    raters: tuple[Rater, ...]


def agreement(
    ratings: ArrayLike,
    names: Sequence[str],
    *,
    clusters: Sequence[str] | None = None,
    bands: Sequence[float] = (),
    n_resamples: int = N_RESAMPLES,
) -> Agreement:
    """Of `ratings` [items, raters] by the raters `names`. `bands` are the lower bounds of the verbal bands (kappa is
    left out without). Figures over fewer than 10 shared items are None,
    intervals where all items are of one cluster."""
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(names):
        raise ValueError(f"expected [items, {len(names)}], got {table.shape}")
    drawn = Clusters.of(clusters, len(table), n_resamples)
    there = np.isfinite(table)
    shared = int((there.sum(axis=1) >= 2).sum())
    levels = np.searchsorted(np.sort(np.asarray(bands, dtype=np.float64)), table, side="right").astype(np.float64)
    levels[~there] = np.nan
    pairs = tuple(
        _pair(table, levels if len(bands) else None, names, a, b, drawn) for a, b in combinations(range(len(names)), 2)
    )
    icc, icc_k, over = _icc(table, names, drawn)
    raters = tuple(_rater(table, names, column, drawn) for column in range(len(names)) if there[:, column].any())
    return Agreement(
        n=shared,
        n_rated=int(there.any(axis=1).sum()),
        alpha=alpha(table, drawn),
        icc=icc,
        icc_k=icc_k,
        icc_over=over,
        kappa=_mean_kappa(levels, drawn) if len(bands) else Estimate(None, None, shared, NO_BANDS),
        leave_one_out=_leave_one_out(table, names, drawn),
        pairs=tuple(pair for pair in pairs if pair.n),
        raters=raters,
    )  # fmt: skip


def alpha(table: Table, drawn: Clusters) -> Estimate:
    """Krippendorff's alpha for interval data, over items with two or more ratings."""
    there = np.isfinite(table)
    m = there.sum(axis=1).astype(np.float64)
    pairable = m >= 2
    values = np.where(there & pairable[:, None], table - _centre(table), 0.0)
    m = np.where(pairable, m, 0.0)
    s1, s2 = values.sum(axis=1), (values**2).sum(axis=1)
    observed = np.divide(2.0 * (m * s2 - s1**2), m - 1.0, out=np.zeros_like(m), where=pairable)

    def statistic(sums: Table) -> Table:
        n, total, squares, within = (sums[..., k] for k in range(4))
        expected = 2.0 * (n * squares - total**2) / (n * (n - 1.0))
        return np.asarray(1.0 - within / n / expected)

    return drawn.estimate(np.stack([m, s1, s2, observed], axis=1), statistic, int(pairable.sum()))


def icc_complete(table: Table, names: Sequence[str], drawn: Clusters) -> tuple[Estimate, Estimate]:
    """ICC(2,1) and ICC(2,k) of a table without gaps by the raters `names`.

    Where items differ less than the ratings of one item (mean square of rows under that of the error) the estimated
    variance of items is negative: the reliability of the mean, which divides by what is then near 0, is not defined.
    Of single raters it is a negative figure, down to -1.
    """
    k = table.shape[1]
    if np.ptp(table) == 0.0:
        nothing = Estimate(None, None, len(table), ALL_ALIKE)
        return nothing, nothing
    values = table - _centre(table)
    columns = np.column_stack([np.ones(len(table)), values.mean(axis=1) ** 2, (values**2).sum(axis=1), values])

    def squares(sums: Table) -> tuple[Table, Table, Table, Table]:
        n, rows, total = sums[..., 0], sums[..., 1], sums[..., 2]
        means = sums[..., 3:] / n[..., None]
        grand = n * k * means.mean(axis=-1) ** 2
        between, raters = k * rows - grand, n * (means**2).sum(axis=-1) - grand
        error = total - grand - between - raters
        return n, between / (n - 1.0), raters / (k - 1.0), error / ((n - 1.0) * (k - 1.0))

    def single(sums: Table) -> Table:
        n, rows, raters, error = squares(sums)
        whole = rows + (k - 1.0) * error + k * (raters - error) / n
        value = (rows - error) / np.where(whole > 0.0, whole, np.nan)
        return np.asarray(np.where(value >= -1.0, value, np.nan))

    def mean(sums: Table) -> Table:
        n, rows, raters, error = squares(sums)
        whole = rows + (raters - error) / n
        return np.asarray((rows - error) / np.where((rows > error) & (whole > 0.0), whole, np.nan))

    n_items, undefined = len(table), _constant(table, names) or CONTRADICTORY
    return (
        drawn.estimate(columns, single, n_items, undefined),
        drawn.estimate(columns, mean, n_items, undefined),
    )


def by_group(ratings: ArrayLike, groups: Sequence[str]) -> list[dict[str, float | int | str | None]]:
    """For each group of items (a word, a speaker): items, those shared, the mean rating, the mean distance between two
    raters, the mean range, and alpha where ten or more are shared; the widest first."""
    table = np.asarray(ratings, dtype=np.float64)
    rows: list[dict[str, float | int | str | None]] = []
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    for number, name in enumerate(names):
        of_group = table[member == number]
        there = np.isfinite(of_group)
        both = of_group[there.sum(axis=1) >= 2]
        distances = [np.abs(both[:, a] - both[:, b]) for a, b in combinations(range(table.shape[1]), 2)]
        between = np.concatenate(distances) if distances else np.empty(0)
        between = between[np.isfinite(between)]
        drawn = Clusters.of(None, len(of_group), 2)
        rows.append(
            {
                "group": str(name), "n": int(there.any(axis=1).sum()), "shared": len(both),
                "mean": float(np.nanmean(of_group)) if there.any() else None,
                "distance": float(between.mean()) if len(between) else None,
                "range": float((np.nanmax(both, axis=1) - np.nanmin(both, axis=1)).mean()) if len(both) else None,
                "alpha": alpha(of_group, drawn).value,
            }
        )  # fmt: skip
    return sorted(rows, key=lambda row: -float(row["distance"] or -1.0))


def _centre(table: Table) -> float:
    """Taken off before sums of squares are made, which would lose digits far from 0."""
    there = np.isfinite(table)
    return float(table[there].mean()) if there.any() else 0.0


def _icc(table: Table, names: Sequence[str], drawn: Clusters) -> tuple[Estimate, Estimate, str]:
    there = np.isfinite(table)
    complete = np.asarray(there.all(axis=1))
    if table.shape[1] >= 2 and complete.sum() >= MIN_SHARED:
        single, mean = icc_complete(table[complete], names, _part(drawn, complete))
        return single, mean, ALL_RATERS
    of_pairs = []
    for a, b in combinations(range(table.shape[1]), 2):
        both = there[:, a] & there[:, b]
        if both.sum() >= MIN_SHARED:
            pair = icc_complete(table[both][:, [a, b]], (names[a], names[b]), _part(drawn, both))
            of_pairs.append((*pair, int(both.sum())))
    if not of_pairs:
        nothing = too_few(_most_shared(there))
        return nothing, nothing, "pairs"
    return _weighted([f[0] for f in of_pairs]), _weighted([f[1] for f in of_pairs]), "pairs"


def _weighted(estimates: Sequence[Estimate]) -> Estimate:
    """The mean, weighted by items; its interval is left out, as the pairs share raters."""
    known = [e for e in estimates if e.value is not None]
    n = sum(e.n for e in known)
    if not known:
        return Estimate(None, None, sum(e.n for e in estimates), estimates[0].reason)
    return Estimate(sum((e.value or 0.0) * e.n for e in known) / n, None, n, OVER_PAIRS)


def _most_shared(there: NDArray[np.bool_]) -> int:
    """Items of the two raters who share most."""
    return max((int((there[:, a] & there[:, b]).sum()) for a, b in combinations(range(there.shape[1]), 2)), default=0)


def _part(drawn: Clusters, rows: NDArray[np.bool_]) -> Clusters:
    return Clusters(drawn.member[rows], drawn.weights)


def _pair(table: Table, levels: Table | None, names: Sequence[str], a: int, b: int, drawn: Clusters) -> Pair:
    both = np.isfinite(table[:, a]) & np.isfinite(table[:, b])
    n = int(both.sum())
    part = _part(drawn, both)
    difference = table[both, b] - table[both, a]

    def mean(sums: Table) -> Table:
        return np.asarray(sums[..., 1] / sums[..., 0])

    ones = np.ones(n)
    kappa = Estimate(None, None, n, NO_BANDS)
    if levels is not None:
        kappa = part.estimate(kappa_columns(levels[both, a], levels[both, b]), kappa_of_sums, n, ONE_BAND)
    return Pair(
        names[a],
        names[b],
        n,
        part.estimate(np.stack([ones, np.abs(difference)], axis=1), mean, n),
        part.estimate(np.stack([ones, difference], axis=1), mean, n),
        kappa,
    )


def kappa_columns(a: Table, b: Table) -> Table:
    """What `kappa_of_sums` needs of two raters' bands [n], to be added up: [n, 6]."""
    return np.stack([np.ones(len(a)), a, b, a**2, b**2, (a - b) ** 2], axis=1)


def kappa_of_sums(sums: Table) -> Table:
    """Kappa with quadratic weights from added-up columns [..., 6] -> [...]."""
    n, a, b, aa, bb, between = (sums[..., k] for k in range(6))
    return np.asarray(1.0 - (between / n) / (aa / n + bb / n - 2.0 * (a / n) * (b / n)))


def _mean_kappa(levels: Table, drawn: Clusters) -> Estimate:
    """Averaged over all pairs with enough items; the pairs are drawn together."""
    there = np.isfinite(levels)
    blocks: list[Table] = []
    for a, b in combinations(range(levels.shape[1]), 2):
        both = there[:, a] & there[:, b]
        if both.sum() >= MIN_SHARED:
            columns = kappa_columns(np.where(both, levels[:, a], 0.0), np.where(both, levels[:, b], 0.0))
            blocks.append(columns * both[:, None])
    if not blocks:
        return too_few(_most_shared(there))
    return _mean_of_blocks(blocks, kappa_of_sums, drawn, int((there.sum(axis=1) >= 2).sum()), ONE_BAND)


def _mean_of_blocks(
    blocks: Sequence[Table], statistic: Statistic, drawn: Clusters, n: int, undefined: str = ALL_ALIKE
) -> Estimate:
    width = blocks[0].shape[1]

    def mean(sums: Table) -> Table:
        values = [statistic(sums[..., k * width : (k + 1) * width]) for k in range(len(blocks))]
        return np.asarray(np.mean(values, axis=0))

    return drawn.estimate(np.concatenate(blocks, axis=1), mean, n, undefined)


def _shared_with_others(table: Table, column: int) -> NDArray[np.bool_]:
    others = np.delete(table, column, axis=1)
    return np.asarray(np.isfinite(table[:, column]) & np.isfinite(others).any(axis=1))


def _beside_others(table: Table, column: int) -> tuple[Table, Table]:
    """A rater's ratings and the median of the others, on the items that they share."""
    both = _shared_with_others(table, column)
    return table[both, column], np.asarray(np.nanmedian(np.delete(table, column, axis=1)[both], axis=1))


def _pearson_columns(table: Table, column: int) -> Table | None:
    """Of a rater and the median of the others, where both are there; None for too few."""
    both = _shared_with_others(table, column)
    if both.sum() < MIN_SHARED:
        return None
    own, median = _beside_others(table, column)
    x, y = np.zeros(len(table)), np.zeros(len(table))
    x[both] = own - _centre(table)
    y[both] = median - _centre(table)
    return np.stack([both.astype(np.float64), x, y, x**2, y**2, x * y], axis=1)


def _pearson(sums: Table) -> Table:
    n, x, y, xx, yy, xy = (sums[..., k] for k in range(6))
    return np.asarray((n * xy - x * y) / np.sqrt((n * xx - x**2) * (n * yy - y**2)))


def _leave_one_out(table: Table, names: Sequence[str], drawn: Clusters) -> Estimate:
    blocks = [block for column in range(table.shape[1]) if (block := _pearson_columns(table, column)) is not None]
    if not blocks:
        return too_few(
            max((int(_shared_with_others(table, column).sum()) for column in range(table.shape[1])), default=0)
        )
    shared = int((np.isfinite(table).sum(axis=1) >= 2).sum())
    if (reason := _no_correlation(table, names)) is not None:
        return Estimate(None, None, shared, reason)
    return _mean_of_blocks(blocks, _pearson, drawn, shared)


def _no_correlation(table: Table, names: Sequence[str]) -> Message | None:
    """Whose ratings correlate with nobody's because they do not vary; None where everybody's do."""
    if np.ptp(table[np.isfinite(table)]) == 0.0:
        return ALL_ALIKE
    pairs = {name: _beside_others(table, column) for column, name in enumerate(names)}
    if (reason := _constant_names([name for name, (rated, _) in pairs.items() if _is_constant(rated)])) is not None:
        return reason
    if any(median.size and np.ptp(median) == 0.0 for _, median in pairs.values()):
        return Message(N_("the median of the other raters is the same for all items"))
    return None


def _constant(table: Table, names: Sequence[str]) -> Message | None:
    """Whose ratings in a table without gaps do not vary; None where everybody's do."""
    return _constant_names([name for name, column in zip(names, table.T, strict=True) if _is_constant(column)])


def _is_constant(values: Table) -> bool:
    return bool(values.size) and np.ptp(values) == 0.0


def _constant_names(names: Sequence[str]) -> Message | None:
    return Message(N_("all ratings of {raters} are the same"), raters=", ".join(names)) if names else None


def _rater(table: Table, names: Sequence[str], column: int, drawn: Clusters) -> Rater:
    own = table[np.isfinite(table[:, column]), column]
    both = _shared_with_others(table, column)
    n = int(both.sum())
    difference = table[both, column] - np.nanmean(np.delete(table, column, axis=1)[both], axis=1) if n else np.empty(0)
    severity = _part(drawn, both).estimate(
        np.stack([np.ones(n), difference], axis=1), lambda sums: np.asarray(sums[..., 1] / sums[..., 0]), n
    )
    block = _pearson_columns(table, column)
    alone = too_few(n)
    if block is not None:
        rated, median = _beside_others(table, column)
        varies = np.ptp(rated) > 0.0 and np.ptp(median) > 0.0
        alone = (
            drawn.estimate(block, _pearson, n)
            if varies
            else Estimate(None, None, n, _no_correlation(table, names) or "")
        )
    return Rater(names[column], len(own), float(own.mean()), float(own.std()), severity, alone)
