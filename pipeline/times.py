"""Times as they stand in files: ISO 8601 in UTC, to the millisecond, so that their text sorts as they do."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.i18n import N_, Message

# Clocks may be years ahead, and what was written then stays; what lies further ahead no clock wrote.
FURTHEST_AHEAD = timedelta(days=36_525)


def now_iso() -> str:
    return as_text(datetime.now(UTC))


def as_text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def has_zone(value: str) -> bool:
    """Whether a time that `utc_time` takes says how far it is from UTC."""
    return datetime.fromisoformat(value).tzinfo is not None


def utc_time(value: Any) -> datetime:
    """What a file gives as a time, in UTC; without an offset it is UTC already.

    Raises ValueError, in words, for what is no time, and for one that lies more than a hundred years ahead.
    """
    try:
        if not isinstance(value, str):
            raise ValueError
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            Message(N_("expected a time such as 2026-01-31T12:00:00+00:00, got {value}"), value=repr(value))
        ) from None
    if moment > datetime.now(UTC) + FURTHEST_AHEAD:
        raise ValueError(Message(N_("the time {value} lies too far in the future"), value=repr(value)))
    return moment
