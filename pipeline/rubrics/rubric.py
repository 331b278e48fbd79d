"""What a rubric is: its dimensions with their scales and levels, the marks it offers, and its keys.

Labels and meanings are shown through `translated`: a rubric's file has them in several languages.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.errors import LabelError
from pipeline.i18n import N_, Message, Multilingual, joined
from pipeline.records import RatingEvent, RubricName

MEAN = "mean"  # as `overall`: the mean of all dimensions
SCORE = "score"  # the key of a dimension that is the 0-100 score itself
BY_LEVEL, BY_VALUE = "levels", "values"
DIGITS = (BY_LEVEL, BY_VALUE)

MARKS = (
    ("mispronounced", N_("wrong sound")),
    ("accent", N_("right, but with a heavy accent")),
    ("missing", N_("left out")),
    ("added", N_("something added")),
    ("stress", N_("stress in the wrong place")),
    ("tone", N_("wrong tone or intonation")),
)


@dataclass(frozen=True)
class Level:
    """What a value of at least `low` means."""

    low: float
    label: str
    meaning: str


@dataclass(frozen=True)
class Dimension:
    """`levels` begin with the highest; the last begins at `low`."""

    key: str
    label: str
    low: float
    high: float
    step: float
    levels: tuple[Level, ...]

    def level_of(self, value: float) -> Level:
        return next(level for level in self.levels if value >= level.low)

    def share(self, value: float) -> float:
        """Where a value lies on the scale, 0-1."""
        return (value - self.low) / (self.high - self.low)

    def at(self, share: float) -> float:
        """The value at a share of the scale; the inverse of `share`."""
        return round(self.low + share * (self.high - self.low), 3)

    @property
    def is_score(self) -> bool:
        """Whether its values are 0-100 scores as they are."""
        return (self.key, self.low, self.high) == (SCORE, 0, 100)


@dataclass(frozen=True)
class Rubric:
    """How recordings of one `unit` (words or sentences) are rated.

    `overall` names the dimension from which the 0-100 score follows, by its share of the dimension's range; `mean`
    stands for the mean share of all. `digits` says whether the digit n gives the nth level from below or the value n.
    `marks` are the kinds of marks on words and sounds that the form offers; `keys` maps further keys to a dimension,
    which they make the current one, or to a kind of mark, which they give to the chosen word.
    """

    name: str
    unit: RubricName
    title: str
    dimensions: tuple[Dimension, ...]
    overall: str
    digits: str = BY_VALUE
    marks: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()

    @cached_property
    def version(self) -> str:
        """Eight digits that change with anything a rater reads or can give."""
        plain = json.dumps(self.content(), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()[:8]

    @property
    def reference(self) -> str:
        """`name@version`, which a rating remembers."""
        return f"{self.name}@{self.version}"

    @property
    def is_score(self) -> bool:
        """Whether its one value is the 0-100 score itself, and kept as such."""
        return len(self.dimensions) == 1 and self.dimensions[0].is_score

    def content(self) -> dict[str, Any]:
        """As in its file."""
        return {
            "name": self.name,
            "unit": str(self.unit),
            "title": _texts(self.title),
            "overall": self.overall,
            "digits": self.digits,
            "dimensions": [
                {
                    "key": dimension.key, "label": _texts(dimension.label), "low": _plain(dimension.low),
                    "high": _plain(dimension.high), "step": _plain(dimension.step),
                    "levels": [
                        {"low": _plain(level.low), "label": _texts(level.label), "meaning": _texts(level.meaning)}
                        for level in dimension.levels
                    ],
                }
                for dimension in self.dimensions
            ],
            "marks": list(self.marks),
            "keys": dict(self.keys),
        }  # fmt: skip

    def dimension(self, key: str) -> Dimension | None:
        return next((dimension for dimension in self.dimensions if dimension.key == key), None)

    def values_of(self, event: RatingEvent) -> dict[str, float]:
        """By dimension, what somebody gave with this rubric."""
        if not self.is_score:
            return dict(event.dimensions)
        return {} if event.score is None else {SCORE: event.score}

    def check(self, values: Mapping[str, float]) -> None:
        """Raises LabelError unless every dimension, and nothing else, has a value on its scale."""
        known = {dimension.key: dimension for dimension in self.dimensions}
        missing, foreign = known.keys() - values.keys(), values.keys() - known.keys()
        if missing or foreign:
            raise LabelError(self._incomplete(missing, foreign))
        for key, value in values.items():
            dimension = known[key]
            if not (math.isfinite(value) and dimension.low <= value <= dimension.high):
                raise LabelError(
                    N_("{dimension} must be between {low} and {high}, got {value}."),
                    dimension=dimension.label, low=f"{dimension.low:g}", high=f"{dimension.high:g}", value=value,
                )  # fmt: skip

    def _incomplete(self, missing: Set[str], foreign: Set[str]) -> Message:
        if foreign:
            return Message(
                N_("{keys} is not part of the rating; its dimensions are {dimensions}."),
                keys=", ".join(sorted(foreign)),
                dimensions=", ".join(d.key for d in self.dimensions),
            )
        if len(self.dimensions) == 1:
            return Message(N_("Give a score first."))
        labels = [dimension.label for dimension in self.dimensions if dimension.key in missing]
        return Message(N_("Rate every dimension first; missing: {dimensions}."), dimensions=joined(labels, ","))

    def overall_score(self, values: Mapping[str, float]) -> float:
        """0-100. Raises LabelError for values that `check` refuses."""
        self.check(values)
        counted = [d for d in self.dimensions if self.overall in (MEAN, d.key)]
        return round(100.0 * sum(d.share(values[d.key]) for d in counted) / len(counted), 3)


def _texts(text: str) -> str | dict[str, str]:
    return dict(text.texts) if isinstance(text, Multilingual) else text


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else value
