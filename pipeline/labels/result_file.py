"""The label file `<stem>_result.json`: five keys that stay valid for ever, and the history beneath them.

    {"word", "score", "labeled", "evaluator", "notes"}       the derived consensus, for any reader
    {"rubric", "ratings", "consensus"}                       who said what and when, append-only

A file with the five keys alone (written by an older tool or by hand) counts as one rating. Someone who edits the
five keys of a newer file has rated, too: the edit is adopted as a further event. Unknown keys are kept.
"""

import json
import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.cells import flag
from pipeline.errors import LabelError, said_by
from pipeline.i18n import N_, Message, about, ended
from pipeline.labels.consensus import Consensus, consensus
from pipeline.labels.history import current_ratings
from pipeline.labels.segments import checked_segments, mark_from_json, segment_from_json, segment_to_json
from pipeline.people.names import best_spelling, is_nobody, name_key, spaced, spelled_as
from pipeline.records import Purpose, RatingAction, RatingEvent, RatingSource, RubricName, to_json
from pipeline.times import as_text, has_zone, utc_time
from pipeline.write_errors import not_written

FIVE_KEYS = ("word", "score", "labeled", "evaluator", "notes")
OWN_KEYS = (*FIVE_KEYS, "rubric", "ratings", "consensus")
UNKNOWN_TIME = "1970-01-01T00:00:00.000+00:00"
SEVERAL = "consensus"
NO_RATER = "unknown"  # of a file that names nobody
UNRATED = "before_rating"  # what the five keys of a file without ratings held
_SYNTHETIC_EVALUATORS = ("demo-synthetic",)
_EVENT_KEYS = RatingEvent.__dataclass_fields__.keys() - {"extra"}
_PARTS: Mapping[str, Callable[[Any], Any]] = {
    "marks": lambda marks: tuple(map(mark_from_json, marks)),
    "segments": lambda segments: checked_segments(list(map(segment_from_json, segments))),
}


class LabelTimeError(LabelError):
    """A label file is sound but for the time of an event, which can be mended without losing a rating."""


class _WrongTime(ValueError):
    """`likely` is what was most probably meant; "" where nobody can tell."""

    def __init__(self, message: str, likely: str = "") -> None:
        super().__init__(message)
        self.likely = likely


@dataclass(frozen=True)
class ResultFile:
    """One recording's labels. The first five fields are derived from `ratings`; `extra` holds foreign keys."""

    word: str
    score: float | None
    labeled: bool
    evaluator: str
    notes: str
    rubric: RubricName
    ratings: tuple[RatingEvent, ...] = ()
    consensus: Consensus | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def derive(word: str, rubric: RubricName, ratings: tuple[RatingEvent, ...], extra: dict[str, Any]) -> ResultFile:
    """The file that follows from a history."""
    agreed = consensus(ratings)
    if agreed is None:
        before = extra.get(UNRATED)
        said = {key: str(value or "") for key, value in before.items()} if isinstance(before, dict) else {}
        evaluator, remark = said.get("evaluator", ""), said.get("notes", "")
        return ResultFile(word, None, False, evaluator, remark, rubric, ratings, None, extra)
    current = current_ratings(ratings)
    notes = [(who, current[who].notes) for who in agreed.evaluators if who in current and current[who].notes]
    one = len(agreed.evaluators) == 1
    return ResultFile(
        word=word,
        score=agreed.score,
        labeled=True,
        evaluator=agreed.evaluators[0] if one else SEVERAL,
        notes=notes[0][1] if one and notes else "\n".join(f"{who}: {text}" for who, text in notes),
        rubric=rubric,
        ratings=ratings,
        consensus=agreed,
        extra=extra,
    )


def append(result: ResultFile, event: RatingEvent) -> ResultFile:
    return derive(result.word, result.rubric, (*result.ratings, event), result.extra)


def respelled(result: ResultFile, spelling: Callable[[str], str]) -> ResultFile:
    """The same with every rater's name as `spelling` has it."""
    ratings = tuple(
        replace(event, evaluator=spelling(event.evaluator), experts=tuple(map(spelling, event.experts)))
        if event.experts or spelling(event.evaluator) != event.evaluator
        else event
        for event in result.ratings
    )
    return result if ratings == result.ratings else derive(result.word, result.rubric, ratings, result.extra)


def scale_is_unknown(event: RatingEvent) -> bool:
    """Whether it stood in a file of another program, which does not say on which scale it was given; see
    `pipeline.labels.repair.rescale_labels`."""
    return event.at == UNKNOWN_TIME and event.source is RatingSource.HUMAN and not event.reason


def is_unscaled(result: ResultFile) -> bool:
    return any(map(scale_is_unknown, result.ratings))


