"""At which of an expert's turns a known answer or a repeat comes: one rule for rating and pair projects."""

import hashlib

from pipeline.projects.project import Project
from pipeline.records import Purpose

REPEAT_AFTER = 10  # other items between an item and its repeat


def falls(project: Project, evaluator: str, purpose: Purpose, every: int, turn: int) -> bool:
    """Whether an item of this purpose falls on the turn (counted from 1): on one in each stretch of `every` turns, at a
    place that nobody can count out. A repeat needs other items before it."""
    if not every:
        return False
    stretch, place = divmod(turn - 1, every)
    first = max(0, REPEAT_AFTER + 1 - stretch * every) if purpose is Purpose.REPEAT else 0
    if first >= every:
        return False
    draw = hashlib.sha256(f"{project.seed}|{evaluator}|{purpose}|{stretch}".encode()).digest()
    return place == first + int.from_bytes(draw[:4], "big") % (every - first)
