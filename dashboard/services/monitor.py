"""What the Monitor page asks for: the log of predictions by day, drift, errors, comparisons and the model registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from dashboard import identity
from dashboard.identity import asks
from dashboard.services.shared import settings
from pipeline.i18n import _
from pipeline.people.access import Action

if TYPE_CHECKING:
    from pipeline.deployment.model_registry import Entry
    from pipeline.deployment.prediction_log import Day, Labelled, Logged
    from pipeline.deployment.routing import Comparison
    from pipeline.monitoring.drift import Drift
    from pipeline.monitoring.inputs import FeatureDrift
    from pipeline.monitoring.outcomes import Outcome
    from pipeline.monitoring.retraining import Criterion
    from pipeline.parallel import Progress
    from pipeline.runs import RunListing

REGISTERED_KINDS = ("word", "speech", "table", "prompts")  # of runs, whose models can be deployed
NEWEST = 50
ALL_DAYS = 3650


@dataclass(frozen=True)
class Latency:
    """The bin that a percentile falls into: at most `ms`, or above it where `is_open`."""

    ms: float
    is_open: bool


@dataclass(frozen=True)
class Summary:
    """Totals over some days: predictions, the share that could not be scored (0-1), milliseconds per prediction on
    average and for 95 % of them, scores in equal bins of 0-100."""

    n: int
    refused_share: float
    mean_score: float | None
    mean_ms: float
    p95: Latency
    scores: tuple[int, ...]


@asks(Action.MONITOR)
def days(last: int) -> list[Day]:
    """The rollups of the last days, oldest first."""
    from pipeline.deployment.prediction_log import PredictionLog

    return PredictionLog(settings()).days(since_day(last))


def summary(days: Sequence[Day]) -> Summary:
    from pipeline.deployment.prediction_log import LATENCY_EDGES_MS

    n, n_scored = sum(day.n for day in days), sum(day.n_scored for day in days)
    cumulated = np.cumsum(np.sum([day.latencies for day in days], axis=0))
    index = int(np.searchsorted(cumulated, 0.95 * cumulated[-1]))
    is_open = index >= len(LATENCY_EDGES_MS)
    total = sum((day.mean_score or 0.0) * day.n_scored for day in days)
    return Summary(
        n=n,
        refused_share=1 - n_scored / n,
        mean_score=total / n_scored if n_scored else None,
        mean_ms=sum(day.mean_ms * day.n for day in days) / n,
        p95=Latency(LATENCY_EDGES_MS[-1 if is_open else index], is_open),
        scores=tuple(int(count) for count in np.sum([day.scores for day in days], axis=0)),
    )


def score_drift(days: Sequence[Day]) -> Drift:
    """The later half of the days against the earlier."""
    from pipeline.deployment.prediction_log import SCORE_BINS
    from pipeline.monitoring.drift import of_counts

    names = sorted({day.day for day in days})
    middle = names[len(names) // 2]
    before, after = np.zeros(SCORE_BINS, dtype=int), np.zeros(SCORE_BINS, dtype=int)
    for day in days:
        half = after if day.day >= middle else before
        half += np.array(day.scores)
    return of_counts("score", before.tolist(), after.tolist())


@asks(Action.MONITOR)
def newest(model: str) -> list[Logged]:
    """The newest predictions of a model."""
    from pipeline.deployment.prediction_log import PredictionLog

    return PredictionLog(settings()).newest(model, NEWEST)


@asks(Action.MONITOR)
def was_deployed(place: str) -> bool:
    """Whether a model was deployed there, so that it can be rolled back."""
    from pipeline.deployment.model_registry import is_deployed

    return is_deployed(settings(), place)


def since_day(last: int) -> str:
    return (datetime.now(UTC) - timedelta(days=last)).strftime("%Y-%m-%d")


@asks(Action.MONITOR)
def entries() -> list[Entry]:
    """Every model this installation knows."""
    from pipeline.deployment.model_registry import entries

    return entries(settings())


@asks(Action.MONITOR)
def entry(model_id: str) -> Entry | None:
    return next((entry for entry in entries() if entry.model_id == model_id), None)


@asks(Action.MONITOR)
def feature_drift(model_id: str, last: int, progress: Progress) -> FeatureDrift:
    """Each of the 57 features against what the model was trained on, the largest drift first."""
    from pipeline.monitoring.inputs import feature_drift

    return feature_drift(settings(), entry(model_id), model_id, since_day(last), progress)


@asks(Action.MONITOR)
def labelled(model_id: str, last: int) -> list[Labelled]:
    """Predictions of a model that people scored or commented on."""
    from pipeline.deployment.prediction_log import PredictionLog

    since = (datetime.now(UTC) - timedelta(days=last)).timestamp()
    return [logged for logged in PredictionLog(settings()).labelled(since) if logged.model_id == model_id]


@asks(Action.MONITOR)
def comparisons() -> list[Comparison]:
    from pipeline.deployment.routing import comparisons

    return comparisons(settings())


@asks(Action.MONITOR)
def outcome(comparison: Comparison) -> Outcome:
    from pipeline.deployment.prediction_log import PredictionLog
    from pipeline.monitoring.outcomes import compare

    log = PredictionLog(settings())
    compared = [logged for logged in log.labelled() if logged.comparison == comparison.id]
    return compare(compared, log.arm_counts(comparison.id))


@asks(Action.DEPLOY)
def begin_comparison(place: str, a: str, b: str, share_b: float) -> None:
    from pipeline.deployment.routing import begin

    begin(settings(), place, a, b, share_b, identity.allowed(Action.DEPLOY))


@asks(Action.DEPLOY)
def end_comparison(comparison: str) -> None:
    from pipeline.deployment.routing import end

    end(settings(), comparison, identity.allowed(Action.DEPLOY))


@asks(Action.MONITOR)
def shadows() -> dict[str, str]:
    from pipeline.deployment.routing import shadows

    return shadows(settings())


@asks(Action.DEPLOY)
def set_shadow(place: str, model_id: str | None) -> None:
    from pipeline.deployment.routing import set_shadow

    set_shadow(settings(), place, model_id, identity.allowed(Action.DEPLOY))


@asks(Action.DEPLOY)
def add_candidate(run_id: str) -> str:
    """Register the model of a finished run; returns its id."""
    from pipeline.deployment.model_registry import add_candidate
    from pipeline.jobs.launcher import find

    return add_candidate(
        settings(), find(settings(), run_id).path / "model", identity.allowed(Action.DEPLOY), run_id
    ).model_id


@asks(Action.MONITOR)
def runs() -> RunListing:
    """Every training, newest first, and the folders among them that cannot be read."""
    from pipeline.runs import scan_runs

    return scan_runs(settings().runs_root)


@asks(Action.MONITOR)
def candidates() -> list[str]:
    """Finished runs whose models are not registered yet."""
    registered = entries()
    known = {entry.run for entry in registered} | {entry.model_id for entry in registered}
    return [
        run.directory.id
        for run in runs().records
        if run.state.kind in REGISTERED_KINDS and run.state.status == "finished" and run.directory.id not in known
        and (run.directory.path / "model").is_dir()
    ]  # fmt: skip


@asks(Action.DEPLOY)
def deploy(entry: Entry) -> None:
    from pipeline.deployment.model_registry import make_live
    from pipeline.errors import ModelError

    if entry.folder is None:
        raise ModelError(_("The files of {model} are gone. Train the model again.").format(model=entry.model_id))
    make_live(settings(), entry.folder, identity.allowed(Action.DEPLOY), entry.run)


@asks(Action.DEPLOY)
def roll_back(place: str) -> str | None:
    from pipeline.deployment.model_registry import roll_back

    return roll_back(settings(), place, identity.allowed(Action.DEPLOY))


@asks(Action.DEPLOY)
def retire(model_id: str) -> None:
    from pipeline.deployment.model_registry import retire

    retire(settings(), model_id, identity.allowed(Action.DEPLOY))


@asks(Action.MONITOR)
def retraining_criteria(entry: Entry) -> list[Criterion]:
    """Whether to retrain the model."""
    from pipeline.monitoring.retraining import criteria

    return criteria(settings(), entry, labelled(entry.model_id, ALL_DAYS))


@asks(Action.MONITOR)
def raters(entry: Entry) -> dict[str, int] | None:
    """How many ratings of its training set each rater had given."""
    from pipeline.monitoring.retraining import raters

    return raters(settings(), entry)


@asks(Action.MONITOR)
def can_train_again(entry: Entry) -> bool:
    from pipeline.monitoring.retraining import can_train_again

    return can_train_again(settings(), entry)


@asks(Action.TRAIN)
def train_again(entry: Entry) -> str:
    """Returns the id of the run that was started."""
    from pipeline.monitoring.retraining import train_again

    return train_again(settings(), entry, identity.allowed(Action.TRAIN)).id
