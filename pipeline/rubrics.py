"""The two rating forms: one score for a word, four dimensions for a sentence.

The sentence scale is that of speechocean762 (Zhang et al. 2021, arXiv 2104.01378), described in our words.
"""

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass

from pipeline.errors import LabelError
from pipeline.i18n import N_, _
from pipeline.records import BANDS, RubricName


@dataclass(frozen=True)
class Level:
    """What a value of at least `low` means. Labels and meanings of rubrics are source strings of the catalogue:
    translate them by `_` where they are shown."""

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
            raise LabelError(self._incomplete(missing, foreign))
        for key, value in values.items():
            dimension = known[key]
            if not (math.isfinite(value) and dimension.low <= value <= dimension.high):
                raise LabelError(
                    _("{dimension} must be between {low} and {high}, got {value}.").format(
                        dimension=_(dimension.label), low=f"{dimension.low:g}", high=f"{dimension.high:g}", value=value
                    )
                )

    def _incomplete(self, missing: Set[str], foreign: Set[str]) -> str:
        if foreign:
            return _("{keys} is not part of the rating; its dimensions are {dimensions}.").format(
                keys=", ".join(sorted(foreign)), dimensions=", ".join(d.key for d in self.dimensions)
            )
        if len(self.dimensions) == 1:
            return _("Give a score first.")
        names = ", ".join(_(d.label) for d in self.dimensions if d.key in missing)
        return _("Rate every dimension first; missing: {dimensions}.").format(dimensions=names)

    def overall_score(self, values: Mapping[str, float]) -> float:
        """0-100. Raises LabelError for values that `check` refuses."""
        self.check(values)
        dimension = next(d for d in self.dimensions if d.key == self.overall)
        return round(100.0 * (values[self.overall] - dimension.low) / (dimension.high - dimension.low), 3)


MARKS = (
    ("mispronounced", N_("wrong sound")),
    ("accent", N_("right, but with a heavy accent")),
    ("missing", N_("left out")),
    ("added", N_("something added")),
    ("stress", N_("stress in the wrong place")),
    ("tone", N_("wrong tone or intonation")),
)

WORD = Rubric(
    RubricName.WORD,
    (Dimension("score", N_("Score"), 0, 100, 1, tuple(Level(b.low, b.label, b.meaning) for b in BANDS)),),
    overall="score",
    marks=MARKS,
)

SENTENCE = Rubric(
    RubricName.SENTENCE,
    (
        Dimension(
            "accuracy", N_("Accuracy"), 0, 10, 1,
            (
                Level(9, N_("Excellent"), N_("every sound is right, nothing distracts")),
                Level(7, N_("Good"), N_("mostly right; a slight accent or a few small slips")),
                Level(5, N_("Understandable"), N_("several wrong sounds, but the meaning comes across")),
                Level(3, N_("Poor"), N_("many wrong sounds; hard to follow")),
                Level(0, N_("Very poor"), N_("hardly any word can be recognised, or nothing was said")),
            ),
        ),
        Dimension(
            "fluency", N_("Fluency"), 0, 10, 1,
            (
                Level(8, N_("Fluent"), N_("coherent, without needless pauses, repetitions or stammering")),
                Level(6, N_("Mostly fluent"), N_("some pauses, repetitions or stammering")),
                Level(4, N_("Halting"), N_("many pauses, repetitions or much stammering")),
                Level(0, N_("Broken"), N_("cannot be followed as one sentence")),
            ),
        ),
        Dimension(
            "prosodic", N_("Prosody"), 0, 10, 1,
            (
                Level(9, N_("Natural"), N_("right intonation, steady pace, good rhythm")),
                Level(7, N_("Nearly natural"), N_("nearly right intonation, mostly steady pace")),
                Level(5, N_("Uneven"), N_("unsteady pace, unnatural stress on several words")),
                Level(3, N_("Flat"), N_("too fast or too slow, little rhythm")),
                Level(0, N_("Absent"), N_("no rhythm or intonation to rate, or not spoken as one sentence")),
            ),
        ),
        Dimension(
            "total", N_("Total"), 0, 10, 0.1,
            # Those of accuracy in the whole: the bands of a word's score lie higher and would contradict them.
            (
                Level(9, N_("Excellent"), N_("easy to understand throughout, nothing distracts")),
                Level(7, N_("Good"), N_("easy to understand, with small slips or a slight accent")),
                Level(5, N_("Understandable"), N_("takes some effort, but the meaning comes across")),
                Level(3, N_("Poor"), N_("hard to follow")),
                Level(0, N_("Very poor"), N_("hardly any of it can be understood, or nothing was said")),
            ),
        ),
    ),
    overall="total",
    marks=MARKS,
)  # fmt: skip

RUBRICS: dict[RubricName, Rubric] = {rubric.name: rubric for rubric in (WORD, SENTENCE)}
