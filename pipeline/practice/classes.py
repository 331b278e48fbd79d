"""Classes: learners who follow a teacher's link and let the teacher see their progress.

    <data root>/classes/<id>.json                {id, name, teacher, made_at}
    <attempts root>/<learner>/classes.json       {learner, classes: {id: {share, since}}}

The id is random and stands in the link: who has the link can join. What a teacher sees is the learner's to give, class
by class, from the moment when it was given, and to take back: scores, or recordings too.
"""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.errors import AccessError, AttemptError
from pipeline.i18n import N_
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.names import same_person
from pipeline.people.people import permit, permit_own
from pipeline.practice.attempts import Attempt, attempts_below, learner_folder, learner_of
from pipeline.settings import Settings
from pipeline.times import now_iso, utc_time
from pipeline.write_errors import not_written

MEMBERSHIPS = "classes.json"
MAX_NAME_LENGTH = 80


class Share(StrEnum):
    """What a learner lets the teacher of a class see."""

    SCORES = "scores"
    RECORDINGS = "recordings"


@dataclass(frozen=True)
class SchoolClass:
    id: str
    name: str
    teacher: str


@dataclass(frozen=True)
class Membership:
    """`since` is when the learner agreed: what was before stays theirs."""

    school_class: SchoolClass
    share: Share
    since: datetime


@dataclass(frozen=True)
class Member:
    """A learner of a class with the attempts that the teacher may see, oldest first; without recordings where those
    were not given."""

    learner: str
    share: Share
    attempts: tuple[Attempt, ...]


def make_class(settings: Settings, name: str, by: Identity) -> SchoolClass:
    """Raises AttemptError for a name that is none, AccessError for who may not lead classes."""
    by.require(Action.LEAD_CLASSES)
    cleaned = " ".join(name.split())
    if not (0 < len(cleaned) <= MAX_NAME_LENGTH and cleaned.isprintable()):
        raise AttemptError(N_("A class's name has 1 to {most} printable characters."), most=MAX_NAME_LENGTH)
    made = SchoolClass(secrets.token_urlsafe(9), cleaned, by.name)
    artifacts.write_json(_file(settings, made.id), {**vars(made), "made_at": now_iso()})
    return made


def class_of(settings: Settings, key: str) -> SchoolClass | None:
    """By its id; None where there is none, or its file cannot be read. Its name and teacher are for who has the
    link."""
    if not key.replace("-", "").replace("_", "").isalnum():
        return None
    try:
        raw = artifacts.read_json(_file(settings, key))
        return SchoolClass(key, str(raw["name"]), str(raw["teacher"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def classes_of(settings: Settings, by: Identity) -> list[SchoolClass]:
    """Those that they lead, by name. Raises AccessError for who may not lead classes."""
    by.require(Action.LEAD_CLASSES)
    known = (class_of(settings, file.stem) for file in sorted((settings.data_root / "classes").glob("*.json")))
    return sorted(
        (known_class for known_class in known if known_class is not None and same_person(known_class.teacher, by.name)),
        key=lambda known_class: known_class.name.casefold(),
    )


def delete_class(settings: Settings, key: str, by: Identity) -> None:
    """The learners keep all that is theirs. Raises AccessError for who does not lead it."""
    _led(settings, key, by)
    _file(settings, key).unlink(missing_ok=True)


def join(settings: Settings, learner: str, key: str, share: Share, by: Identity | None = None) -> None:
    """Let the teacher of a class see progress from now on; what was given before stays. Raises AttemptError for a class
    that is gone."""
    permit_own(settings, by, learner)
    if class_of(settings, key) is None:
        raise AttemptError(N_("This class does not exist any more. Ask your teacher for a new link."))
    _change(settings, learner, key, {"share": str(share), "since": now_iso()})


def leave(settings: Settings, learner: str, key: str, by: Identity | None = None) -> None:
    permit_own(settings, by, learner)
    _change(settings, learner, key, None)


def memberships(settings: Settings, learner: str, by: Identity | None = None) -> list[Membership]:
    """Of the classes that still exist."""
    permit_own(settings, by, learner)
    return _memberships(settings, learner_folder(settings, learner))


def members(settings: Settings, key: str, by: Identity) -> list[Member]:
    """By name. Raises AccessError for who does not lead the class: nobody else sees who is in it."""
    led = _led(settings, key, by)
    joined = []
    for file in sorted(settings.attempts_root.glob(f"*/{MEMBERSHIPS}")):
        membership = next(
            (given for given in _memberships(settings, file.parent) if given.school_class.id == led.id), None
        )
        if membership is not None:
            shown = tuple(_shown(attempt, membership.share) for attempt in _since(file.parent, membership.since))
            joined.append(Member(learner_of(file.parent), membership.share, shown))
    return sorted(joined, key=lambda member: member.learner.casefold())


def _since(folder: Path, since: datetime) -> list[Attempt]:
    return [attempt for attempt in attempts_below(folder).attempts if datetime.fromisoformat(attempt.at) >= since]


def _shown(attempt: Attempt, share: Share) -> Attempt:
    return attempt if share is Share.RECORDINGS else replace(attempt, audio=None)


def _led(settings: Settings, key: str, by: Identity) -> SchoolClass:
    permit(settings, by, Action.LEAD_CLASSES)
    known = class_of(settings, key)
    if known is None or not same_person(known.teacher, by.name):
        raise AccessError(N_("{name} leads no such class."), name=by.name)
    return known


def _memberships(settings: Settings, folder: Path) -> list[Membership]:
    known = []
    for key, raw in _read(folder).items():
        with suppress(ValueError, KeyError, TypeError):  # what does not clearly say what was given gives nothing
            known_class = class_of(settings, key)
            if known_class is not None:
                known.append(Membership(known_class, Share(raw["share"]), utc_time(raw["since"])))
    return known


def _read(folder: Path) -> dict[str, Any]:
    try:
        raw = artifacts.read_json(folder / MEMBERSHIPS)["classes"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return dict(raw) if isinstance(raw, Mapping) else {}


def _change(settings: Settings, learner: str, key: str, given: dict[str, str] | None) -> None:
    folder = learner_folder(settings, learner)
    with locked(settings, folder / MEMBERSHIPS, AttemptError):
        others = {known: raw for known, raw in _read(folder).items() if known != key}
        classes = others if given is None else {**others, key: given}
        try:
            artifacts.write_json(folder / MEMBERSHIPS, {"learner": learner, "classes": classes})
        except OSError as error:
            raise AttemptError(
                not_written(N_("Your answer could not be saved ({reason})."), folder / MEMBERSHIPS, error)
            ) from error


def _file(settings: Settings, key: str) -> Path:
    return settings.data_root / "classes" / f"{key}.json"
