"""How strict each rater is, beside the items that they rated."""

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]


def additive_model(table: Table, n_rounds: int = 100, tolerance: float = 1e-9) -> tuple[Table, Table]:
    """Items and severities of rating = item + severity + error, by least squares with the severities' mean 0: what
    each item would have got from the mean rater, whoever rated it. [items] (NaN where nobody rated), [raters].

    The linear form of a many-facet model (Linacre 1989) with items and raters as facets, on the score's own scale.
    """
    there = np.isfinite(table)
    values = np.where(there, table, 0.0)
    n_items, n_raters = there.sum(axis=1), there.sum(axis=0)
    severity = np.zeros(table.shape[1])
    item = np.zeros(len(table))
    for _ in range(n_rounds):
        item = np.divide((values - there * severity).sum(axis=1), n_items, out=np.zeros(len(table)), where=n_items > 0)
        new = np.divide(
            (values - there * item[:, None]).sum(axis=0), n_raters, out=np.zeros_like(severity), where=n_raters > 0
        )
        new -= new[n_raters > 0].mean() if (n_raters > 0).any() else 0.0
        done = float(np.abs(new - severity).max(initial=0.0)) < tolerance
        severity = new
        if done:
            break
    item = np.divide(
        (values - there * severity).sum(axis=1), n_items, out=np.full(len(table), np.nan), where=n_items > 0
    )
    return item, severity
