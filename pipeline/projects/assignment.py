"""Who is to rate which recordings of a project: those given to a person by name, and shares.

A recording that is given to nobody by name falls, where there are shares, to as many people as it needs ratings, drawn
by their shares: the same every time, and a recording that joins the set moves no other. What it needs beyond those
people (a dispute, a reviewer's request, a person who skipped it) is open to everybody.
"""

import hashlib
import math
from collections.abc import Collection, Mapping
from typing import Any

from pipeline.people.names import name_key
from pipeline.projects.project import Project


class Assignment:
    """Of one project; names are compared as everywhere."""

    def __init__(self, project: Project) -> None:
        self._overlap, self._seed = project.overlap, project.seed
        self._shares = {name_key(name): share for name, share in project.shares.items() if share > 0}
        self._given: dict[str, set[str]] = {}
        for name, ids in project.assigned.items():
            for key in ids:
                self._given.setdefault(key, set()).add(name_key(name))

    @property
    def is_empty(self) -> bool:
        return not (self._shares or self._given)

    def people_of(self, recording_id: str) -> frozenset[str]:
        """The keys of those whose recording it is; none: it is everybody's."""
        given = self._given.get(recording_id)
        if given is not None:
            return frozenset(given)
        ranked = sorted(self._shares, key=lambda name: self._place(name, recording_id))
        return frozenset(ranked[: self._overlap])

    def is_theirs(self, evaluator: str, recording_id: str) -> bool:
        """Whether the recording is this person's, or everybody's."""
        people = self.people_of(recording_id)
        return not people or name_key(evaluator) in people

    def is_open_to(self, evaluator: str, row: Mapping[str, Any], dealt_with: Collection[str]) -> bool:
        """Whether `evaluator` may be given a recording of which there are `n` of `needed` ratings, and which the people
        `dealt_with` have rated, skipped or flagged."""
        if self.is_theirs(evaluator, row["id"]):
            return True
        waiting = self.people_of(row["id"]) - {name_key(name) for name in dealt_with}
        return bool(row["needed"] - row["n"] > len(waiting))

    def _place(self, name: str, recording_id: str) -> float:
        """Weighted rendezvous hashing: the smallest comes first, in proportion to the shares."""
        digest = hashlib.sha256(f"{self._seed}|{name}|{recording_id}".encode()).digest()
        draw = (int.from_bytes(digest[:8], "big") + 0.5) / 2**64
        return -math.log(draw) / self._shares[name]
