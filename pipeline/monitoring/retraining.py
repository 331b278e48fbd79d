"""When to train a model again: it errs too much, there is much more to learn from, or it has grown old."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.deployment.model_registry import Entry
from pipeline.deployment.prediction_log import Labelled
from pipeline.errors import JobError, UnknownNameError
from pipeline.jobs.launcher import find, relaunch_training
from pipeline.labels.index import Index
from pipeline.monitoring.outcomes import last_errors
from pipeline.people.access import Identity
from pipeline.runs import RunDirectory
from pipeline.settings import Settings
from pipeline.times import as_text, utc_time

if TYPE_CHECKING:
    import pandas

MOST_ERROR = 15.0  # points, mean of the last 100 labelled predictions
FEWEST_ERRORS = 30  # with fewer nothing is said of the error
NEW_LABELS = 1000
MOST_DAYS = 180


@dataclass(frozen=True)
class Reason:
    """One thing that is looked at: what it is now, from where on it speaks for training again, and whether it does;
    None where it cannot be told."""

    name: str
    value: str
    limit: str
    speaks_for_it: bool | None


def reasons(
    settings: Settings, entry: Entry, labelled: Sequence[Labelled], now: datetime | None = None
) -> list[Reason]:
    """For a model in use; `labelled` are its predictions, oldest first."""
    errors = last_errors(labelled)
    known = len(errors) >= FEWEST_ERRORS
    mean = f"{errors.mean():.1f} points over {len(errors)}" if len(errors) else "nothing is labelled"
    found = [
        Reason(
            "Mean error of the last 100 labelled predictions", mean, f"over {MOST_ERROR:.0f}",
            bool(errors.mean() > MOST_ERROR) if known else None,
        )
    ]  # fmt: skip
    made_at = _known_time(entry)
    fresh = new_labels(settings, str(entry.made_from.get("trained_on", "")), made_at)
    found.append(
        Reason(
            "Ratings since it was trained", "its recordings are not here" if fresh is None else f"{fresh:,}",
            f"{NEW_LABELS:,} or more", None if fresh is None else fresh >= NEW_LABELS,
        )
    )  # fmt: skip
    days = _days(made_at, now or datetime.now(UTC))
    found.append(
        Reason(
            "Age", "unknown" if days is None else f"{days} days", f"over {MOST_DAYS} days",
            None if days is None else days > MOST_DAYS,
        )
    )  # fmt: skip
    return found


def new_labels(settings: Settings, set_name: str, since: str) -> int | None:
    """Ratings by people of the set that a model was trained on, since then; None where the set is not here."""
    labels = _ratings(settings, set_name) if since else None
    if labels is None:
        return None
    return int(((labels["source"] == "human") & (labels["at"] > since)).sum())


def raters(settings: Settings, entry: Entry) -> dict[str, int] | None:
    """Who had rated how much of the set that a model was trained on, when it was; None where the set is not here."""
    labels = _ratings(settings, str(entry.made_from.get("trained_on", "")))
    if labels is None:
        return None
    made_at = _known_time(entry)
    known = labels[labels["at"] <= made_at] if made_at else labels
    return {str(name): int(n) for name, n in known["evaluator"].value_counts().items()}


def _ratings(settings: Settings, set_name: str) -> "pandas.DataFrame | None":
    if not set_name:
        return None
    try:
        labels = Index(settings).labels(set_name)
    except UnknownNameError:
        return None
    return labels[labels["action"] == "rate"]


def train_again(settings: Settings, entry: Entry, by: Identity | None = None) -> RunDirectory:
    """Start the training that made a model once more, on what is there now. Raises JobError where its run is gone."""
    return relaunch_training(settings, find(settings, entry.run or entry.model_id), by)


def can_train_again(settings: Settings, entry: Entry) -> bool:
    try:
        find(settings, entry.run or entry.model_id)
    except JobError:
        return False
    return True


def _days(made_at: str, now: datetime) -> int | None:
    return (now - utc_time(made_at)).days if made_at else None


def _known_time(entry: Entry) -> str:
    """When the model was made; "" where its card does not say, or not as a time."""
    try:
        return as_text(utc_time(entry.made_from.get("created_at")))
    except ValueError:
        return ""
