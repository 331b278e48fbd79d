"""Who is to rate which recordings of a project: those given to a person by name, and shares.

A recording that is given to nobody by name falls, where there are shares, to as many people as it needs ratings, drawn
by their shares: the same every time, and a recording that joins the set moves no other. What it needs beyond those
people (a dispute, a reviewer's request, a person who skipped it) is open to everybody. Recordings with known answers
are everybody's, as each expert is tested with them: what is whose tells none of them apart.
"""

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

from pipeline.people.names import name_key
from pipeline.projects.project import Project

Row = Mapping[str, Any]  # of `pipeline.projects.progress`


class Assignment:
    """Of one project; names are compared as everywhere."""

    def __init__(self, project: Project) -> None:
        self._seed, self._overlap = project.seed, project.overlap
        shares: dict[str, float] = {}
        for name, share in project.shares.items():  # of one person under two spellings, both
            shares[name_key(name)] = shares.get(name_key(name), 0.0) + share
        self._shares = tuple(sorted(shares.items()))
        self._gold = project.gold.keys()
        self._given: dict[str, set[str]] = {}
        for name, ids in project.assigned.items():
            for key in ids:
                self._given.setdefault(key, set()).add(name_key(name))

    @property
    def is_empty(self) -> bool:
        return not (self._shares or self._given)

    def people_of(self, recording_id: str) -> frozenset[str]:
        """The keys of those whose recording it is; none: it is everybody's."""
        if recording_id in self._gold:
            return frozenset()
        given = self._given.get(recording_id)
        if given is not None:
            return frozenset(given)
        return _drawn(self._seed, self._shares, self._overlap, recording_id)

    def is_theirs(self, evaluator: str, recording_id: str) -> bool:
        """Whether the recording is this person's, or everybody's."""
        people = self.people_of(recording_id)
        return not people or name_key(evaluator) in people

    def divided(self, evaluator: str, rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
        """Of recordings of which there are `n` of `needed` ratings: those of this person (also where a
        reviewer `reassigned` them) or of everybody, and those of
        others that may need more than these give; that can be where somebody has `begun`, else by their number."""
        theirs: list[Row] = []
        beyond: list[Row] = []
        key = name_key(evaluator)
        for row in rows:
            people = self.people_of(row["id"])
            if row["reassigned"] or not people or key in people:
                theirs.append(row)
            elif row["begun"] or row["needed"] - row["n"] > len(people):
                beyond.append(row)
        return theirs, beyond

    def is_open_to(self, evaluator: str, row: Row, dealt_with: Collection[str]) -> bool:
        """Whether `evaluator` may be given a recording of which there are `n` of `needed` ratings, and which the people
        `dealt_with` have rated, skipped or flagged."""
        if self.is_theirs(evaluator, row["id"]):
            return True
        waiting = self.people_of(row["id"]) - {name_key(name) for name in dealt_with}
        return bool(row["needed"] - row["n"] > len(waiting))


@lru_cache(maxsize=2**18)  # of a large set, all: progress asks for each of them
def _drawn(seed: int, shares: tuple[tuple[str, float], ...], n: int, recording_id: str) -> frozenset[str]:
    """Weighted rendezvous hashing: each person draws a place, in proportion to the shares; the `n` smallest win."""

    def place(person: tuple[str, float]) -> float:
        name, share = person
        digest = hashlib.sha256(f"{seed}|{name}|{recording_id}".encode()).digest()
        return -math.log((int.from_bytes(digest[:8], "big") + 0.5) / 2**64) / share

    return frozenset(name for name, _share in sorted(shares, key=place)[:n])