def read_result(path: Path) -> ResultFile | None:
    """None where there is no file. Raises LabelError, naming what is wrong, for one that is no label file."""
    try:
        raw = artifacts.read_json(path)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        reason = Message(N_("This is not a label file: {reason}. Save it as UTF-8."), reason=said_by(error))
        raise LabelError(about(str(path), reason)) from error
    except (OSError, ValueError, RecursionError) as error:
        reason = Message(N_("The label file cannot be read: {reason}."), reason=said_by(error))
        raise LabelError(about(str(path), reason)) from error
    return parse_result(raw, path)


def parse_result(raw: Any, path: Path) -> ResultFile:
    """Raises LabelError where `raw`, the content of `path`, is no label object."""
    if not isinstance(raw, dict) or not {"word", "score"} <= raw.keys():
        there = (
            Message(N_("the keys {names}"), names=", ".join(map(str, raw))) if isinstance(raw, dict) else f"{raw!r:.40}"
        )
        reason = Message(
            N_("This is not a label file: expected an object with the keys {names}, got {content}."),
            names=", ".join(FIVE_KEYS), content=there,
        )  # fmt: skip
        raise LabelError(about(str(path), reason))
    try:
        json.dumps(raw, ensure_ascii=False).encode()  # lone surrogates could be written nowhere
        rubric = RubricName(raw.get("rubric") or RubricName.WORD)
        ratings = _one_spelling([event_from_json(event) for event in raw.get("ratings") or ()])
        extra = {key: value for key, value in raw.items() if key not in OWN_KEYS}
        stored = derive(str(raw["word"]), rubric, ratings, extra)
        edit = _outside_edit(raw, stored)
        if edit is None and not ratings:  # a remark of somebody who has not rated yet
            said = {key: raw[key] for key in ("score", "evaluator", "notes") if raw.get(key)}
            if said and UNRATED not in extra:
                stored = derive(stored.word, rubric, ratings, {**extra, UNRATED: said})
    except _WrongTime as error:
        reason = Message(
            N_(
                "The label file is damaged: {reason}. It was not changed; `pronlab label repair {path}` repairs the "
                "time and keeps every rating."
            ),
            path=shlex.quote(str(path)), reason=said_by(error),
        )  # fmt: skip
        raise LabelTimeError(about(str(path), reason)) from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, LabelError) as error:
        reason = Message(N_("The label file is damaged: {reason}"), reason=ended(said_by(error)))
        raise LabelError(about(str(path), reason)) from error
    return append(stored, edit) if edit is not None else stored


