"""How much of the text a score speaks of: whether all of it was read, and whether its sounds were judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.records import Verdict


@dataclass(frozen=True)
class Coverage:
    """`is_whole`: no word was left out. `judges_sounds`: the score is not of length and speed alone."""

    is_whole: bool
    judges_sounds: bool


def coverage_of(result: Mapping[str, Any]) -> Coverage:
    """Of a ScoreResult as JSON. What cannot be read says nothing against either."""
    words = result.get("words")
    missing = [word for word in words if _is_missing(word)] if isinstance(words, list) else []
    not_measured = result.get("not_measured")
    return Coverage(not missing, not (isinstance(not_measured, list) and "segments" in not_measured))


def _is_missing(word: Any) -> bool:
    return isinstance(word, Mapping) and word.get("verdict") == Verdict.MISSING
