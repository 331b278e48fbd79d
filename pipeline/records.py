"""The records that every part of Pronlab exchanges. Plain frozen dataclasses; no reading, writing or printing.

What was recorded (`Recording`), what a machine measured (`AudioReport`), what a person said about it
(`RatingEvent`) and what a scorer answered (`ScoreResult`) are different records. Scores called `overall` or `score`
are 0-100; a rubric's own dimensions keep their own scale.
"""

import dataclasses
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pipeline.i18n import N_, Message, _, about, from_parts

Seconds = float


class RubricName(StrEnum):
    """What is read, a word or a sentence: it decides which scorers answer, and names the rubric that comes with
    Pronlab for it (`pipeline.rubrics`)."""

    WORD = "word"
    SENTENCE = "sentence"


@dataclass(frozen=True)
class Band:
    """A verbal band over 0-100: `low` is its inclusive lower bound. `label` and `meaning` are the catalogue's source
    strings; what people see is `shown_label` and `shown_meaning`, in their language."""

    key: str
    low: float
    label: str
    meaning: str

    @property
    def shown_label(self) -> str:
        return _(self.label)

    @property
    def shown_meaning(self) -> str:
        return _(self.meaning)


BANDS: tuple[Band, ...] = (
    Band("excellent", 90.0, N_("Excellent"), N_("native-like")),
    Band("good", 80.0, N_("Good"), N_("clear, understandable")),
    Band("fair", 70.0, N_("Fair"), N_("some errors")),
    Band("poor", 60.0, N_("Poor"), N_("many errors")),
    Band("very_poor", 0.0, N_("Very poor"), N_("unintelligible")),
)


def band_of(score: float) -> Band:
    """The band of a 0-100 score. Raises ValueError outside 0-100 or for NaN."""
    if not 0.0 <= score <= 100.0:
        raise ValueError(f"a score must lie in 0-100, got {score!r}")
    return next(band for band in BANDS if score >= band.low)


def whole_points(score: float) -> int:
    """A score (0-100) as people read it: cut, not rounded, so that no number belongs to the band above its own (79.6 is
    79, and "fair"). Every page, command and report shows whole points by it; files and JSON have the score itself."""
    return int(score + 1e-9)  # a mean of 80s may lie a hair under 80


@dataclass(frozen=True)
class Problem:
    """Something found wrong with a recording, file or import. `code` is stable, `message` is for people: the reason
    and what to do. `line` counts from 1 in a file of lines; `value` is what stands there."""

    code: str
    message: str
    severity: Literal["error", "warning"] = "warning"
    path: str | None = None
    line: int | None = None
    value: str | None = None

    @property
    def placed(self) -> str:
        """The message behind its path, for lists without a column for that."""
        return self.message if self.path is None else about(self.path, self.message)


def problem_row(problem: Problem) -> dict[str, Any]:
    """As the files have it that Pronlab reads again (by `problem_from`): with what its message is made of, so that it
    can be read in any language. Other JSON (`to_json`) has the English text alone."""
    return {**vars(problem), **(problem.message.as_parts() if isinstance(problem.message, Message) else {})}


def problem_from(row: Mapping[str, Any]) -> Problem:
    """From what `problem_row` made. A message without its parts, as in older files, or with parts that do not give its
    English text is that text. Raises TypeError or AttributeError for what is no problem."""
    known = {key: value for key, value in row.items() if key not in ("msgid", "values")}
    if "msgid" in row:
        with suppress(ValueError):
            message = from_parts(row)
            if message == known.get("message"):
                known["message"] = message
    return Problem(**known)


@dataclass(frozen=True)
class AudioReport:
    """What was measured on a recording, once. Levels are linear with full scale 1.0; shares are 0-1."""

    duration_s: Seconds
    sample_rate_hz: int
    channels: int
    peak: float
    clipped_share: float
    silence_share: float
    snr_db: float | None
    problems: tuple[Problem, ...] = ()


NO_SPEAKER = "unknown"  # of a recording whose corpus names none


