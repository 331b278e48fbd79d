"""Classes of a teacher, and the learners who let the teacher see their progress."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.identity import asks
from dashboard.services.learner import acting_as, has_pin, may_have_pin
from dashboard.services.shared import settings
from pipeline.i18n import N_
from pipeline.people.access import Action
from pipeline.practice import classes
from pipeline.practice.pin import PinError

if TYPE_CHECKING:
    from pipeline.people.access import Identity
    from pipeline.practice.classes import Member, Membership, SchoolClass, Share
    from pipeline.practice.progress import Sound


@dataclass(frozen=True)
class Progress:
    """Of one member: attempts that count, their mean score, the last one's time (ISO 8601), and the sounds."""

    member: Member
    n: int
    mean: float | None
    last: str
    sounds: list[Sound]


@dataclass(frozen=True)
class ClassSound:
    """A sound over the class: the mean of its learners' means, and how many of them are not good at it yet."""

    phone: str
    mean: float
    n_learners: int
    n_weak: int


@asks(Action.LEAD_CLASSES)
def needs_pin(teacher: str) -> bool:
    """Whether a teacher has still to set a PIN: without a sign-in or one, whoever knows the name, which every learner
    of the class does, would see what the others gave the teacher alone."""
    return may_have_pin() and not has_pin(teacher)


@asks(Action.LEAD_CLASSES)
def mine(teacher: str) -> list[SchoolClass]:
    return classes.classes_of(settings(), _leading(teacher))


@asks(Action.LEAD_CLASSES)
def make(name: str, teacher: str) -> SchoolClass:
    return classes.make_class(settings(), name, _leading(teacher))


@asks(Action.LEAD_CLASSES)
def delete(key: str, teacher: str) -> None:
    classes.delete_class(settings(), key, _leading(teacher))


@asks(Action.LEAD_CLASSES)
def progress(key: str, teacher: str) -> list[Progress]:
    from pipeline.practice.progress import by_sound

    shown = []
    for member in classes.members(settings(), key, _leading(teacher)):
        scores = [attempt.overall for attempt in member.attempts if attempt.overall is not None]
        last = member.attempts[-1].at if member.attempts else ""
        mean = sum(scores) / len(scores) if scores else None
        shown.append(Progress(member, len(scores), mean, last, by_sound(member.attempts)))
    return shown


@asks(Action.LEAD_CLASSES)
def sounds(members: list[Progress]) -> list[ClassSound]:
    """The weakest first."""
    from pipeline.practice.progress import MASTERED

    means: dict[str, list[float]] = defaultdict(list)
    for member in members:
        for sound in member.sounds:
            means[sound.phone].append(sound.mean)
    rows = [
        ClassSound(phone, sum(values) / len(values), len(values), sum(value < MASTERED for value in values))
        for phone, values in means.items()
    ]
    return sorted(rows, key=lambda row: row.mean)


@asks(Action.PRACTISE)
def invitation(key: str, learner: str) -> SchoolClass | None:
    """The class of a link, where the learner has not answered yet."""
    invited = classes.class_of(settings(), key)
    if invited is None or any(known.school_class.id == key for known in memberships(learner)):
        return None
    return invited


@asks(Action.PRACTISE)
def memberships(learner: str) -> list[Membership]:
    return classes.memberships(settings(), learner, acting_as(learner))


@asks(Action.PRACTISE)
def join(learner: str, key: str, share: Share) -> None:
    classes.join(settings(), learner, key, share, acting_as(learner))


@asks(Action.PRACTISE)
def leave(learner: str, key: str) -> None:
    classes.leave(settings(), learner, key, acting_as(learner))


def _leading(teacher: str) -> Identity:
    """Raises PinError for a teacher who has still to set one."""
    me = acting_as(teacher)
    if needs_pin(me.name):
        raise PinError(N_("Set a PIN first: a class shows what its learners give their teacher alone."))
    return me
