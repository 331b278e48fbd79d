"""What every scanner returns: one utterance of a corpus with what its experts said, before it becomes a Recording."""

from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import LabelError
from pipeline.records import Problem, RatingAction, RatingEvent, RatingSource, RubricName
from pipeline.rubrics import RUBRICS

SENTENCE_KEYS = tuple(dimension.key for dimension in RUBRICS[RubricName.SENTENCE].dimensions)


@dataclass(frozen=True)
class CorpusItem:
    """One utterance. `key` is unique in the corpus; `audio` is relative to the corpus's root.

    `experts`, `median` and `released` hold sentence dimensions 0-10 (`experts` a list of values each); `score` is a
    single 0-100 reference score of a corpus that has no dimensions.
    """

    key: str
    audio: str
    text: str
    speaker: str
    rubric: RubricName
    language: str = "und"
    part: str | None = None
    experts: dict[str, list[float]] = field(default_factory=dict)
    median: dict[str, float] = field(default_factory=dict)
    released: dict[str, float] = field(default_factory=dict)
    score: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def reference(self) -> tuple[str, float] | None:
        """Which score to report against, and its value 0-100: the released one, else the experts' median, else the
        corpus's own single score; None for an utterance nobody scored."""
        for name, values in (("released", self.released), ("median", self.median)):
            if "total" in values:
                return name, 10.0 * float(values["total"])
        return None if self.score is None else ("score", self.score)

    def events(self, at: str) -> tuple[RatingEvent, ...]:
        """The corpus's judgements as ratings: one an expert, else the released or single score as one rating.

        Raises LabelError where a value lies outside the rubric.
        """
        rows = _by_expert(self.experts) or ([("released", self.released)] if self.released else [])
        if not rows and self.score is not None:
            return (_event("corpus", at, self.score, {}),)
        return tuple(
            _event(who, at, RUBRICS[self.rubric].overall_score(values), values)
            for who, row in rows
            if (values := {key: float(row[key]) for key in SENTENCE_KEYS if key in row})
        )


@dataclass(frozen=True)
class Scan:
    """What a scanner found: utterances, and what it could not use."""

    items: tuple[CorpusItem, ...]
    problems: tuple[Problem, ...] = ()


def _by_expert(experts: dict[str, list[float]]) -> list[tuple[str, dict[str, float]]]:
    """Columns of values to one row an expert. Raises LabelError where the columns differ in length."""
    lengths = {key: len(values) for key, values in experts.items()}
    if len(set(lengths.values())) > 1:
        raise LabelError(f"Every dimension needs a value from each expert; got these counts: {lengths}.")
    n = next(iter(lengths.values()), 0)
    return [(f"expert_{i + 1}", {key: values[i] for key, values in experts.items()}) for i in range(n)]


def _event(evaluator: str, at: str, score: float, dimensions: dict[str, float]) -> RatingEvent:
    return RatingEvent(evaluator, RatingAction.RATE, at, score, dimensions, source=RatingSource.CORPUS)
