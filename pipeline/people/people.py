"""The list of people of an installation, `people.json` under the data root.

While there is no list, the installation is open: whoever says a name is that person, with every role. The first person
on the list must be an admin, so that nobody is locked out. Names are compared by the rule in `names`.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline import artifacts, jsonl
from pipeline.database import connected
from pipeline.errors import AccessError, LabelError, said_by
from pipeline.i18n import N_, Message
from pipeline.locks import locked
from pipeline.people.access import GUEST, Action, Identity, Role
from pipeline.people.names import clean_name, same_person, spelled_as
from pipeline.settings import Settings
from pipeline.times import now_iso
from pipeline.write_errors import not_written

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
EVERY_ROLE = frozenset(Role)


@dataclass(frozen=True)
class Person:
    """`email` joins a sign-in to the person; someone who is not `active` keeps their ratings and can do nothing."""

    name: str
    roles: tuple[Role, ...]
    email: str = ""
    active: bool = True

    def __post_init__(self) -> None:
        """Raises AccessError for a person who could not be shown or told apart."""
        if not self.roles:
            raise AccessError(N_("{name} needs at least one role: {roles}."), name=self.name, roles=", ".join(Role))
        if self.email and not EMAIL.fullmatch(self.email):
            raise AccessError(N_("{email!r} is no e-mail address."), email=self.email)


class People:
    def __init__(self, settings: Settings) -> None:
        self._file = settings.data_root / "people.json"
        self._changes = settings.data_root / "people-changes.jsonl"
        self._settings = settings

    @property
    def is_open(self) -> bool:
        """Whether there is no list yet. Whatever stands in its place closes the installation."""
        return artifacts.is_missing(self._file)

    def all(self) -> list[Person]:
        """By name. Raises AccessError where the list is damaged: nobody is let in by mistake."""
        if self.is_open:
            return []
        try:
            raw = artifacts.read_json(self._file)
            return [_person(entry) for entry in raw]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, LabelError) as error:
            raise AccessError(
                N_("{file} is damaged ({reason}). Repair or remove it; ratings are safe."),
                file=str(self._file), reason=said_by(error),
            ) from error  # fmt: skip

    def raters(self) -> set[str] | None:
        """Who may rate: everybody on the list who is active and an expert; None where there is no list and any name
        will do."""
        return self.who_may(Action.RATE)

    def who_may(self, action: Action) -> set[str] | None:
        """Who is active and may do that; None where there is no list, and any name will do."""
        if self.is_open:
            return None
        return {p.name for p in self.all() if p.active and Identity(p.name, frozenset(p.roles)).may(action)}

    def spelling(self, name: str) -> str:
        """A typed name as this installation knows it: as on the list, else as it has been rated under, else as typed.
        Raises LabelError for what is no name."""
        cleaned = clean_name(name)
        return self.listed(cleaned) or self._rated_as(cleaned)

    def listed(self, name: str) -> str | None:
        """A name as it stands on the list; None for somebody who is not on it."""
        return spelled_as(name, (person.name for person in self.all()))

    def identify(self, name: str) -> Identity:
        """Raises AccessError for a name that is not on the list, or no longer active."""
        if self.is_open:
            return Identity(self.spelling(name), EVERY_ROLE)
        cleaned = clean_name(name)
        return self._identity(self._find(cleaned), cleaned)

    def identify_by_email(self, email: str) -> Identity:
        """For somebody who signed in. Raises AccessError where nobody on the list has this address."""
        person = next((p for p in self.all() if p.email and _same_address(p.email, email)), None)
        return self._identity(person, email)

    def save(self, person: Person, by: Identity) -> Person:
        """Add or change one. Raises AccessError for a name or address that somebody else has, and where no active
        admin would be left."""
        by.require(Action.MANAGE_PEOPLE)
        person = replace(person, name=clean_name(person.name), email=person.email.strip())
        with self._changing() as people:
            others = [p for p in people if p.name != person.name]
            for other in others:
                if same_person(other.name, person.name):
                    raise AccessError(
                        N_("{name!r} looks like {other!r}, who is on the list already."),
                        name=person.name,
                        other=other.name,
                    )
                if person.email and _same_address(other.email, person.email):
                    raise AccessError(
                        N_("{other} has the address {email} already."), other=other.name, email=person.email
                    )
            before = next((p for p in people if p.name == person.name), None)
            self._write([*others, person], by, before, person)
        return person

    def add_or_change(
        self, name: str, by: Identity, *, roles: tuple[Role, ...] = (), email: str = "", active: bool | None = None
    ) -> Person:
        """Somebody new, or what is given of somebody who is on the list: what is left empty stays as it is. A new
        person without roles is an expert. Raises AccessError as `save` does."""
        by.require(Action.MANAGE_PEOPLE)
        before = self._find(clean_name(name))
        if before is None:
            new = Person(self.spelling(name), roles or (Role.EXPERT,), email.strip(), active is not False)
            return self.save(new, by)
        changed = replace(
            before, roles=roles or before.roles, email=email.strip() or before.email,
            active=before.active if active is None else active,
        )  # fmt: skip
        return self.save(changed, by)

    def changes(self) -> list[dict[str, Any]]:
        """Every change of the list, oldest first: at, by, before (null for somebody new), after."""
        if not self._changes.is_file():
            return []
        return list(jsonl.read(self._changes, cut_end=True))

    def _identity(self, person: Person | None, asked: str) -> Identity:
        if person is None:
            raise AccessError(
                N_("{asked} is not on this installation's list. An admin adds people on the Projects page."),
                asked=asked,
            )
        if not person.active:
            raise AccessError(N_("{name} is no longer active here. Ask an admin."), name=person.name)
        return Identity(person.name, frozenset(person.roles))

    def _find(self, name: str) -> Person | None:
        return next((person for person in self.all() if same_person(person.name, name)), None)

    def _rated_as(self, name: str) -> str:
        """As it stands in the index, which is not made for this; `name` itself where nobody like that has rated."""
        if not self._settings.index_path.is_file():
            return name
        try:
            with closing(connected(self._settings.index_path)) as index:
                if index.execute("SELECT 1 FROM events WHERE evaluator = ? LIMIT 1", [name]).fetchone():
                    return name
                rows = index.execute("SELECT DISTINCT evaluator FROM events").fetchall()
        except sqlite3.Error:  # a damaged index is told where labels are read
            return name
        return spelled_as(name, (evaluator for (evaluator,) in rows)) or name

    def _write(self, people: list[Person], by: Identity, before: Person | None, after: Person) -> None:
        """Both the log of changes and the list, or neither: the log first, which is taken back where the list cannot
        be written. Raises AccessError then, and where no active admin would be left."""
        if not any(person.active and Role.ADMIN in person.roles for person in people):
            raise AccessError(N_("Somebody must be an active admin, else nobody could change the list again."))
        size = self._changes.stat().st_size if self._changes.exists() else 0
        try:
            if before != after:
                self._changes.parent.mkdir(parents=True, exist_ok=True)
                jsonl.append(self._changes, {"at": now_iso(), "by": by.name, "before": before, "after": after})
            artifacts.write_json(self._file, sorted(people, key=lambda person: person.name.casefold()))
        except OSError as error:
            with suppress(OSError):
                os.truncate(self._changes, min(size, self._changes.stat().st_size))
            raise AccessError(
                not_written(
                    N_("{path} cannot be written ({reason}); nobody was changed."),
                    Path(error.filename or self._changes), error,
                )
            ) from error  # fmt: skip

    @contextmanager
    def _changing(self) -> Iterator[list[Person]]:
        with locked(self._settings, self._file, AccessError):
            yield self.all()


def _person(raw: dict[str, Any]) -> Person:
    """Raises KeyError, TypeError or ValueError for an entry that does not say clearly who may what."""
    if not isinstance(raw["active"], bool):
        raise TypeError(Message(N_("active is true or false, got {value}"), value=repr(raw["active"])))
    roles = tuple(Role(role) for role in raw["roles"])
    return Person(clean_name(str(raw["name"])), roles, str(raw.get("email", "")), raw["active"])


def permit(settings: Settings, by: Identity | str | None, action: Action, *others: Action) -> Identity:
    """Whoever acts, if they may do `action` (or one of the `others`): every service that reads or changes what is
    people's asks here.

    Args:
        by: An identity; a name, which is looked up; None or "" where nobody was named, which is enough on an open
            installation only.

    Raises AccessError where they may not.
    """
    if isinstance(by, Identity):
        identity = by
    elif by:
        identity = People(settings).identify(by)
    elif People(settings).is_open:
        return GUEST
    else:
        raise AccessError(N_("Say who you are first: this installation has a list of people."))
    identity.require(action, *others)
    return identity


def permit_own(settings: Settings, by: Identity | None, learner: str) -> None:
    """For what is kept of a learner: it is theirs alone, whatever roles others have. Raises AccessError."""
    permit(settings, by, Action.PRACTISE)
    if by is not None and not same_person(by.name, learner):
        raise AccessError(
            N_("{name} may not see or change what is kept of {learner}: it is {learner}'s alone."),
            name=by.name,
            learner=learner,
        )


def _same_address(a: str, b: str) -> bool:
    return a.strip().casefold() == b.strip().casefold()
