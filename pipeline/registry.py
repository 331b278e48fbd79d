"""One small registry type for everything chosen by name: extractors, scorers, models, importers."""

import difflib
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from pipeline.errors import UnknownNameError
from pipeline.i18n import N_, Message

T = TypeVar("T")


class Registry(Generic[T]):
    """Maps names to entries; an unknown name is answered with the known ones and the nearest guess. `kind` is
    what they are, as a msgid."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator: make the decorated object available as `name`. A second use of a name is a defect."""

        def add(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self._kind} {name!r} is registered twice")
            self._entries[name] = entry
            return entry

        return add

    def __getitem__(self, name: str) -> T:
        try:
            return self._entries[name]
        except KeyError:
            known = sorted(self._entries)
            near = difflib.get_close_matches(name, known, n=1)
            raise UnknownNameError(
                N_("Unknown {kind} {name!r}; known: {known}.{hint}"),
                kind=Message(self._kind),
                name=name,
                known=", ".join(known),
                hint=Message(N_(" Did you mean {near!r}?"), near=near[0]) if near else "",
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __contains__(self, name: object) -> bool:
        return name in self._entries
