"""The only writer of ratings: validate, lock, read, append, write to disk, then tell the index."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.corpus.sets import get_set, result_path
from pipeline.errors import AccessError, LabelError
from pipeline.i18n import N_
from pipeline.labels.comments import Comment, comments_of, with_comment
from pipeline.labels.history import current_ratings, lasting_events, slot, standing_events
from pipeline.labels.index import Index
from pipeline.labels.result_file import (
    LabelTimeError,
    ResultFile,
    append,
    derive,
    is_unscaled,
    read_result,
    write_result,
)
from pipeline.labels.segments import checked_marks, checked_segments, joined
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.names import clean_name, same_person, spelled_as
from pipeline.people.people import People, permit
from pipeline.records import RATINGS, REVIEWS, RatingAction, RatingEvent, Recording, Seconds, Segment
from pipeline.rubrics import RUBRICS, Rubric
from pipeline.rubrics.library import RubricLibrary
from pipeline.settings import Settings
from pipeline.text import is_writable
from pipeline.times import now_iso

MAX_NOTES_LENGTH = 5000


class LabelStore:
    """Ratings of one installation. Every method is safe from several processes at once. What writes asks who acts
    (`by`; None will do on an open installation) and raises AccessError for who may not; histories are asked for by
    services that have asked already."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._index = Index(settings)
        self._library = RubricLibrary(settings)

    def add(self, recording: Recording, event: RatingEvent, by: Identity | None = None) -> ResultFile:
        """Append `event` to the recording's history, with the evaluator's name as on the list of people, else as in
        the history; when this returns, it is on disk.

        Returns the file as written. Raises LabelError for an invalid event, a damaged file that cannot be moved
        aside or wants repair (LabelTimeError), a lock held for over 10 s, or a full or read-only disk; nothing has
        changed then. An index that cannot be told is no loss: the next `ensure` or `rebuild` reads the file.
        """
        permit(self._settings, by, Action.REVIEW if event.action in REVIEWS else Action.RATE)
        rubric = self._rubric(recording, event)
        self._library.keep(rubric)
        return self._append(recording, checked(rubric, self._named(event, by), duration_of(recording)))

    def add_from_corpus(
        self, recording: Recording, events: Sequence[RatingEvent], by: Identity | None = None
    ) -> ResultFile | None:
        """Append those of `events` that say something new: an evaluator who has not spoken yet, or a corrected score.
        None where there is nothing new; the index is left to the importer. Raises AccessError for decisions of who may
        not decide."""
        permit(self._settings, by, Action.IMPORT_DATA)
        if any(event.action in REVIEWS for event in events):
            permit(self._settings, by, Action.REVIEW)
        path = self._path(recording)
        with locked(self._settings, path, LabelError):
            before = self._read_or_set_aside(path) or derive(recording.text, recording.rubric, (), {})
            fresh = fresh_events(before.ratings, events)
            if not fresh:
                return None
            known = set(map(_key, before.ratings))
            # Segments that were moved in another program come with the time of the rating that they were exported with.
            fresh = tuple(replace(event, at=now_iso()) if _key(event) in known else event for event in fresh)
            after = derive(before.word, before.rubric, (*before.ratings, *fresh), before.extra)
            write_result(path, after)
        return after

    def undo(
        self, recording: Recording, evaluator: str, by: Identity | None = None, *, last: RatingEvent | None = None
    ) -> ResultFile:
        """Take back the evaluator's last rating, skip or flag; what they decided as a reviewer stays. Raises LabelError
        where there is none, or where it is not `last` any more: two tabs that take back one event at once take back
        one."""
        permit(self._settings, by, Action.RATE)
        return self._append(recording, self._undo(evaluator, by), undone=RATINGS, last=last)

    def undo_review(self, recording: Recording, reviewer: str, by: Identity | None = None) -> ResultFile:
        """Take back the reviewer's last decision, exclusion, request, return or reassignment; what they rated as an
        expert stays. Raises LabelError where there is none."""
        permit(self._settings, by, Action.REVIEW)
        return self._append(recording, self._undo(reviewer, by), undone=REVIEWS)

    def _undo(self, evaluator: str, by: Identity | None) -> RatingEvent:
        return self._named(RatingEvent(evaluator, RatingAction.UNDO, now_iso()), by)

    def comment(self, recording: Recording, comment: Comment, by: Identity) -> ResultFile:
        """Keep a comment in the recording's label file. Who may begin or answer which thread is asked by
        `pipeline.labels.discussion`."""
        permit(self._settings, by, Action.RATE, Action.SEE_RATINGS)
        if not same_person(by.name, comment.author):
            raise AccessError(N_("{name} cannot comment as {author}."), name=by.name, author=comment.author)
        path = self._path(recording)
        with locked(self._settings, path, LabelError):
            before = self._read_or_set_aside(path) or derive(recording.text, recording.rubric, (), {})
            after = derive(before.word, before.rubric, before.ratings, with_comment(before.extra, comment))
            with self._index.saving(recording.id):
                write_result(path, after)
                self._index.update_labels(recording, after)
        return after

    def comments(self, recording: Recording) -> dict[int, Comment]:
        """All comments on the recording by their numbers, oldest first."""
        result = read_result(self._path(recording))
        return {} if result is None else comments_of(result)

    def tell_index(self, recording: Recording) -> None:
        """Have the index know the recording's label file as it is now, whoever wrote or removed it."""
        path = self._path(recording)
        with locked(self._settings, path, LabelError):
            result = read_result(path) or derive(recording.text, recording.rubric, (), {})
            self._index.update_labels(recording, result)

    def history(self, recording: Recording) -> tuple[RatingEvent, ...]:
        result = read_result(self._path(recording))
        return () if result is None else result.ratings

    def current(self, recording: Recording) -> dict[str, RatingEvent]:
        return current_ratings(self.history(recording))

    def _named(self, event: RatingEvent, by: Identity | None) -> RatingEvent:
        """With the name as on the list of people, where it is there. Raises AccessError for a rating in another's
        name."""
        if by is not None and not same_person(by.name, event.evaluator):
            raise AccessError(N_("{name} cannot rate as {evaluator}."), name=by.name, evaluator=event.evaluator)
        return replace(event, evaluator=People(self._settings).listed(event.evaluator) or clean_name(event.evaluator))

    def _rubric(self, recording: Recording, event: RatingEvent) -> Rubric:
        """The version that the event names, else the shipped one of the recording."""
        if not event.rubric:
            return RUBRICS[recording.rubric]
        rubric = self._library.version(event.rubric)
        if rubric.unit is not recording.rubric:
            raise LabelError(
                N_("The rubric {name} is for recordings of a {unit}, and these are of a {other}."),
                name=rubric.name, unit=str(rubric.unit), other=str(recording.rubric),
            )  # fmt: skip
        return rubric

    def _append(
        self,
        recording: Recording,
        event: RatingEvent,
        *,
        undone: Sequence[RatingAction] = (),
        last: RatingEvent | None = None,
    ) -> ResultFile:
        """`undone`: an UNDO takes back the evaluator's last event with one of these actions, and only if it is `last`
        where that is given."""
        path = self._path(recording)
        with locked(self._settings, path, LabelError):
            try:
                before = self._read_or_set_aside(path) or derive(recording.text, recording.rubric, (), {})
            except LabelTimeError:
                self._index.pass_over(recording)  # so that the experts go on with the others
                raise
            if is_unscaled(before) and self._index.is_held(recording):
                raise LabelError(
                    N_(
                        "The label file of {recording} has a score of an unknown scale. Give the scale first: `pronlab "
                        "label scale --set {set}`."
                    ),
                    recording=recording.id,
                    set=recording.set,
                )
            if People(self._settings).is_open:  # a recording's own history spells its raters in one way
                alike = spelled_as(event.evaluator, {earlier.evaluator for earlier in before.ratings})
                event = replace(event, evaluator=alike or event.evaluator)
            if event.action is RatingAction.UNDO:
                standing = standing_events(before.ratings)
                theirs = [e for e in standing if e.evaluator == event.evaluator and e.action in undone]
                if not theirs or (last is not None and _key(theirs[-1]) != _key(last)):
                    nothing = N_("{evaluator} has no rating of {recording} to undo.")
                    if undone == REVIEWS:
                        nothing = N_("{evaluator} has no decision on {recording} to undo.")
                    raise LabelError(nothing, evaluator=event.evaluator, recording=recording.id)
                event = replace(event, undoes=theirs[-1].action)
            after = append(before, _after_the_last(before.ratings, event))
            with self._index.saving(recording.id):
                write_result(path, after)
                self._index.update_labels(recording, after)
        return after

    def _path(self, recording: Recording) -> Path:
        return result_path(get_set(self._settings, recording.set), recording)

    def _read_or_set_aside(self, path: Path) -> ResultFile | None:
        """A damaged file is kept under another name rather than overwritten, so that the expert can go on; one that can
        be repaired is left where it is."""
        try:
            return read_result(path)
        except LabelTimeError:
            raise
        except LabelError:
            if not path.is_file():
                raise
            stamp = now_iso().replace(":", "").replace("+0000", "Z")
            path.replace(path.with_name(f"{path.name}.broken-{stamp}"))
            return None


