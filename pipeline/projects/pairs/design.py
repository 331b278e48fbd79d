"""Which pairs of recordings are compared: a connected, balanced design.

Recordings of the same text are compared in cyclic designs (David 1988, The Method of Paired Comparisons): in a random
circle, each with the one `s` places on, for several `s`. Every recording is then in equally many pairs. One in five
comparisons, and at least two per recording, links different texts, so that there is one scale. The sides follow an
Euler walk over the pairs: each recording is on the left as often as on the right, or once more.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

Pair = tuple[str, str]  # as designed: left, right
LINKING_SHARE = 0.2
MIN_LINKING = 2


def design(
    texts: Mapping[str, str], comparisons: int, *, same_text: bool = True, seed: int = 0, before: Sequence[Pair] = ()
) -> list[Pair]:
    """Pairs of recordings, each in `comparisons` pairs as far as there are so many others, or in one more.

    Args:
        texts: The text of each recording, by id.
        same_text: Whether recordings of the same text are compared with each other where there are several.
        before: Pairs of an earlier design, which are kept; only what is missing is added to them.

    Example:
        >>> sorted(map(sorted, design({"a": "", "b": "", "c": ""}, 2)))
        [['a', 'b'], ['a', 'c'], ['b', 'c']]
    """
    ids = sorted(texts)
    if len(ids) < 2:
        return list(before)
    draft = _Draft(ids, min(comparisons, len(ids) - 1), seed, before)
    if not before:
        linking = draft.target
        groups = _groups(texts) if same_text else []
        if groups:
            linking = min(draft.target, max(MIN_LINKING, round(LINKING_SHARE * draft.target)))
            for group in groups:
                draft.circle(group, draft.target - linking)
        draft.circle(ids, linking)
        draft.fill_circles()
    draft.fill_up({key: texts[key] for key in ids} if same_text else dict.fromkeys(ids, ""))
    draft.join()
    return [*before, *_sides(draft.added)]


def n_groups(pairs: Iterable[Pair]) -> int:
    """How many groups of recordings there are that no pair connects."""
    return len(set(_roots(pairs).values()))


class _Draft:
    """Pairs without sides, while they are chosen."""

    def __init__(self, ids: Sequence[str], target: int, seed: int, before: Sequence[Pair]) -> None:
        self.ids, self.target = ids, target
        self.added: list[Pair] = []
        self._before = before
        self._draw = np.random.default_rng(seed)
        self._taken = {frozenset(pair) for pair in before}
        self._degree = Counter(key for pair in before for key in pair)

    def circle(self, members: Collection[str], degree: int) -> int:
        """Each of `members` in `degree` pairs among them, fewer where a pair is there already; how many were added."""
        n = len(members)
        ring = self._shuffled(members)
        degree = min(degree, n - 1)
        others = self._draw.permutation(np.arange(2, (n - 1) // 2 + 1)).tolist()
        steps = [1, *others][: degree // 2] if n > 2 else []  # the first makes the ring itself: connected
        added = sum(self._add(ring[k], ring[(k + step) % n]) for step in steps for k in range(n))
        if degree % 2 and n % 2 == 0:  # each with the one opposite
            added += sum(self._add(ring[k], ring[k + n // 2]) for k in range(n // 2))
        return added

    def fill_circles(self) -> None:
        """Rings through those that need two pairs or more."""
        while len(needy := [key for key in self.ids if self._need(key) >= 2]) > 2 and self.circle(needy, 2):
            pass

    def fill_up(self, texts: Mapping[str, str]) -> None:
        """One by one, what is still missing: with a recording of the same text, else with one that needs pairs."""
        n_linked = Counter(key for pair in self.added for key in pair if texts.get(pair[0]) != texts.get(pair[1]))
        for key in self._shuffled(self.ids):
            while self._need(key) > 0:
                free = [other for other in self.ids if other != key and frozenset((key, other)) not in self._taken]
                if not free:
                    break
                wants_own = n_linked[key] >= MIN_LINKING
                other = min(
                    self._shuffled(free),
                    key=lambda other: (
                        self._need(other) <= 0,
                        (texts[other] == texts[key]) != wants_own,
                        -self._need(other),
                    ),
                )
                self._add(key, other)
                n_linked.update([key, other] if texts[key] != texts[other] else [])

    def join(self) -> None:
        """Connect what is not connected, by two pairs where there are so many."""
        while True:
            groups: dict[str, list[str]] = defaultdict(list)
            roots = _roots([*self._before, *self.added])
            for key in self.ids:
                groups[roots.get(key, key)].append(key)
            if len(groups) < 2:
                return
            largest, other, *_ = sorted(groups.values(), key=len, reverse=True)
            for a, b in list(zip(self._least(largest), self._least(other), strict=False))[:MIN_LINKING]:
                self._add(a, b)

    def _least(self, members: Sequence[str]) -> list[str]:
        """Those in the fewest pairs first."""
        return sorted(self._shuffled(members), key=lambda key: self._degree[key])

    def _need(self, key: str) -> int:
        return self.target - self._degree[key]

    def _add(self, a: str, b: str) -> bool:
        if frozenset((a, b)) in self._taken:
            return False
        self._taken.add(frozenset((a, b)))
        self._degree.update((a, b))
        self.added.append((a, b))
        return True

    def _shuffled(self, members: Collection[str]) -> list[str]:
        ordered = sorted(members)
        return [ordered[k] for k in self._draw.permutation(len(ordered))]


def _groups(texts: Mapping[str, str]) -> list[list[str]]:
    """Recordings of the same text, where there are several texts and two recordings of one or more."""
    by_text: dict[str, list[str]] = defaultdict(list)
    for key, text in texts.items():
        by_text[text].append(key)
    return [group for group in by_text.values() if 1 < len(group) < len(texts)]


def _roots(pairs: Iterable[Pair]) -> dict[str, str]:
    """Of each recording, one that stands for all that are connected with it."""
    root: dict[str, str] = {}

    def find(key: str) -> str:
        while root.setdefault(key, key) != key:
            root[key] = root[root[key]]
            key = root[key]
        return key

    for a, b in pairs:
        root[find(a)] = find(b)
    return {key: find(key) for key in list(root)}


def _sides(pairs: Sequence[Pair]) -> list[Pair]:
    """The same pairs, with sides: walks that use each pair once leave every recording as often as they reach it.
    Recordings in an odd number of pairs are joined to a place outside first, so that every walk closes."""
    outside = ""
    degree = Counter(key for pair in pairs for key in pair)
    edges = [*pairs, *((key, outside) for key, n in degree.items() if n % 2)]
    at: dict[str, list[int]] = defaultdict(list)
    for number, (a, b) in enumerate(edges):
        at[a].append(number)
        at[b].append(number)
    sided: dict[int, Pair] = {}
    for start in list(at):
        key = start
        while at[key]:
            number = at[key].pop()
            if number in sided:
                continue
            a, b = edges[number]
            other = b if key == a else a
            sided[number] = (key, other)
            key = other
    return [sided[number] for number in range(len(pairs))]
