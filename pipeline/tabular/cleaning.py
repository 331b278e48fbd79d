"""What of a table can be learnt from, and why the rest cannot."""

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.i18n import N_, _
from pipeline.records import BANDS, band_of
from pipeline.tabular.task import Row, Task

LOW, HIGH = 0.0, 100.0
CONFLICT = 20.0  # points between labels of the same content
FEW_SHARE = 0.05  # of the items in a band: too few to learn it
# Why an item is left out.
UNLABELLED, OUTSIDE, TOO_SHORT = N_("has no label"), N_("has a label outside 0-100"), N_("is too short")
CONTRADICTS, REPEATS = N_("contradicts an identical item"), N_("repeats an earlier item")


@dataclass(frozen=True)
class Cleaning:
    """`dropped` counts items by why they were left out; `conflicts` are ids of equal contents with labels 20 points or
    more apart, all of which are left out; `bands` counts the kept ones; `warnings` are for people."""

    n: int
    kept: tuple[Row, ...]
    dropped: dict[str, int]
    conflicts: tuple[tuple[str, ...], ...]
    bands: dict[str, int]
    n_groups: int
    warnings: tuple[str, ...]


def clean(rows: Sequence[Row], task: Task) -> Cleaning:
    """Of equal contents the first is kept."""
    dropped: Counter[str] = Counter()
    usable: list[Row] = []
    for row in rows:
        reason = _unusable(row, task)
        if reason:
            dropped[reason] += 1
        else:
            usable.append(row)
    same: dict[str, list[Row]] = defaultdict(list)
    for row in usable:
        same[_key(row.content)].append(row)
    conflicts = [group for group in same.values() if _spread(group) >= CONFLICT]
    kept = [group[0] for group in same.values() if group not in conflicts]
    dropped[CONTRADICTS] = sum(map(len, conflicts))
    dropped[REPEATS] = len(usable) - len(kept) - dropped[CONTRADICTS]
    bands = {band.label: 0 for band in BANDS} | Counter(band_of(row.label or 0.0).label for row in kept)
    groups = Counter(row.group for row in kept)
    return Cleaning(
        len(rows), tuple(kept), {why: n for why, n in dropped.items() if n},
        tuple(tuple(row.id for row in group) for group in conflicts), bands, len(groups),
        _warnings(kept, bands, groups),
    )  # fmt: skip


def _unusable(row: Row, task: Task) -> str:
    if row.label is None:
        return UNLABELLED
    if not math.isfinite(row.label) or not LOW <= row.label <= HIGH:
        return OUTSIDE
    if row.size < task.smallest:
        return TOO_SHORT
    return ""


def _warnings(kept: Sequence[Row], bands: dict[str, int], groups: Counter[str]) -> tuple[str, ...]:
    warnings = []
    thin = [name for name, n in bands.items() if n < FEW_SHARE * len(kept)]
    if kept and thin:
        names = ", ".join(_(name) for name in thin)
        warnings.append(
            _("There are few items in these bands: {bands}. Scores there will be guesses.").format(bands=names)
        )
    if groups and groups.most_common(1)[0][1] > len(kept) / 2:
        person = groups.most_common(1)[0][0]
        warnings.append(
            _("More than half of the items are by {person}: the model may learn that person's habits.").format(
                person=person
            )
        )
    return tuple(warnings)


def _spread(group: Sequence[Row]) -> float:
    labels = [row.label or 0.0 for row in group]
    return max(labels) - min(labels)


def _key(content: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", content).casefold().split())
