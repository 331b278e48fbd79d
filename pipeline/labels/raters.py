"""One spelling for each rater of an installation: label files of several programs spell a name in several ways."""

from collections.abc import Iterable

from pipeline.people.names import best_spelling, name_key


class RaterNames:
    """Which spelling stands for a name: as on the list of people, else the best of those that were met. `is_settled`
    turns False when a better spelling comes after another was given out; `of` then gives the better one from the next
    pass on."""

    def __init__(self, listed: Iterable[str], met: Iterable[str] = ()) -> None:
        self._listed = {name_key(name): name for name in listed}
        self._met: dict[str, set[str]] = {}
        self._given: dict[str, str] = {}  # by key
        self._keys: dict[str, str] = {}
        self.is_settled = True
        for name in met:
            key = name_key(name)
            self._met.setdefault(key, set()).add(name)
            self._given[key] = name
        for name in list(self._given.values()):
            self.of(name)

    def of(self, name: str) -> str:
        known = self._keys.get(name)
        if known is not None and known in self._given:
            return self._given[known]
        key = self._keys[name] = name_key(name)
        met = self._met.setdefault(key, set())
        met.add(name)
        best = self._listed.get(key) or best_spelling(met)
        if self._given.setdefault(key, best) != best:
            self.is_settled = False
        return self._given[key]

    def settle(self) -> None:
        """Begin the next pass, with all that was met."""
        self._given.clear()
        self.is_settled = True
