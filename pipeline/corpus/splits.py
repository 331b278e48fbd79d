"""Speaker-disjoint splits: nobody's voice is on both sides, and the same input always gives the same split. Names that
differ in blanks, case or the form of their letters alone may be one voice, and stay on one side."""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CorpusError
from pipeline.i18n import N_
from pipeline.people.names import name_key


def _one_voice(speakers: Sequence[str]) -> list[str]:
    """The speakers with spellings of one name, which may be one voice, under the first of them."""
    first: dict[str, str] = {}
    same = {name: first.setdefault(name_key(name), name) for name in sorted(set(speakers))}
    return [same[name] for name in speakers]


def speaker_folds(speakers: Sequence[str], n_folds: int, seed: int) -> NDArray[np.int64]:
    """The fold (0 .. n_folds-1) of each item [n], all of a speaker's in one.

    Speakers are taken largest first (ties in an order drawn from `seed`) into the fold that has the fewest items, so
    folds differ by little more than one speaker. Raises CorpusError for fewer speakers than folds.
    """
    speakers = _one_voice(speakers)
    counts = Counter(speakers)
    if not 2 <= n_folds <= len(counts):
        raise CorpusError(
            N_("{n_folds} folds need at least as many speakers; there are {n}. Use fewer folds."),
            n_folds=n_folds,
            n=len(counts),
        )
    sizes = [0] * n_folds
    fold_of: dict[str, int] = {}
    for speaker in sorted(counts, key=lambda name: (-counts[name], _draw(name, seed))):
        fold_of[speaker] = smallest = sizes.index(min(sizes))
        sizes[smallest] += counts[speaker]
    return np.array([fold_of[speaker] for speaker in speakers], dtype=np.int64)


def speaker_holdout(speakers: Sequence[str], share: float, seed: int) -> NDArray[np.bool_]:
    """True [n] for items of held-out speakers: at least one, and as many as it takes to reach `share` of the items.

    Raises CorpusError where fewer than two speakers leave nobody to train on.
    """
    speakers = _one_voice(speakers)
    counts = Counter(speakers)
    if len(counts) < 2:
        raise CorpusError(N_("A speaker-disjoint split needs at least 2 speakers; there are {n}."), n=len(counts))
    held: set[str] = set()
    n_held = 0
    for speaker in sorted(counts, key=lambda name: _draw(name, seed))[:-1]:
        if held and n_held >= share * len(speakers):
            break
        held.add(speaker)
        n_held += counts[speaker]
    return np.array([speaker in held for speaker in speakers], dtype=np.bool_)


def _draw(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()
