"""The scales on which scores come from elsewhere: asked or known, never guessed.

Four of five stars are not 4 of 100. A scale that a file does not say is asked for, and so is one that looks wrong:
scores that all lie in the lowest tenth of the rubric's scale (0 to 10 of 100) were in all likelihood given on another.
"""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipeline.errors import LabelError
from pipeline.i18n import N_, Message
from pipeline.rubrics import Dimension

_WRITTEN = re.compile(r"\s*(?:(?P<low>[0-9]+(?:[.,][0-9]+)?)\s*(?:-|–|to|:)\s*)?(?P<high>[0-9]+(?:[.,][0-9]+)?)\s*")
SUSPECT_SHARE = 0.1  # of the rubric's scale


@dataclass(frozen=True)
class Scale:
    """From the worst score to the best, in the numbers of whoever gave it."""

    low: float
    high: float

    def onto(self, value: float, dimension: Dimension) -> float:
        """The value on the dimension's own scale. Raises LabelError for one that is off this scale."""
        if not (math.isfinite(value) and self.low <= value <= self.high):
            raise LabelError(
                Message(
                    N_("{value} is off the scale of {low} to {high}. Correct it, or give another scale."),
                    value=f"{value:g}", low=f"{self.low:g}", high=f"{self.high:g}",
                )
            )  # fmt: skip
        if self == own_scale(dimension):
            return value
        return dimension.at((value - self.low) / (self.high - self.low))


def own_scale(dimension: Dimension) -> Scale:
    return Scale(dimension.low, dimension.high)


def parse_scale(text: str) -> Scale:
    """`5` is 0 to 5 and `1-5` is 1 to 5. Raises LabelError for anything else."""
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise LabelError(
            N_("{text!r} is not a scale. Write its best score, such as 5, or both ends, such as 1-5."), text=text
        )
    low, high = (float((written[end] or "0").replace(",", ".")) for end in ("low", "high"))
    if low >= high:
        raise LabelError(N_("{text!r} is not a scale: its best score must be above its worst."), text=text)
    return Scale(low, high)


def _written(scale: Scale) -> str:
    """As `parse_scale` reads it."""
    return f"{scale.high:g}" if scale.low == 0 else f"{scale.low:g}-{scale.high:g}"


def question(scores: Mapping[str, Collection[float]], dimensions: Collection[Dimension]) -> Message | None:
    """What to ask about scores by dimension whose scale nobody gave; None where they may well be on the rubric's."""
    for dimension in dimensions:
        values = [value for value in scores.get(dimension.key, ()) if math.isfinite(value)]
        tenth = dimension.low + SUSPECT_SHARE * (dimension.high - dimension.low)
        if values and min(values) >= dimension.low and dimension.low < max(values) <= tenth:
            return Message(
                N_(
                    "All scores lie between {low} and {high}, though the scale is {worst} to {best}. Give the scale "
                    "they were given on: {tenth} if {tenth} is the best score, {own} if they are right as they are."
                ),
                low=f"{min(values):g}", high=f"{max(values):g}", worst=f"{dimension.low:g}", best=f"{dimension.high:g}",
                tenth=f"{tenth:g}", own=_written(own_scale(dimension)),
            )  # fmt: skip
    return None


def star_question(values: Collection[float], dimension: Dimension) -> Message:
    """What to ask about star ratings, which do not say how many stars there are."""
    example = Scale(0, 5).onto(4, dimension)
    return Message(
        N_(
            "The ratings are stars (here {low} to {high}) and do not say how many stars there are. Give their scale: "
            "of 5 stars, 4 become {example}."
        ),
        low=f"{min(values):g}", high=f"{max(values):g}", example=f"{example:g}",
    )  # fmt: skip


def applied(scale: Scale, dimension: Dimension) -> Message:
    """How scores are read, with an example."""
    return Message(
        N_("Scores are read on a scale of {low} to {high}: {high} becomes {best}, {low} becomes {worst}."),
        low=f"{scale.low:g}", high=f"{scale.high:g}", best=f"{dimension.high:g}", worst=f"{dimension.low:g}",
    )  # fmt: skip