def _after_the_last(history: Sequence[RatingEvent], event: RatingEvent) -> RatingEvent:
    """Later than the evaluator's last event on the recording, even where the clock went back: what was said last must
    look so to everybody who sorts by time."""
    last = max((e.at for e in history if e.evaluator == event.evaluator), default="")
    if event.at > last:
        return event
    moved = datetime.fromisoformat(last) + timedelta(milliseconds=1)
    return replace(event, at=moved.isoformat(timespec="milliseconds"))


def fresh_events(history: Sequence[RatingEvent], events: Sequence[RatingEvent]) -> tuple[RatingEvent, ...]:
    """Those of `events` that the history does not hold, and that say something other than what stands in their place.
    Known are also those that were taken back or replaced since they were exported."""
    lasting = {slot(event): event for event in lasting_events(history)}
    known: dict[tuple[Any, ...], list[tuple[Segment, ...]]] = {}
    for event in history:
        known.setdefault(_key(event), [()]).append(event.segments)
    return tuple(
        event
        for event in events
        if event.segments not in known.get(_key(event), []) and not _says_the_same(lasting.get(slot(event)), event)
    )


def _key(event: RatingEvent) -> tuple[Any, ...]:
    """The same of an event wherever it stands."""
    return (event.evaluator, event.action, event.at, event.score, *sorted(event.dimensions.items()))


