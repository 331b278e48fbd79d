"""One answer per recording from a project's ratings: derived by a named method, and derived again at will.

    median         of the ratings
    trimmed_mean   the mean without the highest and the lowest, from four ratings on; the mean below that
    severity       what the mean rater would have given, by the additive many-facet model (`metrics.raters`)

A reviewer's decision stands over all of them, and an excluded recording has none.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.labels.ratings_table import RatingsTable
from pipeline.metrics.severity import additive_model

if TYPE_CHECKING:
    import pandas as pd

TRIM_FROM = 4


def derived(table: NDArray[np.float64], method: str, low: float, high: float) -> NDArray[np.float64]:
    """[items] from [items, raters]; NaN where nobody rated. Severity-corrected values stay within `low` to `high`."""
    if method == "severity":
        return np.asarray(np.clip(additive_model(table)[0], low, high))
    there = np.isfinite(table)
    n = there.sum(axis=1)
    values = np.full(len(table), np.nan)
    rated = n > 0
    if method == "median":
        values[rated] = np.nanmedian(table[rated], axis=1)
        return values
    total = np.nansum(table, axis=1)
    trims = n >= TRIM_FROM
    ends = np.zeros(len(table))
    ends[trims] = np.nanmax(table[trims], axis=1) + np.nanmin(table[trims], axis=1)
    values[rated] = ((total - ends) / np.where(trims, n - 2, np.maximum(n, 1)))[rated]
    return values


def consensus_table(ratings: RatingsTable, method: str, ranges: dict[str, tuple[float, float]]) -> "pd.DataFrame":
    """One row per recording: recording_id, speaker, text, n, method, and for each dimension its value and
    `<name>_spread` (highest less lowest)."""
    import pandas as pd

    first = next(iter(ratings.dimensions.values()))
    columns: dict[str, object] = {
        "recording_id": ratings.ids, "speaker": ratings.speakers, "text": ratings.texts,
        "n": np.isfinite(first).sum(axis=1), "method": method,
    }  # fmt: skip
    for name, table in ratings.dimensions.items():
        columns[name] = derived(table, method, *ranges[name])
        rated = np.isfinite(table).any(axis=1)
        spread = np.full(len(table), np.nan)
        spread[rated] = np.nanmax(table[rated], axis=1) - np.nanmin(table[rated], axis=1)
        columns[f"{name}_spread"] = spread
    return pd.DataFrame(columns)
