"""The list of people of an installation, `people.json` under the data root.

While there is no list, the installation is open: whoever says a name is that person, with every role. The first person
on the list must be an admin, so that nobody is locked out.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pipeline import artifacts, jsonl
from pipeline.errors import AccessError
from pipeline.labels.store import clean_name
from pipeline.locks import locked
from pipeline.people.access import Action, Identity, Role
from pipeline.runs import now_iso
from pipeline.settings import Settings

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
            raise AccessError(f"{self.name} needs at least one role: {', '.join(Role)}.")
        if self.email and not EMAIL.fullmatch(self.email):
            raise AccessError(f"{self.email!r} is no e-mail address.")


class People:
    def __init__(self, settings: Settings) -> None:
        self._file = settings.data_root / "people.json"
        self._changes = settings.data_root / "people-changes.jsonl"
        self._settings = settings

    @property
    def is_open(self) -> bool:
        """Whether there is no list yet."""
        return not self._file.is_file()

    def all(self) -> list[Person]:
        """By name. Raises AccessError where the list is damaged: nobody is let in by mistake."""
        if self.is_open:
            return []
        try:
            raw = json.loads(self._file.read_text(encoding="utf-8"))
            return [
                Person(str(p["name"]), tuple(Role(r) for r in p["roles"]), str(p.get("email", "")), bool(p["active"]))
                for p in raw
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AccessError(f"{self._file} is damaged ({error}). Mend or remove it; ratings are safe.") from error

    def names(self) -> set[str] | None:
        """Everybody's on the list, active or not; None where there is no list and any name will do."""
        return None if self.is_open else {person.name for person in self.all()}

    def identify(self, name: str) -> Identity:
        """Raises AccessError for a name that is not on the list, or no longer active."""
        cleaned = clean_name(name)
        if self.is_open:
            return Identity(cleaned, EVERY_ROLE)
        return self._identity(self._find(cleaned), cleaned)

    def identify_by_email(self, email: str) -> Identity:
        """For somebody who signed in. Raises AccessError where nobody on the list has this address."""
        found = next((p for p in self.all() if p.email and p.email.casefold() == email.casefold()), None)
        return self._identity(found, email)

    def save(self, person: Person, by: Identity) -> Person:
        """Add or change one. Raises AccessError for a name or address that somebody else has, and where no active
        admin would be left."""
        by.require(Action.MANAGE_PEOPLE)
        person = replace(person, name=clean_name(person.name), email=person.email.strip())
        with self._changing() as people:
            others = [p for p in people if p.name != person.name]
            for other in others:
                if _same(other.name, person.name):
                    raise AccessError(f"{person.name!r} looks like {other.name!r}, who is on the list already.")
                if person.email and other.email.casefold() == person.email.casefold():
                    raise AccessError(f"{other.name} has the address {person.email} already.")
            self._write([*others, person])
            before = next((p for p in people if p.name == person.name), None)
            if before != person:
                self._note(by, before, person)
        return person

    def changes(self) -> list[dict[str, Any]]:
        """Every change of the list, oldest first: at, by, before (null for somebody new), after."""
        if not self._changes.is_file():
            return []
        return list(jsonl.read(self._changes, cut_end=True))

    def _identity(self, person: Person | None, asked: str) -> Identity:
        if person is None:
            raise AccessError(f"{asked} is not on this installation's list. An admin adds people on the Projects page.")
        if not person.active:
            raise AccessError(f"{person.name} is no longer active here. Ask an admin.")
        return Identity(person.name, frozenset(person.roles))

    def _find(self, name: str) -> Person | None:
        return next((person for person in self.all() if _same(person.name, name)), None)

    def _write(self, people: list[Person]) -> None:
        if not any(person.active and Role.ADMIN in person.roles for person in people):
            raise AccessError("Somebody must be an active admin, else nobody could change the list again.")
        artifacts.write_json(self._file, sorted(people, key=lambda person: person.name.casefold()))

    def _note(self, by: Identity, before: Person | None, after: Person) -> None:
        line = {"at": now_iso(), "by": by.name, "before": before, "after": after}
        jsonl.append(self._changes, line)

    @contextmanager
    def _changing(self) -> Iterator[list[Person]]:
        with locked(self._settings, self._file, AccessError):
            yield self.all()


def _same(a: str, b: str) -> bool:
    return a.casefold() == b.casefold()