def _says_the_same(old: RatingEvent | None, new: RatingEvent) -> bool:
    """Whether nothing is said that was not said before; what a file leaves empty is no correction."""
    if old is None or (old.action, old.score, old.dimensions) != (new.action, new.score, new.dimensions):
        return False
    return all(getattr(new, key) in ("", (), getattr(old, key)) for key in ("notes", "reason", "marks", "segments"))


def duration_of(recording: Recording) -> Seconds | None:
    """None where nobody has measured it."""
    return None if recording.report is None else recording.report.duration_s


def checked(rubric: Rubric, event: RatingEvent, duration_s: Seconds | None = None) -> RatingEvent:
    """The event with its derived score and the rubric's version, and with its marks and segments joined. Raises
    LabelError for values outside the rubric and segments outside the recording, which is `duration_s` long (None:
    nobody knows)."""
    if len(event.notes) > MAX_NOTES_LENGTH:
        raise LabelError(
            N_("A note can have at most {max_notes_length} characters, got {n}."),
            max_notes_length=MAX_NOTES_LENGTH,
            n=len(event.notes),
        )
    if not is_writable(event.notes + event.reason):
        raise LabelError(N_("A note or reason has half of a sign, which no file can hold. Write it again."))
    event = replace(event, evaluator=clean_name(event.evaluator), marks=checked_marks(event.marks))
    if event.segments:
        event = joined(replace(event, segments=checked_segments(event.segments, duration_s)))
    if event.action not in (RatingAction.RATE, RatingAction.DECIDE):
        if event.action in (RatingAction.SKIP, RatingAction.FLAG, RatingAction.EXCLUDE) and not event.reason.strip():
            raise LabelError(N_("A reason is needed to {action} a recording."), action=event.action)
        if event.action is RatingAction.REASSIGN and not event.experts:
            raise LabelError(N_("Choose whom to reassign the recording to."))
        return replace(event, score=None, dimensions={}, rubric="")
    event = replace(event, rubric=rubric.reference, experts=())
    if not rubric.is_score:
        return replace(event, score=rubric.overall_score(event.dimensions))
    if event.score is None or not math.isfinite(event.score):
        raise LabelError(N_("A rating needs a score between 0 and 100."))
    rubric.check(rubric.values_of(event))
    return replace(event, dimensions={})
