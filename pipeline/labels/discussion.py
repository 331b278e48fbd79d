"""What people say of a recording to each other: who may read, begin and answer which thread.

Reviewers and researchers see every thread. A rater sees those that they began or that were begun for them, so that
nobody learns what other raters think before, or after, they have rated.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from pipeline.errors import AccessError, LabelError
from pipeline.i18n import N_
from pipeline.labels.comments import Comment, Thread, is_visible, threads
from pipeline.labels.leases import Leases
from pipeline.labels.store import LabelStore
from pipeline.people.access import Action, Identity, Role
from pipeline.people.people import People
from pipeline.records import Recording
from pipeline.settings import Settings
from pipeline.text import is_showable
from pipeline.times import as_text, now_iso

MAX_LENGTH = 2000


class Discussion:
    """As one person has it. Raises AccessError for who may neither rate nor see ratings."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        identity.require(Action.RATE, Action.SEE_RATINGS)
        self._settings, self._me = settings, identity
        self._people, self._store = People(settings), LabelStore(settings)

    def threads(self, recording: Recording, *, while_rating: bool = False) -> Sequence[Thread]:
        """Those that this person may see, in the order in which they were begun; `while_rating`, whatever their roles,
        only what a rater sees, who is blind to the others; of what is open to them as a repeat, only what was begun
        meanwhile."""
        since = Leases(self._settings).repeats_of(self._me.name).get(recording.id) if while_rating else None
        begun = "" if since is None else as_text(datetime.fromtimestamp(since, UTC))
        me = Identity(self._me.name, frozenset({Role.EXPERT})) if while_rating else self._me
        return [
            thread
            for thread in threads(self._store.comments(recording))
            if is_visible(thread, me) and thread.first.at >= begun
        ]

    def begin(self, recording: Recording, text: str, audience: str = "") -> None:
        """Begin a thread. A rater's is for reviewers; who sees all ratings can begin one for a rater (`audience`)."""
        if audience:
            self._me.require(Action.SEE_RATINGS)
            audience = self._people.spelling(audience)
        self._keep(recording, Comment(self._me.name, now_iso(), _checked(text), None, audience))

    def reply(self, recording: Recording, number: int, text: str) -> None:
        """Answer in the thread that begins with comment `number`. Raises AccessError for one that is not theirs to
        see."""
        if number not in {thread.number for thread in self.threads(recording)}:
            raise AccessError(N_("There is no comment {number} for you to answer."), number=number)
        self._keep(recording, Comment(self._me.name, now_iso(), _checked(text), number))

    def _keep(self, recording: Recording, comment: Comment) -> None:
        self._store.comment(recording, comment, self._me)


def _checked(text: str) -> str:
    """Raises LabelError for an empty, too long or unprintable comment."""
    cleaned = text.strip()
    if not cleaned or len(cleaned) > MAX_LENGTH or not is_showable(cleaned):
        raise LabelError(
            N_("A comment has 1 to {max_length} printable characters, got {n}."), max_length=MAX_LENGTH, n=len(cleaned)
        )
    return cleaned
