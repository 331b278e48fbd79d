"""Drills that come back at growing intervals, scheduled by FSRS (the package `fsrs`).

    <attempts root>/<learner>/drills.json    {learner, drills: {id: the card, as FSRS writes it}}

Kept only where the learner lets us keep their scores.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.errors import AttemptError
from pipeline.i18n import N_
from pipeline.locks import locked
from pipeline.people.access import Identity
from pipeline.people.people import permit_own
from pipeline.practice.attempts import learner_folder
from pipeline.practice.consent import UNDER_THE_NAME, consent_of
from pipeline.settings import Settings
from pipeline.write_errors import not_written

DRILLS = "drills.json"
# Of the answers in a drill that were right, at least: FSRS's easy, good, hard; less is "again".
EASY, GOOD, HARD = 1.0, 0.75, 0.5


@dataclass(frozen=True)
class Review:
    """A drill that was done before, and when it is due again (UTC)."""

    drill: str
    due: datetime


def reviews(settings: Settings, learner: str, by: Identity | None = None) -> list[Review]:
    """All drills that were done, the most urgent first."""
    permit_own(settings, by, learner)
    from fsrs import Card

    planned = []
    for drill, raw in _read(settings, learner).items():
        with suppress(ValueError, KeyError, TypeError):  # one that cannot be read begins again when it is done
            planned.append(Review(drill, Card.from_dict(raw).due.astimezone(UTC)))
    return sorted(planned, key=lambda review: review.due)


def record(
    settings: Settings, learner: str, drill: str, share_right: float, by: Identity | None = None,
    now: datetime | None = None,
) -> Review | None:  # fmt: skip
    """Plan a drill anew after it was done with that share (0-1) of right answers. None where nothing may be kept."""
    if consent_of(settings, learner, by) not in UNDER_THE_NAME:
        return None
    from fsrs import Card, Scheduler

    file = _file(settings, learner)
    with locked(settings, file, AttemptError):
        drills = _read(settings, learner)
        card = Card()
        with suppress(ValueError, KeyError, TypeError):
            card = Card.from_dict(drills[drill])
        # A drill is done once a day at most: without the steps of minutes that flash cards begin with.
        scheduler = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
        card, _log = scheduler.review_card(card, _rating(share_right), now or datetime.now(UTC))
        try:
            artifacts.write_json(file, {"learner": learner, "drills": {**drills, drill: card.to_dict()}})
        except OSError as error:
            raise AttemptError(not_written(N_("The drill could not be saved ({reason})."), file, error)) from error
    return Review(drill, card.due)


def _rating(share_right: float) -> Any:
    from fsrs import Rating

    if share_right >= EASY:
        return Rating.Easy
    return Rating.Good if share_right >= GOOD else Rating.Hard if share_right >= HARD else Rating.Again


def _read(settings: Settings, learner: str) -> dict[str, Any]:
    """A file that cannot be read counts as none."""
    try:
        raw = artifacts.read_json(_file(settings, learner))["drills"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return dict(raw) if isinstance(raw, Mapping) else {}


def _file(settings: Settings, learner: str) -> Path:
    return learner_folder(settings, learner) / DRILLS
