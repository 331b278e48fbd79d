"""Scorers beside experts on the same recordings: joining, filtering, figures, worst cases. Pure, tables in and out.

The joined table has one row a (recording, scorer): recording_id, speaker, text, part, expert, predicted, scorer,
scoring_method, held_out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.metrics.regression import RegressionMetrics

# With fewer recordings no figure is defined.
FEWEST_RECORDINGS = 3

# metric, label with its unit, whether it is a share
METRIC_LABELS = (
    ("mae", "MAE (points)", False),
    ("rmse", "RMSE (points)", False),
    ("r2", "R²", False),
    ("pcc", "PCC", False),
    ("bias", "Bias (points, + is lenient)", False),
    ("within_5", "Within 5 points", True),
    ("within_10", "Within 10 points", True),
)


def joined(predictions: pd.DataFrame, experts: pd.DataFrame) -> pd.DataFrame:
    """Predictions with a score beside the expert's score of the same recording; the rest is left out."""
    table = experts.rename(columns={"score": "expert"}).merge(
        predictions.rename(columns={"overall": "predicted"}), on="recording_id", how="inner"
    )
    return table.dropna(subset=["expert", "predicted"]).reset_index(drop=True)


def filtered(
    table: pd.DataFrame,
    speakers: Collection[str] = (),
    texts: Collection[str] = (),
    parts: Collection[str] = (),
) -> pd.DataFrame:
    """The rows of the given speakers, texts and parts; none given means all of them."""
    keep = table["recording_id"].notna()
    if speakers:
        keep &= table["speaker"].isin(speakers)
    if texts:
        keep &= table["text"].isin(texts)
    if parts:
        keep &= table["part"].isin(parts)
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


def ratings_matrix(labels: pd.DataFrame, recording_ids: Collection[str]) -> pd.DataFrame:
    """Current scores as [recordings, evaluators], NaN where somebody did not rate; only the given recordings."""
    rated = labels[(labels["action"] == "rate") & labels["recording_id"].isin(recording_ids)]
    return rated.pivot(index="recording_id", columns="evaluator", values="score")


def human_ceiling(labels: pd.DataFrame, recording_ids: Collection[str]) -> dict[str, float] | None:
    """Each rater against the median of the others, averaged; None where no two raters share enough recordings."""
    from pipeline.metrics.agreement import leave_one_out

    matrix = ratings_matrix(labels, recording_ids)
    found = leave_one_out(matrix.to_numpy(float)) if matrix.shape[1] > 1 else None
    return None if found is None else found.mean


def metric_rows(metrics: Mapping[str, RegressionMetrics], human: Mapping[str, float] | None) -> list[dict[str, str]]:
    """The table of figures: a row a metric, a column a scorer with its interval and the target level it reaches."""
    from pipeline.metrics.regression import TARGETS

    targets = {target.metric: target for target in TARGETS}
    rows = []
    for name, label, percent in METRIC_LABELS:
        target = targets.get(name)
        sign = "" if target is None else "<" if target.lower_is_better else ">"
        levels = [] if target is None else [target.acceptable, target.good, target.excellent]
        row = {"Figure": label, "Target": " / ".join(f"{sign} {level:g}" for level in levels)}
        for scorer, found in metrics.items():
            row[scorer] = with_interval(getattr(found, name), found.intervals.get(name), percent=percent)
            if target is not None:
                row[scorer] += f" · {target.reached(getattr(found, name))}"
        if human is not None:
            row["Human ceiling"] = number(human[name], percent=percent) if name in human else ""
        rows.append(row)
    return rows


def with_interval(value: float | None, interval: tuple[float, float] | None, *, percent: bool = False) -> str:
    if interval is None:
        return number(value, percent=percent)
    low, high = (number(bound, percent=percent) for bound in interval)
    return f"{number(value, percent=percent)} [{low}, {high}]"


def number(value: float | None, *, percent: bool = False) -> str:
    """Three significant places; `undefined` where a figure cannot be computed."""
    if value is None:
        return "undefined"
    if percent:
        return f"{100 * value:.0f} %"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
