"""What the Compare page asks for: predictions and experts' scores of a set, joined; filters, metrics, worst cases.

The joined table has one row per recording and scorer: recording_id, speaker, text, part, expert, predicted, scorer,
scoring_method, held_out. What takes a table reads nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from dashboard import identity
from dashboard.identity import asks
from dashboard.services.shared import settings
from pipeline import i18n
from pipeline.i18n import N_, _
from pipeline.people.access import Action
from pipeline.records import RubricName

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.metrics.regression import RegressionMetrics
    from pipeline.runs import DamagedRun, RunDirectory

# With fewer recordings no metric is defined.
FEWEST_RECORDINGS = 3

# metric, label with its unit, whether it is a share
METRIC_LABELS = (
    ("mae", N_("MAE (points)"), False),
    ("rmse", N_("RMSE (points)"), False),
    ("r2", "R²", False),
    ("pcc", "PCC", False),
    ("bias", N_("Bias (points)"), False),
    ("within_5", N_("Within 5 points"), True),
    ("within_10", N_("Within 10 points"), True),
)
LEVEL_LABELS = {
    "excellent": N_("excellent"),
    "good": N_("good"),
    "acceptable": N_("acceptable"),
}


@asks(Action.SEE_RATINGS)
def predictions(set_name: str) -> pd.DataFrame:
    from pipeline.scoring.batch import read_predictions

    return read_predictions(settings(), set_name)


@asks(Action.SCORE_SETS)
def scorer_names(rubric: RubricName) -> list[str]:
    """The scorers that can score such recordings here: the heuristic, and those with a model."""
    from pipeline.scoring.selection import scorer_names

    return scorer_names(settings(), rubric)


@asks(Action.SCORE_SETS)
def launch_scoring(set_name: str, scorer_name: str) -> RunDirectory:
    """Score a set in the background."""
    from pipeline.scoring.batch import launch_scoring

    return launch_scoring(settings(), set_name, [scorer_name], identity.allowed(Action.SCORE_SETS))


@asks(Action.SCORE_SETS)
def active_scoring(set_name: str) -> RunDirectory | None:
    """The scoring of the set that is running in the background, if any."""
    from pipeline.scoring.batch import active_scoring

    return active_scoring(settings(), set_name)


@asks(Action.TRAIN, Action.IMPORT_DATA, Action.SCORE_SETS)
def damaged_jobs() -> Sequence[DamagedRun]:
    """Folders of background jobs that cannot be read."""
    from pipeline.runs import scan_runs

    return scan_runs(settings().jobs_root).damaged


def joined(predictions: pd.DataFrame, experts: pd.DataFrame) -> pd.DataFrame:
    """Predictions with a score and the expert's score of the same recording; the rest is left out."""
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
    """Only the recordings that every scorer in the table has scored, so that their metrics can be compared."""
    n_scorers = table["scorer"].nunique()
    counts = table.groupby("recording_id")["scorer"].nunique()
    return table[table["recording_id"].isin(counts.index[counts == n_scorers])]


def metrics_by_scorer(table: pd.DataFrame) -> dict[str, RegressionMetrics]:
    """Metrics of each scorer with bootstrap intervals over speakers; scorers with under three rows are left out."""
    from pipeline.metrics.regression import regression_metrics

    return {
        str(scorer): regression_metrics(
            rows["expert"].to_numpy(float), rows["predicted"].to_numpy(float), speakers=rows["speaker"].tolist()
        )
        for scorer, rows in table.groupby("scorer", sort=True)
        if len(rows) >= FEWEST_RECORDINGS
    }


def limits_of_agreement(table: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    """(bias, lower, upper) of each scorer after Bland and Altman, where they are defined."""
    from pipeline.metrics.human_ceiling import bland_altman

    limits = {scorer: bland_altman(rows["expert"], rows["predicted"]) for scorer, rows in table.groupby("scorer")}
    return {
        str(scorer): (agreement.bias, agreement.lower, agreement.upper)
        for scorer, agreement in limits.items()
        if agreement is not None
    }


def worst(table: pd.DataFrame, scorer: str, n: int = 10) -> pd.DataFrame:
    """The `n` rows of one scorer that lie furthest from the expert, the furthest first, with their `error`."""
    rows = table[table["scorer"] == scorer]
    rows = rows.assign(error=rows["predicted"] - rows["expert"])
    return rows.reindex(rows["error"].abs().sort_values(ascending=False, kind="stable").index)[:n]


def ratings_matrix(labels: pd.DataFrame, recording_ids: Collection[str]) -> pd.DataFrame:
    """Current scores as [recordings, raters], NaN where somebody did not rate; only the given recordings."""
    rated = labels[(labels["action"] == "rate") & labels["recording_id"].isin(recording_ids)]
    return rated.pivot(index="recording_id", columns="evaluator", values="score")


def human_ceiling(labels: pd.DataFrame, recording_ids: Collection[str]) -> dict[str, float] | None:
    """Each rater against the median of the others, averaged; None where no two raters share enough recordings."""
    from pipeline.metrics.human_ceiling import leave_one_out

    matrix = ratings_matrix(labels, recording_ids)
    agreement = leave_one_out(matrix.to_numpy(float)) if matrix.shape[1] > 1 else None
    return None if agreement is None else agreement.mean


def metric_rows(metrics: Mapping[str, RegressionMetrics], human: Mapping[str, float] | None) -> list[dict[str, str]]:
    """The table of metrics: one row per metric, one column per scorer with its interval and the target it reaches."""
    from pipeline.metrics.regression import TARGETS

    targets = {target.metric: target for target in TARGETS}
    rows = []
    for name, label, is_share in METRIC_LABELS:
        target = targets.get(name)
        row = {_("Metric"): _(label)}
        for scorer, figures in metrics.items():
            value = getattr(figures, name)
            row[scorer] = with_interval(value, figures.intervals.get(name), is_share=is_share)
            level = "missed" if target is None else target.reached(value)
            if level != "missed":  # not shown
                row[scorer] += f" · {_(LEVEL_LABELS[level])}"
        if human is not None:
            row[_("Human ceiling")] = number(human[name], is_share=is_share) if name in human else ""
        sign = "" if target is None else "<" if target.lower_is_better else ">"
        levels = [] if target is None else [target.acceptable, target.good, target.excellent]
        digits = 0 if target is None or target.lower_is_better else 2
        row[_("Target")] = f"{sign} " + " / ".join(i18n.number(level, digits) for level in levels) if levels else ""
        rows.append(row)
    return rows


def with_interval(value: float | None, interval: tuple[float, float] | None, *, is_share: bool = False) -> str:
    if interval is None:
        return number(value, is_share=is_share)
    low, high = (number(bound, is_share=is_share) for bound in interval)
    return f"{number(value, is_share=is_share)} {i18n.interval(low, high)}"


def number(value: float | None, *, is_share: bool = False) -> str:
    """Three significant places; `undefined` where a metric cannot be computed."""
    if value is None:
        return _("undefined")
    if is_share:
        return i18n.percent(value)
    return i18n.number(value, 2 if abs(value) < 10 else 1)
