"""At which of an expert's turns a known answer or a repeat comes: one rule for rating and pair projects."""

import hashlib
from functools import lru_cache

from pipeline.projects.project import Project
from pipeline.records import Purpose

REPEAT_AFTER = 10  # other items between an item and its repeat
COUNTED = 5000  # turns at a time


def falls(secret: str, evaluator: str, purpose: Purpose, every: int, turn: int) -> bool:
    """Whether an item of this purpose falls on the turn (counted from 1): on one in each stretch of `every` turns, at a
    place that nobody can count out who lacks the project's `secret`. A repeat needs other items before it."""
    if not every:
        return False
    stretch, place = divmod(turn - 1, every)
    return place == _place(secret, evaluator, purpose, every, stretch)


def n_turns(
    secret: str, project: Project, evaluator: str, *, n_work: int, n_gold: int, n_done: int, after_work: bool
) -> int:
    """How many turns an expert has in all who rates `n_work` items and for whom there are `n_gold` known answers;
    `after_work`, with what falls after the last of the work. It depends on nothing that they did in particular, so
    that of this number each save takes one, whatever was saved. Of what lies far beyond the `n_done` turns that were
    taken, only the work is counted."""
    most = COUNTED * (2 + n_done // COUNTED)
    every = (project.gold_every if n_gold else 0, project.repeat_every)
    return _n_turns(secret, evaluator, *every, n_work, n_gold, most, after_work)


@lru_cache(maxsize=256)
def _n_turns(
    secret: str, evaluator: str, gold_every: int, repeat_every: int, n_work: int, n_gold: int, most: int,
    after_work: bool,
) -> int:  # fmt: skip
    work = gold = repeats = 0
    while work + gold + repeats < most and (after_work or work < n_work):
        turn = work + gold + repeats + 1
        if gold < n_gold and falls(secret, evaluator, Purpose.GOLD, gold_every, turn):
            gold += 1
        elif work - REPEAT_AFTER > repeats and falls(secret, evaluator, Purpose.REPEAT, repeat_every, turn):
            repeats += 1
        elif work < n_work:
            work += 1
        else:
            break
    return n_work + gold + repeats


@lru_cache(maxsize=2**16)
def _place(secret: str, evaluator: str, purpose: Purpose, every: int, stretch: int) -> int | None:
    """Of the item in the stretch, counted from 0."""
    first = max(0, REPEAT_AFTER + 1 - stretch * every) if purpose is Purpose.REPEAT else 0
    if first >= every:
        return None
    draw = hashlib.sha256(f"{secret}|{evaluator}|{purpose}|{stretch}".encode()).digest()
    return first + int.from_bytes(draw[:4], "big") % (every - first)