def write_result(path: Path, result: ResultFile, *, durable: bool = True) -> None:
    """Write whole or not at all. `durable=False` leaves out the flush to disk, for imports that can be run again.

    Raises LabelError where the disk is full or the folder cannot be written; the former file is intact then.
    """
    try:
        if durable:
            artifacts.write_json(path, _to_file(result))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(artifacts.TEMPORARY_PREFIX + path.name)
            temporary.write_text(json.dumps(_to_file(result), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            temporary.replace(path)
    except OSError as error:
        raise LabelError(
            not_written(
                N_("The label could not be written to {path} ({reason}). Nothing was changed."), path, error,
                otherwise=N_("Or copy the corpus to a folder where Pronlab may write, and import that."),
            )
        ) from error  # fmt: skip


def _to_file(result: ResultFile) -> dict[str, Any]:
    own = {key: getattr(result, key) for key in FIVE_KEYS}
    ratings = [event_to_json(event) for event in result.ratings]
    derived = {"rubric": str(result.rubric), "ratings": ratings, "consensus": to_json(result.consensus)}
    return {**own, **derived, **to_json(result.extra)}


def event_to_json(event: RatingEvent) -> dict[str, Any]:
    """Empty optional fields are left out, so that a file with many raters stays readable. Foreign keys, and what could
    not be read, stay as they were."""
    plain: dict[str, Any] = to_json(event)
    plain["segments"] = [segment_to_json(segment) for segment in event.segments]
    extra = plain.pop("extra")
    return {**extra, **{key: value for key, value in plain.items() if value not in (None, "", {}, [])}}


def event_from_json(raw: Mapping[str, Any]) -> RatingEvent:
    """A rating counts whatever is wrong with its marks or segments: these are kept as they are, and left out."""
    score = raw.get("score")
    parts, unread = _parts(raw)
    return RatingEvent(
        evaluator=_rater(raw["evaluator"]),
        action=RatingAction(raw["action"]),
        at=_time(raw["at"]),
        score=None if score is None else _score(score),
        dimensions={str(key): _dimension(value) for key, value in (raw.get("dimensions") or {}).items()},
        notes=str(raw.get("notes") or ""),
        reason=str(raw.get("reason") or ""),
        marks=parts.get("marks", ()),
        source=RatingSource(raw.get("source") or RatingSource.HUMAN),
        project=str(raw.get("project") or ""),
        purpose=Purpose(raw.get("purpose") or ""),
        took_s=None if raw.get("took_s") is None else _dimension(raw["took_s"]),
        heard=None if raw.get("heard") is None else min(1.0, max(0.0, _dimension(raw["heard"]))),
        segments=parts.get("segments", ()),
        rubric=str(raw.get("rubric") or ""),
        experts=tuple(map(_rater, raw.get("experts") or ())),
        undoes=None if raw.get("undoes") is None else RatingAction(raw["undoes"]),
        extra={key: value for key, value in raw.items() if key not in _EVENT_KEYS or key in unread},
    )


def _parts(raw: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The marks and segments of an event, and why those of them that are missing cannot be read."""
    parts: dict[str, Any] = {}
    unread: dict[str, str] = {}
    for key, read in _PARTS.items():
        try:
            if raw.get(key):
                parts[key] = read(raw[key])
        except (LabelError, ValueError, TypeError, AttributeError, OverflowError) as error:
            unread[key] = said_by(error)
    return parts, unread


def unread_parts(event: RatingEvent) -> dict[str, str]:
    """Of marks and segments those that were left out, with the reason."""
    return _parts(event.extra)[1] if event.extra.keys() & _PARTS.keys() else {}


def _outside_edit(raw: Mapping[str, Any], stored: ResultFile) -> RatingEvent | None:
    """The rating that the five keys hold and the history does not, or None where they agree."""
    score, labeled = raw.get("score"), raw.get("labeled")
    if score is None or (labeled is not None and not flag(labeled)):
        return None
    name = str(raw.get("evaluator") or "")
    evaluator = NO_RATER if is_nobody(name) else spaced(name)
    evaluator = spelled_as(evaluator, {event.evaluator for event in stored.ratings}) or evaluator
    same_score = stored.score is not None and math.isclose(_score(score), stored.score, abs_tol=1e-3)
    said = (evaluator, str(raw.get("notes") or ""))
    # Of several raters the five keys hold a summary: only its score can have been edited to mean something.
    if stored.labeled and same_score and (said == (stored.evaluator, stored.notes) or stored.evaluator == SEVERAL):
        return None
    named = NO_RATER if evaluator == SEVERAL else evaluator
    event = RatingEvent(
        evaluator=named,
        action=RatingAction.RATE,
        at=UNKNOWN_TIME,
        score=_score(score),
        notes=str(raw.get("notes") or ""),
        source=RatingSource.SYNTHETIC if named in _SYNTHETIC_EVALUATORS else RatingSource.HUMAN,
    )
    return event if not stored.ratings else replace(event, reason="edited outside Pronlab")


def with_sound_times(raw: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """The content of a label file with each wrong time replaced, and how many there were. A time without a zone is
    taken as UTC; any other becomes one just after the event before it (the history is in order), else the earliest
    there is."""
    events, last, n = [], UNKNOWN_TIME, 0
    for event in raw["ratings"]:
        try:
            last = _time(event["at"])
        except _WrongTime as error:
            last, n = error.likely or as_text(utc_time(last) + timedelta(milliseconds=1)), n + 1
        events.append({**event, "at": last})
    return {**raw, "ratings": events}, n


def _time(value: Any) -> str:
    try:
        moment = utc_time(value)
    except ValueError as error:
        raise _WrongTime(_at(said_by(error))) from None
    if not has_zone(value):
        raise _WrongTime(_at(Message(N_("the time {value} has no time zone"), value=repr(value))), as_text(moment))
    return as_text(moment)


def _at(reason: str) -> Message:
    """Behind the key of an event that it is about."""
    return Message("at: {reason}", reason=reason)


def _rater(value: Any) -> str:
    if value is None or is_nobody(str(value)):
        raise ValueError(Message(N_("a rating names no rater, got {value}"), value=repr(value)))
    return spaced(str(value))


def _one_spelling(events: Sequence[RatingEvent]) -> tuple[RatingEvent, ...]:
    """Spellings of one name within a file are one rater."""
    spellings: dict[str, set[str]] = {}
    for name in {event.evaluator for event in events}:
        spellings.setdefault(name_key(name), set()).add(name)
    if all(len(names) == 1 for names in spellings.values()):
        return tuple(events)
    return tuple(replace(e, evaluator=best_spelling(spellings[name_key(e.evaluator)])) for e in events)


def _dimension(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(Message(N_("a dimension must be a finite number, got {value}"), value=repr(value)))
    return number


def _score(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 100.0:
        raise ValueError(Message(N_("a score must be a number between 0 and 100, got {value}"), value=repr(value)))
    return float(value)
