"""Comments on a recording, and replies to them: kept in its label file under `comments`, append-only.

Raters stay blind to each other: a thread is seen by reviewers and by whoever began it, or by the one rater that a
reviewer began it for (`audience`). Nobody's text is ever read as markup.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.errors import LabelError
from pipeline.i18n import N_
from pipeline.labels.result_file import ResultFile
from pipeline.people.access import Action, Identity
from pipeline.people.names import same_person
from pipeline.times import as_text, utc_time

KEY = "comments"


@dataclass(frozen=True)
class Comment:
    """One comment. `at` is ISO 8601 in UTC; `reply_to` is the number of the thread's first comment in the file, None
    for a first comment; `audience` is the rater for whom a reviewer began the thread, "" for reviewers alone."""

    author: str
    at: str
    text: str
    reply_to: int | None = None
    audience: str = ""


@dataclass(frozen=True)
class Thread:
    """A comment with its replies, oldest first; `number` is the first comment's in the file."""

    number: int
    comments: tuple[Comment, ...]

    @property
    def first(self) -> Comment:
        return self.comments[0]


def comments_of(result: ResultFile) -> dict[int, Comment]:
    """All of a label file by their numbers, oldest first. What is no comment (another program may use the key) is
    passed over."""
    comments: dict[int, Comment] = {}
    listed = result.extra.get(KEY)
    for number, raw in enumerate(listed if isinstance(listed, list) else ()):
        comment = _from_json(raw)
        if comment is None:
            continue
        first = None if comment.reply_to is None else comments.get(comment.reply_to)
        if comment.reply_to is None or (first is not None and first.reply_to is None):
            comments[number] = comment
    return comments


def with_comment(extra: Mapping[str, Any], comment: Comment) -> dict[str, Any]:
    """The foreign keys of a label file with one more comment. Raises LabelError where another program uses the key."""
    listed = extra.get(KEY, [])
    if not isinstance(listed, list):
        raise LabelError(N_("The label file has “{key}” of another program; no comment can be kept in it."), key=KEY)
    plain = {key: value for key, value in asdict(comment).items() if value not in (None, "")}
    return {**extra, KEY: [*listed, plain]}


def threads(comments: Mapping[int, Comment]) -> list[Thread]:
    """In the order in which they were begun."""
    listed: dict[int, list[Comment]] = {}
    for number, comment in comments.items():
        listed.setdefault(number if comment.reply_to is None else comment.reply_to, []).append(comment)
    return [Thread(number, tuple(thread)) for number, thread in listed.items()]


def is_visible(thread: Thread, identity: Identity) -> bool:
    """Whether this person may see the thread, and reply in it."""
    return identity.may(Action.SEE_RATINGS) or any(
        same_person(name, identity.name) for name in (thread.first.author, thread.first.audience) if name
    )


def _from_json(raw: Any) -> Comment | None:
    try:
        first = raw.get("reply_to")
        if not raw["author"] or not raw["text"] or isinstance(first, bool) or not isinstance(first, int | None):
            return None
        at = as_text(utc_time(raw["at"]))
        return Comment(str(raw["author"]), at, str(raw["text"]), first, str(raw.get("audience") or ""))
    except (AttributeError, KeyError, ValueError, TypeError):
        return None
