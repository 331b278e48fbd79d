"""What an append-only rating history says now."""

from collections.abc import Iterable

from pipeline.records import RatingAction, RatingEvent


def current_ratings(events: Iterable[RatingEvent]) -> dict[str, RatingEvent]:
    """The event that counts for each evaluator: the last that none of their later UNDOs takes back.

    Each UNDO takes back one event, so that undoing twice after two ratings leaves none.
    """
    standing: dict[str, list[RatingEvent]] = {}
    for event in events:
        own = standing.setdefault(event.evaluator, [])
        if event.action is not RatingAction.UNDO:
            own.append(event)
        elif own:
            own.pop()
    return {evaluator: own[-1] for evaluator, own in standing.items() if own}