@dataclass(frozen=True)
class Recording:
    """One recording of one speaker reading one known text.

    `id` is `<set>/<path without extension>`, stable over rescans. `path` is the audio, relative to the set's root;
    `part` is the corpus's own partition (`train`, `dev`), where it has one.
    """

    id: str
    set: str
    path: str
    speaker: str
    text: str
    rubric: RubricName
    language: str = "und"
    part: str | None = None
    report: AudioReport | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class RatingAction(StrEnum):
    """What an expert does (rate, skip, flag), what a reviewer does (decide the score, exclude the recording, request a
    further rating, hand a skipped or flagged one back to those who did, reassign it to others), and taking back
    either."""

    RATE = "rate"
    SKIP = "skip"
    FLAG = "flag"
    UNDO = "undo"
    DECIDE = "decide"
    EXCLUDE = "exclude"
    REQUEST = "request"
    RETURN = "return"
    REASSIGN = "reassign"


RATINGS = (RatingAction.RATE, RatingAction.SKIP, RatingAction.FLAG)
REVIEWS = (
    RatingAction.DECIDE, RatingAction.EXCLUDE, RatingAction.REQUEST, RatingAction.RETURN, RatingAction.REASSIGN,
)  # fmt: skip


class Purpose(StrEnum):
    """Why an expert was given a recording: to be rated, to be compared with a known answer before the work begins or
    silently within it, or to see whether they rate it as they did before."""

    WORK = ""
    CALIBRATION = "calibration"
    GOLD = "gold"
    REPEAT = "repeat"


class RatingSource(StrEnum):
    """Who spoke: a person here, a corpus's own experts, a synthesiser's known fault, or made-up dry-run values."""

    HUMAN = "human"
    CORPUS = "corpus"
    SYNTHETIC = "synthetic"
    MOCK = "mock"


@dataclass(frozen=True)
class Mark:
    """An expert's remark on one word or phone: `word` counts from 0, `phone` is None for the whole word."""

    word: int
    phone: int | None
    kind: str
    heard: str = ""


@dataclass(frozen=True)
class Segment:
    """An interval of a recording with a label, in a tier: `words`, `phones`, `comments` (moments: both ends are one) or
    another. `word` and `phone` are the place in the text that it stands for, counted as in `Mark`; an interval of the
    phones without `phone` is a sound that was added. `marks` are the kinds of marks on it with what was heard."""

    tier: str
    start_s: Seconds
    end_s: Seconds
    label: str = ""
    word: int | None = None
    phone: int | None = None
    marks: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RatingEvent:
    """One append-only entry in a recording's rating history.

    `score` is 0-100 and None unless `action` is RATE or DECIDE; `dimensions` holds the rubric's own values; `at` is
    ISO 8601 in UTC. `reason` says why for SKIP, FLAG and EXCLUDE. The current rating of an evaluator is their last
    RATE, SKIP or FLAG that no later UNDO of theirs takes back, calibration and repeats left out. `project` and
    `purpose` say where the recording came from, `took_s` how long the expert had it before them,
    `heard` which share of it (0-1) they played at least once. `rubric` names the version of the rubric whose values
    RATE and DECIDE have, as `name@version`; empty for the shipped one of the recording as it was before versions were
    kept. `experts` are those to whom REASSIGN gives the recording. `undoes` is the action that UNDO takes
    back, of the evaluator's last event with it; None, in older files, of their last event of any kind. `segments` are
    the evaluator's tiers, in order; see `labels.segments` for how they and `marks` hang together. `extra` holds foreign
    keys, and marks or segments that could not be read.
    """

    evaluator: str
    action: RatingAction
    at: str
    score: float | None = None
    dimensions: dict[str, float] = field(default_factory=dict)
    notes: str = ""
    reason: str = ""
    marks: tuple[Mark, ...] = ()
    source: RatingSource = RatingSource.HUMAN
    project: str = ""
    purpose: Purpose = Purpose.WORK
    took_s: Seconds | None = None
    heard: float | None = None
    segments: tuple[Segment, ...] = ()
    rubric: str = ""
    experts: tuple[str, ...] = ()
    undoes: RatingAction | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """What the speaker was asked to say. `phones` are its canonical phones word by word, where somebody gave them."""

    text: str
    language: str = "und"
    rubric: RubricName = RubricName.WORD
    phones: tuple[tuple[str, ...], ...] | None = None


class Verdict(StrEnum):
    """On a phone or word: as it should be, with an accent, wrong, or not said."""

    RIGHT = "right"
    ACCENTED = "accented"
    WRONG = "wrong"
    MISSING = "missing"


