"""Scorers beside experts on the same recordings: joining, filtering, figures, worst cases. Pure, tables in and out.

The joined table has one row a (recording, scorer): recording_id, speaker, text, part, expert, predicted, scorer,
scoring_method, held_out.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from pipeline.metrics.regression import RegressionMetrics

# Below this many recordings or speakers a bootstrap interval says nothing.
FEWEST_RECORDINGS = 3


def joined(predictions: pd.DataFrame, experts: pd.DataFrame) -> pd.DataFrame:
    """Predictions with a score beside the expert's score of the same recording; the rest is left out."""
    table = experts.rename(columns={"score": "expert"}).merge(
        predictions.rename(columns={"overall": "predicted"}), on="recording_id", how="inner"
    )
    return table.dropna(subset=["expert", "predicted"]).reset_index(drop=True)


def filtered(table: pd.DataFrame, speakers: Collection[str] = (), texts: Collection[str] = ()) -> pd.DataFrame:
    """The rows of the given speakers and texts; none given means all of them."""
    keep = table["recording_id"].notna()
    if speakers:
        keep &= table["speaker"].isin(speakers)
    if texts:
        keep &= table["text"].isin(texts)
    return table[keep]


def on_the_same_recordings(table: pd.DataFrame) -> pd.DataFrame:
    """Only the recordings that every scorer in the table has scored, so that their figures can be compared."""
    n_scorers = table["scorer"].nunique()
    counts = table.groupby("recording_id")["scorer"].nunique()
    return table[table["recording_id"].isin(counts.index[counts == n_scorers])]


def metrics_by_scorer(table: pd.DataFrame) -> dict[str, RegressionMetrics]:
    """The figures of each scorer with bootstrap intervals over speakers; scorers with under three rows are left out."""
    from pipeline.metrics.regression import regression_metrics

    return {
        str(scorer): regression_metrics(
            rows["expert"].to_numpy(float), rows["predicted"].to_numpy(float), speakers=rows["speaker"].tolist()
        )
        for scorer, rows in table.groupby("scorer", sort=True)
        if len(rows) >= FEWEST_RECORDINGS
    }


def worst(table: pd.DataFrame, scorer: str, n: int = 10) -> pd.DataFrame:
    """The `n` rows of one scorer that lie furthest from the expert, the furthest first, with their `error`."""
    rows = table[table["scorer"] == scorer]
    rows = rows.assign(error=rows["predicted"] - rows["expert"])
    return rows.reindex(rows["error"].abs().sort_values(ascending=False, kind="stable").index)[:n]
