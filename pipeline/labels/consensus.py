"""One score from several ratings: derived, never typed over."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.labels.history import current_ratings, review
from pipeline.records import RatingAction, RatingEvent, RatingSource

# People outrank a synthesiser's known fault: once somebody has listened, only those who listened count.
PRECEDENCE = ((RatingSource.HUMAN, RatingSource.CORPUS), (RatingSource.SYNTHETIC,))


@dataclass(frozen=True)
class Consensus:
    """The median (0-100) over `n` current ratings; `spread` is the highest minus the lowest."""

    score: float
    n: int
    spread: float
    evaluators: tuple[str, ...]
    source: RatingSource
    method: str = "median"


def consensus(events: Iterable[RatingEvent]) -> Consensus | None:
    """A reviewer's decision where there is one; None where nobody's current event is a rating, or a reviewer excluded
    the recording."""
    events = tuple(events)
    verdict = review(events).verdict
    if verdict is not None and verdict.action is RatingAction.EXCLUDE:
        return None
    derived = _derived(events)
    if verdict is None or verdict.score is None:
        return derived
    decided = f"decided by {verdict.evaluator}"
    if derived is None:
        return Consensus(verdict.score, 0, 0.0, (verdict.evaluator,), RatingSource.HUMAN, decided)
    return replace(derived, score=verdict.score, source=RatingSource.HUMAN, method=decided)


def _derived(events: Iterable[RatingEvent]) -> Consensus | None:
    current = current_ratings(events)
    rated = {who: e for who, e in current.items() if e.action is RatingAction.RATE and e.score is not None}
    for sources in PRECEDENCE:
        counted = {who: e for who, e in rated.items() if e.source in sources}
        if counted:
            scores = [e.score for e in counted.values() if e.score is not None]
            return Consensus(
                score=round(statistics.median(scores), 3),
                n=len(scores),
                spread=round(max(scores) - min(scores), 3),
                evaluators=tuple(sorted(counted)),
                source=min((e.source for e in counted.values()), key=sources.index),
            )
    return None
