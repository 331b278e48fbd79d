"""What the Monitor page asks for: rollups of the log of predictions, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard import identity
from dashboard.identity import asks
from dashboard.services.shared import settings
from pipeline.people.access import Action

if TYPE_CHECKING:
    from pipeline.deployment.model_registry import Entry
    from pipeline.deployment.prediction_log import Day, Labelled
    from pipeline.deployment.routing import Comparison
    from pipeline.monitoring.drift import Drift
    from pipeline.monitoring.outcomes import Outcome
    from pipeline.monitoring.retraining import Reason
    from pipeline.parallel import Progress
    from pipeline.runs import RunListing

NEWEST = 50


@dataclass(frozen=True)
class Summary:
    """Of some days: `p95_words` is the edge of the bin that the 95th percentile of the latency falls into."""

    n: int
    refused_share: float
    mean_score: float | None
    p95_words: str
    scores: tuple[int, ...]


@asks(Action.MONITOR)
def days(last: int) -> list[Day]:
    from pipeline.deployment.prediction_log import PredictionLog

    return PredictionLog(settings()).days(since_day(last))


def summary(own: Sequence[Day]) -> Summary:
    from pipeline.deployment.prediction_log import LATENCY_EDGES_MS

    n, n_scored = sum(day.n for day in own), sum(day.n_scored for day in own)
    latencies = np.cumsum(np.sum([day.latencies for day in own], axis=0))
    place = int(np.searchsorted(latencies, 0.95 * latencies[-1]))
    words = f"{LATENCY_EDGES_MS[place]:.0f} ms" if place < len(LATENCY_EDGES_MS) else f"> {LATENCY_EDGES_MS[-1]:.0f} ms"
    total = sum((day.mean_score or 0.0) * day.n_scored for day in own)
    scores = tuple(int(count) for count in np.sum([day.scores for day in own], axis=0))
    return Summary(n, 1 - n_scored / n, total / n_scored if n_scored else None, words, scores)


def score_drift(own: Sequence[Day]) -> Drift:
    """The later half of the days against the earlier."""
    from pipeline.deployment.prediction_log import SCORE_BINS
    from pipeline.monitoring.drift import of_counts

    names = sorted({day.day for day in own})
    middle = names[len(names) // 2]
    sides = [[day.scores for day in own if (day.day >= middle) is later] for later in (False, True)]
    before, after = (np.sum(side, axis=0) if side else np.zeros(SCORE_BINS, dtype=int) for side in sides)
    return of_counts("score", before, after)


@asks(Action.MONITOR)
def newest(model: str) -> list[dict[str, Any]]:
    from pipeline.deployment.prediction_log import PredictionLog

    return [
        {
            "At (UTC)": one.at[:19].replace("T", " "), "Text": one.text, "Score": _rounded(one.overall, 1),
            "Confidence": _rounded(one.confidence, 2),
            "Milliseconds": round(one.milliseconds), "People said": _rounded(one.people, 1),
        }
        for one in PredictionLog(settings()).newest(model, NEWEST)
    ]  # fmt: skip


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


@asks(Action.MONITOR)
def was_deployed(place: str) -> bool:
    """Whether a model was put there, so that one can go back."""
    return (settings().deployed_root / place).exists()


def since_day(last: int) -> str:
    return (datetime.now(UTC) - timedelta(days=last)).strftime("%Y-%m-%d")


@asks(Action.MONITOR)
def entries() -> list[Entry]:
    """Every model this installation knows."""
    from pipeline.deployment.model_registry import entries

    return entries(settings())


@asks(Action.MONITOR)
def entry(model_id: str) -> Entry | None:
    return next((one for one in entries() if one.model_id == model_id), None)


@asks(Action.MONITOR)
def feature_drift(model_id: str, last: int, progress: Progress) -> tuple[list[Drift], str]:
    """Each of the 57 features against what the model was trained on, the largest drift first; and against what."""
    from pipeline.monitoring.inputs import feature_drift

    return feature_drift(settings(), entry(model_id), model_id, since_day(last), progress)


@asks(Action.MONITOR)
def labelled(model_id: str, last: int) -> list[Labelled]:
    """Predictions of a model that people said something of."""
    from pipeline.deployment.prediction_log import PredictionLog

    since = (datetime.now(UTC) - timedelta(days=last)).timestamp()
    return [one for one in PredictionLog(settings()).labelled(since) if one.model_id == model_id]


@asks(Action.MONITOR)
def comparisons() -> list[Comparison]:
    from pipeline.deployment.routing import comparisons

    return comparisons(settings())


@asks(Action.MONITOR)
def outcome(comparison: Comparison) -> Outcome:
    from pipeline.deployment.prediction_log import PredictionLog
    from pipeline.monitoring.outcomes import compare

    log = PredictionLog(settings())
    own = [one for one in log.labelled() if one.comparison == comparison.id]
    return compare(own, log.arm_counts(comparison.id))


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
    known = {one.run for one in entries()} | {one.model_id for one in entries()}
    return [
        run.directory.id
        for run in runs().records
        if run.state.kind in ("word", "speech") and run.state.status == "finished" and run.directory.id not in known
        and (run.directory.path / "model").is_dir()
    ]  # fmt: skip


@asks(Action.DEPLOY)
def make_live(one: Entry) -> None:
    from pipeline.deployment.model_registry import make_live
    from pipeline.errors import ModelError

    if one.folder is None:
        raise ModelError(f"The files of {one.model_id} are gone; train it again.")
    make_live(settings(), one.folder, identity.allowed(Action.DEPLOY), one.run)


@asks(Action.DEPLOY)
def roll_back(place: str) -> str | None:
    from pipeline.deployment.model_registry import roll_back

    return roll_back(settings(), place, identity.allowed(Action.DEPLOY))


@asks(Action.DEPLOY)
def retire(model_id: str) -> None:
    from pipeline.deployment.model_registry import retire

    retire(settings(), model_id, identity.allowed(Action.DEPLOY))


@asks(Action.MONITOR)
def reasons(one: Entry) -> list[Reason]:
    """What speaks for training it again."""
    from pipeline.monitoring.retraining import reasons

    return reasons(settings(), one, labelled(one.model_id, 3650))


@asks(Action.MONITOR)
def raters(one: Entry) -> dict[str, int] | None:
    """Who had rated how much of what it was trained on."""
    from pipeline.monitoring.retraining import raters

    return raters(settings(), one)


@asks(Action.MONITOR)
def can_train_again(one: Entry) -> bool:
    from pipeline.monitoring.retraining import can_train_again

    return can_train_again(settings(), one)


@asks(Action.TRAIN)
def train_again(one: Entry) -> str:
    """Returns the id of the run that was started."""
    from pipeline.monitoring.retraining import train_again

    return train_again(settings(), one, identity.allowed(Action.TRAIN)).id
