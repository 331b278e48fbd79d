"""The two rating forms: one score for a word, four dimensions for a sentence.

The sentence scale is that of speechocean762 (Zhang et al. 2021, arXiv 2104.01378), described in our words.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import LabelError
from pipeline.records import BANDS, RubricName


@dataclass(frozen=True)
class Level:
    """What a value of at least `low` means."""

    low: float
    label: str
    meaning: str


@dataclass(frozen=True)
class Dimension:
    key: str
    label: str
    low: float
    high: float
    step: float
    levels: tuple[Level, ...]

    def level_of(self, value: float) -> Level:
        return next(level for level in self.levels if value >= level.low)


@dataclass(frozen=True)
class Rubric:
    """`overall` names the dimension from which the 0-100 score follows, by its share of the dimension's range."""

    name: RubricName
    dimensions: tuple[Dimension, ...]
    overall: str
    marks: tuple[tuple[str, str], ...] = ()

    def check(self, values: Mapping[str, float]) -> None:
        """Raises LabelError unless every dimension, and nothing else, has a value on its scale."""
        known = {dimension.key: dimension for dimension in self.dimensions}
        missing, foreign = known.keys() - values.keys(), values.keys() - known.keys()
        if missing or foreign:
            listed = ", ".join(known)
            raise LabelError(f"A {self.name} rating needs exactly {listed}; got {', '.join(values) or 'none'}.")
        for key, value in values.items():
            dimension = known[key]
            if not (math.isfinite(value) and dimension.low <= value <= dimension.high):
                raise LabelError(f"{dimension.label} must lie in {dimension.low:g}-{dimension.high:g}, got {value!r}.")

    def overall_score(self, values: Mapping[str, float]) -> float:
        """0-100. Raises LabelError for values that `check` refuses."""
        self.check(values)
        dimension = next(d for d in self.dimensions if d.key == self.overall)
        return round(100.0 * (values[self.overall] - dimension.low) / (dimension.high - dimension.low), 3)


MARKS = (
    ("mispronounced", "wrong sound"),
    ("accent", "right, but with a heavy accent"),
    ("missing", "left out"),
    ("added", "something added"),
    ("stress", "stress in the wrong place"),
)

WORD = Rubric(
    RubricName.WORD,
    (Dimension("score", "Score", 0, 100, 1, tuple(Level(b.low, b.label, b.meaning) for b in BANDS)),),
    overall="score",
    marks=MARKS,
)

SENTENCE = Rubric(
    RubricName.SENTENCE,
    (
        Dimension(
            "accuracy", "Accuracy", 0, 10, 1,
            (
                Level(9, "Excellent", "every sound is right, nothing disturbs"),
                Level(7, "Good", "mostly right; a slight accent or a few small slips"),
                Level(5, "Understandable", "several wrong sounds, but the meaning comes across"),
                Level(3, "Poor", "many wrong sounds; hard to follow"),
                Level(0, "Very poor", "hardly a word can be recognised, or nothing was said"),
            ),
        ),
        Dimension(
            "fluency", "Fluency", 0, 10, 1,
            (
                Level(8, "Fluent", "coherent, no needless pause, repetition or stammer"),
                Level(6, "Mostly fluent", "some pauses, repetitions or stammers"),
                Level(4, "Halting", "many pauses, repetitions or stammers"),
                Level(0, "Broken", "cannot be followed as one sentence"),
            ),
        ),
        Dimension(
            "prosodic", "Prosody", 0, 10, 1,
            (
                Level(9, "Natural", "right intonation, steady pace, good rhythm"),
                Level(7, "Nearly natural", "nearly right intonation, mostly steady pace"),
                Level(5, "Uneven", "unsteady pace, several words stressed unlike speech"),
                Level(3, "Flat", "too fast or slow, little rhythm"),
                Level(0, "None", "no rhythm or intonation to judge, or not as one utterance"),
            ),
        ),
        Dimension(
            "total", "Total", 0, 10, 0.1,
            tuple(Level(b.low / 10, b.label, b.meaning) for b in BANDS),
        ),
    ),
    overall="total",
    marks=MARKS,
)  # fmt: skip

RUBRICS: dict[RubricName, Rubric] = {rubric.name: rubric for rubric in (WORD, SENTENCE)}
