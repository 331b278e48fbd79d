"""What pages ask for about comments on a recording."""

from collections.abc import Sequence

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from pipeline.labels.comments import Thread
from pipeline.labels.discussion import Discussion
from pipeline.people.access import Action
from pipeline.records import Recording


@asks(Action.RATE, Action.SEE_RATINGS)
def threads_of(recording: Recording, *, while_rating: bool = False) -> Sequence[Thread]:
    """Those that whoever sits here may see; `while_rating`, those that a rater may."""
    return _discussion().threads(recording, while_rating=while_rating)


@asks(Action.RATE, Action.SEE_RATINGS)
def begin(recording: Recording, text: str, audience: str = "") -> None:
    _discussion().begin(recording, text, audience)


@asks(Action.RATE, Action.SEE_RATINGS)
def reply(recording: Recording, number: int, text: str) -> None:
    _discussion().reply(recording, number, text)


def _discussion() -> Discussion:
    return Discussion(shared.settings(), identity.allowed(Action.RATE, Action.SEE_RATINGS))
