"""What every reader returns: one utterance of a corpus with what its experts said, before it becomes a Recording."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import CorpusError, LabelError, UnknownNameError
from pipeline.i18n import N_, Message, about
from pipeline.records import Problem, RatingAction, RatingEvent, RatingSource, RubricName, Seconds
from pipeline.rubrics import RUBRICS
from pipeline.text.languages import UNDETERMINED, language_code

ROUNDED_S: Seconds = 0.1  # by which times that a corpus gives may differ from its files
SENTENCE_KEYS = tuple(dimension.key for dimension in RUBRICS[RubricName.SENTENCE].dimensions)


@dataclass(frozen=True)
class Clip:
    """Audio that cannot be used where it lies: the bytes of a table, a SPHERE file, or a piece of a longer recording
    (from `start_s` to `end_s`, None: to its end). The importer writes it as a file of its own; `as_it_is` says that it
    is a copy of `file`, byte for byte."""

    file: Path | None = None
    content: bytes | None = None
    start_s: Seconds = 0.0
    end_s: Seconds | None = None
    as_it_is: bool = False

    def check_within(self, file: str, length_s: Seconds) -> None:
        """Raises CorpusError where the piece lies beyond the end of the file of that name, or ends after it."""
        if self.start_s >= length_s:
            raise CorpusError(
                N_("{file} ends at {seconds:.2f} s, before the piece, which begins at {start:g} s"),
                file=file, seconds=length_s, start=self.start_s,
            )  # fmt: skip
        if self.end_s is not None and self.end_s - length_s > ROUNDED_S:
            raise CorpusError(
                N_("{file} ends at {seconds:.2f} s, within the piece from {start:g} s to {end:g} s"),
                file=file, seconds=length_s, start=self.start_s, end=self.end_s,
            )  # fmt: skip


@dataclass(frozen=True)
class CorpusItem:
    """One utterance. `key` is unique in the corpus; `audio` is relative to the corpus's root.

    `experts`, `median` and `released` hold sentence dimensions 0-10 (`experts` a list of values each, NaN where an
    expert gave none); `score` is a single 0-100 reference score of a corpus that has no dimensions. `ratings` is a
    whole history as in label files, where the corpus was exported from an installation. `clip` is set where the audio
    has to be written first.
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
    ratings: tuple[dict[str, Any], ...] = ()
    clip: Clip | None = None

    @property
    def reference(self) -> tuple[str, float] | None:
        """Which score to report against, and its value 0-100: the released one, else the experts' median, else the
        corpus's own single score; None for an utterance nobody scored."""
        for name, values in (("released", self.released), ("median", self.median)):
            if "total" in values:
                return name, 10.0 * float(values["total"])
        return None if self.score is None else ("score", self.score)

    def events(self, at: str) -> tuple[RatingEvent, ...]:
        """The corpus's judgements as ratings: one an expert, else the released or single score as one rating. An expert
        who left out a dimension that others gave has no rating.

        Raises LabelError where a value lies outside the rubric.
        """
        rows = [(who, row) for who, row in _by_expert(self.experts) if not any(map(math.isnan, row.values()))]
        rows = rows or ([("released", self.released)] if self.released else [])
        if not rows and self.score is not None:
            return (_event("corpus", at, self.score, {}),)
        return tuple(
            _event(who, at, RUBRICS[self.rubric].overall_score(values), values)
            for who, row in rows
            if (values := {key: float(row[key]) for key in SENTENCE_KEYS if key in row})
        )

    @property
    def gaps(self) -> list[str]:
        """The values that an expert did not give, e.g. `accuracy of expert 3`."""
        return [
            Message(N_("{key} of expert {number}"), key=key, number=number)
            for key, values in self.experts.items()
            for number, value in enumerate(values, start=1)
            if math.isnan(value)
        ]


Entry = CorpusItem | Problem


def language_given(value: str) -> str:
    """The code of a corpus's language; `und` where it does not say. Raises CorpusError for one that is not known."""
    try:
        return language_code(value) if value.strip() else UNDETERMINED
    except UnknownNameError as error:
        raise CorpusError(error.text) from error


def in_line(number: int, reason: str) -> Message:
    return Message(N_("Line {number}: {reason}"), number=str(number), reason=reason)


def same_name(audio: str) -> Problem:
    """Of a recording whose labels would lie where another's do."""
    message = Message(N_("Another recording has the same name, so their labels would be one file. Rename one."))
    return Problem("duplicate", about(audio, message), "error", audio)


def with_first_problem(text: Message, problems: Sequence[Problem]) -> Message:
    """`text`, and the first of `problems` behind it, where there is one."""
    if not problems:
        return text
    return Message(N_("{text} First problem: {problem}"), text=text, problem=problems[0].message)


@dataclass(frozen=True)
class Reading:
    """A corpus being read: `entries` in order, utterances and what could not be used among them, one at a time so that
    a corpus of any size fits; `total` is how many there are, as far as that is known beforehand. `copies` tells whether
    any audio has to be written anew (bytes in tables, SPHERE, pieces of longer recordings), else all is used where it
    lies."""

    root: Path
    entries: Iterator[Entry]
    total: int = 0
    copies: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Scan:
    """A corpus read as a whole: utterances, and what could not be used."""

    items: tuple[CorpusItem, ...]
    problems: tuple[Problem, ...] = ()


def scanned(entries: Iterator[Entry]) -> Scan:
    items: list[CorpusItem] = []
    problems: list[Problem] = []
    for entry in entries:
        if isinstance(entry, Problem):
            problems.append(entry)
        else:
            items.append(entry)
    return Scan(tuple(items), tuple(problems))


def _by_expert(experts: dict[str, list[float]]) -> list[tuple[str, dict[str, float]]]:
    """Columns of values to one row an expert. Raises LabelError where the columns differ in length."""
    lengths = {key: len(values) for key, values in experts.items()}
    if len(set(lengths.values())) > 1:
        raise LabelError(
            N_("Every dimension needs a value from each expert; got these counts: {lengths}."), lengths=str(lengths)
        )
    n = next(iter(lengths.values()), 0)
    return [(f"expert_{i + 1}", {key: values[i] for key, values in experts.items()}) for i in range(n)]


def _event(evaluator: str, at: str, score: float, dimensions: dict[str, float]) -> RatingEvent:
    return RatingEvent(evaluator, RatingAction.RATE, at, score, dimensions, source=RatingSource.CORPUS)
