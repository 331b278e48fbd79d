"""Ratings from other programs: checked as a whole before anything is written."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Literal

from pipeline import artifacts
from pipeline.corpus.sets import get_set, language_of, read_recordings
from pipeline.errors import LabelError, UnknownNameError, said_by
from pipeline.i18n import N_, Message, about
from pipeline.labels.exchange.label_studio import SHIPPED, counted, from_label_studio, from_label_studio_table
from pipeline.labels.exchange.rating_rows import Reading, Row, from_table
from pipeline.labels.exchange.textgrid_segments import placed
from pipeline.labels.history import slot
from pipeline.labels.index import Index
from pipeline.labels.marked_words import marked_words
from pipeline.labels.scale import Scale, applied, own_scale, question, star_question
from pipeline.labels.segments import mark_from_json, segments_from_json
from pipeline.labels.store import LabelStore, checked, duration_of
from pipeline.people.access import Action, Identity
from pipeline.people.names import clean_name, is_nobody, name_key, spelled_as
from pipeline.people.people import People, permit
from pipeline.records import REVIEWS, Purpose, RatingAction, RatingEvent, RatingSource, Recording
from pipeline.rubrics import MARKS, Dimension, Rubric
from pipeline.rubrics.library import RubricLibrary
from pipeline.rubrics.rubric import SCORE
from pipeline.settings import Settings
from pipeline.text import composed, visible
from pipeline.times import now_iso

Format = Literal["table", "label-studio"]
WANT_A_REASON = (RatingAction.SKIP, RatingAction.FLAG, RatingAction.EXCLUDE)
KINDS = dict(MARKS)
LARGEST = sys.float_info.max  # a whole number beyond it has hundreds of digits
NAMELESS = N_("names no rater. Name the rater of such rows, or complete the file")


@dataclass(frozen=True)
class Incoming:
    """What an import would do: ratings by recording; every row that cannot be used, with the reason; which names were
    taken for another spelling of one person's; and what else was inferred or left out. `scale_question` is what has to
    be answered first: until then there are no ratings. `n_nameless` rows name no rater."""

    ratings: dict[str, list[RatingEvent]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    respelled: tuple[str, ...] = ()
    assumed: tuple[Message, ...] = ()
    scale_question: Message | None = None
    n_nameless: int = 0

    @property
    def n(self) -> int:
        return sum(map(len, self.ratings.values()))


def read_ratings(
    content: bytes, fmt: Format | None = None, sheet: str = "", rubrics: Sequence[Rubric] = SHIPPED
) -> Reading:
    """The ratings of a file of any known kind, told by its content where `fmt` does not say it; values are named as the
    dimensions of `rubrics`. Raises LabelError or TableError where it is none of them."""
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if fmt == "label-studio" or (fmt is None and start in (b"[", b"{")):
        return Reading(from_label_studio(content, rubrics))
    if (rows := from_label_studio_table(content, rubrics)) is not None:
        return Reading(rows)
    return from_table(content, sheet, rubrics)


def check(
    settings: Settings,
    set_name: str,
    rows: Sequence[Row],
    known: Collection[str] | None = None,
    *,
    scale: Scale | None = None,
    rater: str = "",
    rubric: str = "",
) -> Incoming:
    """Against the set, the rubric and the people whose ratings may come in (`known`; None: anybody's). Spellings of
    one name become one person: as the installation knows them, else as the file has them first. Writes nothing.

    Args:
        scale: on which the scores were given; None: on the rubric's, which is asked about where they do not look so.
            Where the file has stars, it is the stars' alone.
        rater: whose the ratings are that name nobody.
        rubric: the name of the rubric of ratings that name none; empty: the shipped one of the set.

    Raises UnknownNameError where there is no such rubric, LabelError where it is none of the set's unit.
    """
    set_ = get_set(settings, set_name)
    library, unit = RubricLibrary(settings), set_.rubric
    chosen = library.rating(unit, rubric)
    first = chosen.dimensions[0]
    recordings = _Recordings(read_recordings(settings, set_name))
    raters = _Raters(People(settings), known, rater)
    given = (row.values.get(name) for row in rows for name in row.unscaled)
    stars = [value for value in given if isinstance(value, float) or (isinstance(value, int) and abs(value) <= LARGEST)]
    incoming: dict[str, list[RatingEvent]] = {}
    scores: dict[str, list[float]] = {}
    places: dict[tuple[str, ...], str] = {}
    problems: list[Message] = []
    repeated: list[Message] = []
    scaled = False
    for row in rows:
        try:
            if row.problem:
                raise LabelError(row.problem)
            recording = recordings.of(str(row.values.get("recording_id") or ""))
            name = raters.of(str(row.values.get("evaluator") or ""), is_reviewer=_action(row.values) in REVIEWS)
            named = str(row.values.get("rubric") or "")
            given_with = library.version(named) if named else chosen
            dimensions = {dimension.key: dimension for dimension in given_with.dimensions}
            values = _scored(row.values, dimensions)
            for key, value in values.items():
                if not named:
                    scores.setdefault(key, []).append(value)
                if scale is not None and key in dimensions and (not stars or key in row.unscaled):
                    values[key], scaled = scale.onto(value, dimensions[key]), True
                elif key in dimensions and key not in row.unscaled:
                    own_scale(dimensions[key]).onto(value, dimensions[key])
            rating = _event(row.values, name, values, given_with)
            if row.places_by_label and rating.segments:
                words = marked_words(recording, language_of(set_, recording))
                rating = replace(rating, segments=placed(row.values["segments"], rating.segments, words))
            event = replace(checked(given_with, rating, duration_of(recording)), evaluator=name)
        except (LabelError, UnknownNameError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            problems.append(_problem(row.place, error))
            continue
        place = recording.id, *slot(event)
        if place in places:
            repeated.append(_repeated(event, recording, places[place], row.place))
        places[place] = row.place
        incoming.setdefault(recording.id, []).append(event)
    asked: Message | None = None
    if scale is None:
        asked = star_question(stars, first) if stars else question(scores, chosen.dimensions)
    assumed = [applied(scale, first)] if scale is not None and scaled else []
    assumed += [
        Message(N_("This is no part of a rating and is left out: {result}."), result=result)
        for result in counted(name for row in rows for name in row.left_out)
    ]
    return Incoming(
        {} if asked else incoming, tuple(problems), raters.respelled(), (*assumed, *raters.assumed(), *repeated), asked,
        0 if rater else raters.n_nameless,
    )  # fmt: skip


def apply(settings: Settings, set_name: str, incoming: Incoming, by: Identity | None = None) -> int:
    """Append what is new to the histories; how many recordings that changed. Running it again changes nothing. Raises
    AccessError for who may not import, or may not decide where there are decisions."""
    permit(settings, by, Action.IMPORT_DATA)
    if any(event.action in REVIEWS for events in incoming.ratings.values() for event in events):
        permit(settings, by, Action.REVIEW)
    if incoming.scale_question is not None:
        raise LabelError(incoming.scale_question)
    store, recordings = LabelStore(settings), {r.id: r for r in read_recordings(settings, set_name)}
    changed = 0
    for key, events in incoming.ratings.items():
        changed += store.add_from_corpus(recordings[key], events, by) is not None
    Index(settings).refresh_set(set_name)
    return changed


class _Recordings:
    """The recordings of a set by id, by path with or without its suffix, and by the name of the file where it is the
    only one of that name."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self._known: dict[str, Recording] = {}
        self._named: dict[str, list[Recording]] = {}
        for recording in recordings:
            path = PurePosixPath(composed(recording.path))
            for name in {path.name, path.stem}:
                self._named.setdefault(name, []).append(recording)
            for key in (str(path.with_suffix("")), str(path), recording.id):
                self._known[key] = recording

    def of(self, asked: str) -> Recording:
        """Raises LabelError where there is none, or several could be meant."""
        key = composed(visible(asked)).strip().replace("\\", "/").removeprefix("./")
        parts = key.split("/")
        for n in range(len(parts)):  # folders may stand before the path
            recording = self._known.get("/".join(parts[n:]))
            if recording is not None:
                return recording
        alike = self._named.get(key, [])
        if len(alike) > 1:
            raise LabelError(
                Message(
                    N_("“{name}” is the name of {n} recordings in the set, such as {first}. Write the path or the id"),
                    name=key, n=str(len(alike)), first=alike[0].id,
                )
            )  # fmt: skip
        if not alike:
            raise LabelError(Message(N_("there is no recording “{name}” in the set"), name=key))
        return alike[0]


def _scored(values: Mapping[str, Any], dimensions: Mapping[str, Dimension]) -> dict[str, float]:
    """The values of the rubric's dimensions, as the file has them. Raises LabelError for what is no number."""
    given = values.get("dimensions") or {}
    if len(dimensions) == 1 or not given:
        given = {name: values[name] for name in dimensions if values.get(name) is not None}
    scored: dict[str, float] = {}
    for name, value in given.items():
        is_number = isinstance(value, float) or (isinstance(value, int) and abs(value) <= LARGEST)
        if isinstance(value, bool) or not is_number:
            raise LabelError(Message(N_("{name}: “{value}” is not a number"), name=str(name), value=str(value)[:60]))
        scored[str(name)] = float(value)
    return scored


class _Raters:
    """Whose the ratings are: spellings of one name become one person, as the installation knows them, else as the file
    has them first."""

    def __init__(self, people: People, known: Collection[str] | None, of_nameless: str) -> None:
        self.n_nameless = 0
        self._people, self._known, self._of_nameless = people, known, of_nameless
        self._reviewers = people.who_may(Action.REVIEW)
        self._spelled: dict[str, str] = {}
        self._respelled: dict[str, str] = {}

    def of(self, written: str, *, is_reviewer: bool = False) -> str:
        """Raises LabelError for nobody, for what is no name, and for somebody who may not rate (or decide) here."""
        if is_nobody(written):
            self.n_nameless += 1
            if not self._of_nameless:
                raise LabelError(Message(NAMELESS))
            written = self._of_nameless
        cleaned = clean_name(written)
        known, refusal = self._known, N_("“{name}” is not an active rater on this installation's list of people")
        if is_reviewer:
            known = self._reviewers
            refusal = N_("“{name}” is not an active reviewer on this installation's list of people")
        if known is not None and spelled_as(cleaned, known) is None:
            raise LabelError(Message(refusal, name=cleaned))
        key = name_key(cleaned)
        if key not in self._spelled:
            self._spelled[key] = self._people.spelling(cleaned)
        if cleaned != self._spelled[key]:
            self._respelled[cleaned] = self._spelled[key]
        return self._spelled[key]

    def respelled(self) -> tuple[Message, ...]:
        return tuple(
            Message(N_("“{written}” is taken as “{known}”"), written=written, known=known)
            for written, known in self._respelled.items()
        )

    def assumed(self) -> list[Message]:
        if not (self.n_nameless and self._of_nameless):
            return []
        n = str(self.n_nameless)
        return [Message(N_("Ratings that name no rater are by {rater}: {n}."), rater=self._of_nameless, n=n)]


def _problem(place: str, error: Exception) -> Message:
    """What is wrong with a row, as one sentence without a full stop."""
    reason = said_by(error)
    if reason.endswith(".") and not (isinstance(reason, Message) and reason.values):
        reason = reason.rstrip(".")
    return about(place, reason)


def _repeated(event: RatingEvent, recording: Recording, before: str, now: str) -> Message:
    return Message(
        N_("{rater} rated {recording} in {before} and again in {now}: the later rating counts."),
        rater=event.evaluator, recording=recording.id, before=before, now=now,
    )  # fmt: skip


def _event(values: Mapping[str, Any], evaluator: str, scores: Mapping[str, float], rubric: Rubric) -> RatingEvent:
    action = _action(values)
    if action is RatingAction.UNDO:
        raise LabelError(N_("'{action}' is not a rating"), action=str(action))
    took_s, heard = values.get("took_s"), values.get("heard")
    return RatingEvent(
        evaluator=evaluator,
        action=action,
        at=_time(str(values.get("at") or "")),
        score=scores.get(SCORE) if rubric.is_score else None,
        dimensions={} if rubric.is_score else dict(scores),
        notes=str(values.get("notes") or ""),
        reason=str(values.get("reason") or ("imported" if action in WANT_A_REASON else "")),
        marks=tuple(mark_from_json(mark, KINDS) for mark in values.get("marks") or ()),
        project=str(values.get("project") or ""),
        purpose=Purpose(str(values.get("purpose") or "")),
        took_s=None if took_s is None else float(took_s),
        heard=None if heard is None else min(1.0, max(0.0, float(heard))),
        source=RatingSource(str(values.get("source") or RatingSource.HUMAN)),
        segments=segments_from_json(values.get("segments") or (), KINDS),
        experts=_experts(values.get("experts") or ()),
    )


def _experts(raw: Any) -> tuple[str, ...]:
    """Raises ValueError for what is no list of names."""
    names = artifacts.loads(raw) if isinstance(raw, str) else list(raw)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(Message(N_("experts is a list of names, got {value}"), value=f"{raw!r:.60}"))
    return tuple(map(clean_name, names))


def _action(values: Mapping[str, Any]) -> RatingAction:
    """Raises ValueError for what nobody can do."""
    return RatingAction(str(values.get("action") or RatingAction.RATE))


def _time(text: str) -> str:
    """In UTC as we write it; now where none was given. Raises ValueError for what is no time."""
    if not text:
        return now_iso()
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")
