"""When to retrain a model: its error is large, there are many new ratings, or it is old."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.deployment.model_registry import PROMPTS, Entry
from pipeline.deployment.prediction_log import Labelled
from pipeline.errors import JobError, UnknownNameError
from pipeline.i18n import _, ngettext, number
from pipeline.jobs.launcher import find, relaunch_training
from pipeline.labels.index import Index
from pipeline.monitoring.outcomes import last_errors
from pipeline.people.access import Identity
from pipeline.runs import RunDirectory
from pipeline.settings import Settings
from pipeline.tabular.prompts.store import Prompt, Store
from pipeline.tabular.prompts.synthesize import RATER as MADE_UP
from pipeline.times import as_text, utc_time

if TYPE_CHECKING:
    import pandas

MOST_ERROR = 15.0  # points, mean of the last 100 labelled predictions
FEWEST_ERRORS = 30  # with fewer the mean error says too little
NEW_LABELS = 1000
MOST_DAYS = 180


@dataclass(frozen=True)
class Criterion:
    """One reason to retrain, as text for people: its `value` now, the `limit`, and whether it is `met`; None where
    that is unknown."""

    name: str
    value: str
    limit: str
    met: bool | None


def criteria(
    settings: Settings, entry: Entry, labelled: Sequence[Labelled], now: datetime | None = None
) -> list[Criterion]:
    """For a deployed model; `labelled` are its predictions, oldest first."""
    errors = last_errors(labelled)
    n, mean_error = len(errors), float(errors.mean()) if len(errors) else 0.0
    made_at = _known_time(entry)
    fresh = new_labels(settings, entry, made_at)
    days = _days(made_at, now or datetime.now(UTC))
    return [
        Criterion(
            _("Mean error of the last 100 human scores"),
            ngettext("{error} points over {n} prediction", "{error} points over {n} predictions", n).format(
                error=number(mean_error, 1), n=number(n)
            ) if n else _("no human scores"),
            _("over {points} points").format(points=number(MOST_ERROR)),
            mean_error > MOST_ERROR if n >= FEWEST_ERRORS else None,
        ),
        Criterion(
            _("Ratings since training"),
            _no_count(entry) if fresh is None else number(fresh),
            _("{n} or more").format(n=number(NEW_LABELS)),
            None if fresh is None else fresh >= NEW_LABELS,
        ),
        Criterion(
            _("Age"),
            _("unknown") if days is None else ngettext("{n} day", "{n} days", days).format(n=number(days)),
            _("over {n} days").format(n=number(MOST_DAYS)),
            None if days is None else days > MOST_DAYS,
        ),
    ]  # fmt: skip


def new_labels(settings: Settings, entry: Entry, since: str) -> int | None:
    """Ratings by people, since then, of what a model was trained on; None where that is not here, or was a file that
    ratings do not reach."""
    if not since:
        return None
    if entry.place == PROMPTS:
        rated = _rated_prompts(settings, entry)
        return None if rated is None else sum(prompt.at > since for prompt in rated)
    labels = _ratings(settings, str(entry.made_from.get("trained_on", "")))
    if labels is None:
        return None
    return int(((labels["source"] == "human") & (labels["at"] > since)).sum())


def raters(settings: Settings, entry: Entry) -> dict[str, int] | None:
    """Ratings per rater of what a model was trained on, at that time; None where that is not here."""
    made_at = _known_time(entry)
    if entry.place == PROMPTS:
        rated = _rated_prompts(settings, entry)
        if rated is None:
            return None
        return dict(Counter(prompt.rater for prompt in rated if not made_at or prompt.at <= made_at))
    labels = _ratings(settings, str(entry.made_from.get("trained_on", "")))
    if labels is None:
        return None
    known = labels[labels["at"] <= made_at] if made_at else labels
    return {str(name): int(n) for name, n in known["evaluator"].value_counts().items()}


def _no_count(entry: Entry) -> str:
    if entry.made_from.get("source"):
        return _("unknown: it was trained on a file, which new ratings do not reach")
    return _("unknown: the training set is not on this machine")


def _rated_prompts(settings: Settings, entry: Entry) -> list[Prompt] | None:
    """The collected prompts that people scored; None for a model that was trained on a file."""
    if entry.made_from.get("source"):
        return None
    return [prompt for prompt in Store(settings).all() if prompt.score is not None and prompt.rater != MADE_UP]


def _ratings(settings: Settings, set_name: str) -> "pandas.DataFrame | None":
    if not set_name:
        return None
    try:
        labels = Index(settings).labels(set_name)
    except UnknownNameError:
        return None
    return labels[labels["action"] == "rate"]


def train_again(settings: Settings, entry: Entry, by: Identity | None = None) -> RunDirectory:
    """Repeat the training that made a model, on the labels of today. Raises JobError where its run is gone."""
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
