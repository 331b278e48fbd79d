"""What an append-only rating history says now."""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.i18n import N_
from pipeline.records import REVIEWS, Purpose, RatingAction, RatingEvent

LATER = N_("Later")  # the reason of a skip after which the recording comes back to the same expert
GIVEN_AGAIN = (RatingAction.RETURN, RatingAction.REASSIGN)
NOT_COUNTED = (Purpose.CALIBRATION, Purpose.REPEAT)


def standing_events(events: Iterable[RatingEvent]) -> list[RatingEvent]:
    """Those that no later UNDO of their evaluator takes back, in order. Each UNDO takes back one event, the
    last with the action that it names, so that undoing twice after two ratings leaves none. Skips and flags end at a
    RETURN or REASSIGN that stands: the recording is as if nobody had put it aside."""
    kept: list[RatingEvent] = []
    for event in events:
        if event.action is not RatingAction.UNDO:
            kept.append(event)
            continue
        last = next((k for k in reversed(range(len(kept))) if _takes_back(event, kept[k])), None)
        if last is not None:
            del kept[last]
    returned = max((n for n, event in enumerate(kept) if event.action in GIVEN_AGAIN), default=0)
    put_aside = (RatingAction.SKIP, RatingAction.FLAG)
    return [event for n, event in enumerate(kept) if n >= returned or event.action not in put_aside]


def _takes_back(undo: RatingEvent, event: RatingEvent) -> bool:
    return event.evaluator == undo.evaluator and undo.undoes in (None, event.action)


def current_ratings(events: Iterable[RatingEvent]) -> dict[str, RatingEvent]:
    """The rating, skip or flag that counts for each evaluator: the last that stands."""
    return {
        event.evaluator: event
        for event in standing_events(events)
        if event.action not in REVIEWS and event.purpose not in NOT_COUNTED
    }


def slot(event: RatingEvent) -> tuple[str, ...]:
    """Of the events of one slot the last one stands for the others: an evaluator's rating, skip or flag, apart from
    their calibrations and their repeats, and a recording's decision or exclusion, whoever gave it. Each request
    for a further rating, and each return or reassignment of what was set aside, has a slot of its own."""
    if event.action in (RatingAction.REQUEST, *GIVEN_AGAIN):
        return (str(event.action), event.evaluator, event.at)
    if event.action in REVIEWS:
        return ("verdict",)
    return ("rating", event.evaluator, str(event.purpose) if event.purpose in NOT_COUNTED else "")


def lasting_events(events: Iterable[RatingEvent]) -> list[RatingEvent]:
    """What stands of a history, in order: the last event of each slot."""
    newest_first: dict[tuple[str, ...], RatingEvent] = {}
    for event in reversed(standing_events(events)):
        newest_first.setdefault(slot(event), event)
    return list(newest_first.values())[::-1]


@dataclass(frozen=True)
class Review:
    """What reviewers said: the last decision or exclusion that stands, how many further ratings were asked for, and the
    experts that alone are given the recording (none: it is for everybody)."""

    verdict: RatingEvent | None
    requested: int
    assigned: tuple[str, ...] = ()


def review(events: Iterable[RatingEvent]) -> Review:
    standing = standing_events(events)
    verdicts = [e for e in standing if e.action in (RatingAction.DECIDE, RatingAction.EXCLUDE)]
    requested = sum(event.action is RatingAction.REQUEST for event in standing)
    given_again = [e for e in standing if e.action in GIVEN_AGAIN]
    return Review(verdicts[-1] if verdicts else None, requested, given_again[-1].experts if given_again else ())