class State(StrEnum):
    """Whether a recording was scored, and why it was not, or scores low whatever its sounds are."""

    SCORED = "scored"
    REFUSED = "refused"
    NO_SPEECH = "no_speech"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    OTHER_TEXT = "other_text"
    UNPARSED = "unparsed"  # a language model's answer that could not be read


@dataclass(frozen=True)
class PhoneScore:
    """One canonical phone. `heard` is what was said in its place where that is not it (`<unk>`: a sound that no phone
    fits), `before` phones that were added before it. `confidence` is the probability that an expert would agree with
    `verdict`."""

    phone: str
    score: float
    start_s: Seconds
    end_s: Seconds
    verdict: Verdict = Verdict.RIGHT
    heard: str | None = None
    before: tuple[str, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True)
class WordScore:
    """One word of the text as it is said. `dimensions` are on the corpus's scales (accuracy, stress, total 0-10);
    `heard` is another word that was said in its place. `written` is the part of the text that it is said for (`25` for
    `twenty` and for `five`), `token` the number of the piece between blanks that it is in. `experimental`: its phones
    were judged by a model that has learned from synthetic speech alone."""

    text: str
    score: float
    start_s: Seconds
    end_s: Seconds
    phones: tuple[PhoneScore, ...] = ()
    verdict: Verdict = Verdict.RIGHT
    dimensions: dict[str, float] = field(default_factory=dict)
    heard: str | None = None
    written: str = ""
    token: int = 0
    experimental: bool = False


@dataclass(frozen=True)
class ScoreResult:
    """What every scorer answers, and what the command line, HTTP and the dashboard show.

    `overall` is 0-100, or None when the recording could not be scored; then `band` is None, `scoring_method` is
    `none`, and `state` and `warnings` say why. `confidence` is the estimated probability (0-1) that an expert's
    score lies within 10 points, None where the scorer has no such estimate. `heard_phones` and `heard_text` are
    what was recognised without being told the text, where the scorer listens that way; `added_words` those of them
    that are not in the text, `n_repeats` how often the reader began something again. `cut_before_s` and
    `cut_after_s` are how much of the recording was left out before and after the speech; all times are those of the
    whole recording. `not_measured` names the dimensions that the scorer judges where it can and could not here: they
    are not in `dimensions` and cost `overall` nothing.
    """

    overall: float | None
    band: str | None
    scoring_method: Literal["ml_model", "heuristic", "none"]
    scorer: str
    model_id: str
    target: Target
    confidence: float | None = None
    dimensions: dict[str, float] = field(default_factory=dict)
    words: tuple[WordScore, ...] = ()
    warnings: tuple[str, ...] = ()
    audio: AudioReport | None = None
    milliseconds: float = 0.0
    state: State = State.SCORED
    heard_phones: tuple[str, ...] | None = None
    heard_text: str | None = None
    added_words: tuple[str, ...] = ()
    n_repeats: int = 0
    cut_before_s: Seconds = 0.0
    cut_after_s: Seconds = 0.0
    not_measured: tuple[str, ...] = ()


_PLAIN = (str, int, bool, type(None))


def to_json(record: Any) -> Any:
    """Turn records, enums, paths and numpy scalars into what `json.dumps` takes; non-finite floats become None."""
    kind = type(record)
    if kind in _PLAIN:  # nearly all there is: what comes first here is what comes most often
        return record
    if isinstance(record, float):
        return record if math.isfinite(record) else None
    if isinstance(record, dict):
        return {str(key): to_json(value) for key, value in record.items()}
    if isinstance(record, list | tuple | set | frozenset):
        return [to_json(value) for value in record]
    names = _fields_of(kind)
    if names:
        return {name: to_json(getattr(record, name)) for name in names}
    if isinstance(record, StrEnum | Path):
        return str(record)
    if hasattr(record, "item") and getattr(record, "ndim", None) == 0:
        return to_json(record.item())
    if hasattr(record, "tolist"):
        return to_json(record.tolist())
    return record


_FIELDS: dict[type, tuple[str, ...]] = {}


def _fields_of(kind: type) -> tuple[str, ...]:
    """The names of a dataclass's fields; none for another type."""
    names = _FIELDS.get(kind)
    if names is None:
        names = tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()
        _FIELDS[kind] = names
    return names
