"""The ratings of one recording as a table, and everything that happened to it."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from dashboard.components.tables import data_table, fitted, without_empty
from dashboard.services import label, tiers
from pipeline.i18n import N_, _, minute, number, translated
from pipeline.labels.marked_words import MarkedWord
from pipeline.labels.segments import COMMENTS
from pipeline.phones import bare
from pipeline.projects.review import Dispute, ProjectReview
from pipeline.records import Mark, Purpose, RatingAction, RatingEvent, Recording
from pipeline.rubrics import MARKS, Rubric
from pipeline.rubrics.library import UNNAMED

ACTIONS = {
    RatingAction.RATE: N_("rated"), RatingAction.SKIP: N_("skipped"), RatingAction.FLAG: N_("flagged"),
    RatingAction.UNDO: N_("undid"), RatingAction.DECIDE: N_("decided"), RatingAction.EXCLUDE: N_("excluded"),
    RatingAction.REQUEST: N_("requested another rating"), RatingAction.RETURN: N_("handed back"),
    RatingAction.REASSIGN: N_("reassigned"),
}  # fmt: skip
PURPOSES = {
    Purpose.WORK: "", Purpose.CALIBRATION: N_("calibration"), Purpose.GOLD: N_("known answer"),
    Purpose.REPEAT: N_("repeat"),
}  # fmt: skip
MARK_NAMES = dict(MARKS)


def ratings(review: ProjectReview, dispute: Dispute) -> None:
    """One row per rater: their current rating, in the words of the rubric it was given with. Where rubrics or their
    versions differ, that is said: their values do not mean the same."""
    recording = dispute.recording
    rubrics = {name: review.rubric_of(event, recording) for name, event in dispute.ratings.items()}
    given = {
        (event.rubric or UNNAMED[recording.rubric])
        for event in dispute.ratings.values()
        if event.action is RatingAction.RATE
    }
    differ = len(given) > 1
    words = tiers.words_of(recording)
    rows = [_rating(name, event, words, rubrics[name], named=differ) for name, event in dispute.ratings.items()]
    if differ:
        text = _("These ratings were given with different rubrics or versions: {rubrics}. Only their scores compare.")
        st.warning(text.format(rubrics=", ".join(sorted(given))), icon=":material/difference:")
    fitted(without_empty(rows), right=[_("Score"), _("Seconds")])


def events(history: Sequence[RatingEvent], recording: Recording, review: ProjectReview) -> None:
    with st.expander(_("History"), icon=":material/history:"):
        data_table([_event(event, review.rubric_of(event, recording)) for event in history])


def _rating(
    name: str, event: RatingEvent, words: Sequence[MarkedWord], rubric: Rubric | None, *, named: bool
) -> dict[str, object]:
    marks = [*(_mark(mark, words) for mark in event.marks), *_comments(event)]
    return {
        _("Expert"): name,
        _("Score"): "" if event.score is None else number(event.score),
        **{_label(rubric, key): _in_words(rubric, key, value) for key, value in event.dimensions.items()},
        **({_("Rubric"): event.rubric} if named else {}),
        _("Action"): _(ACTIONS[event.action]),
        _("Notes"): event.notes or label.shown_reason(event.reason),
        _("Marks"): ", ".join(marks),
        _("Seconds"): "" if event.took_s is None else number(event.took_s, 1),
    }


def _event(event: RatingEvent, rubric: Rubric | None) -> dict[str, object]:
    values = ", ".join(f"{_label(rubric, key)} {_value(value)}" for key, value in event.dimensions.items())
    return {
        _("Time (UTC)"): minute(datetime.fromisoformat(event.at)),
        _("Name"): event.evaluator,
        _("Action"): _(ACTIONS[event.action]),
        _("Score"): "" if event.score is None else number(event.score),
        _("Dimensions"): values,
        _("Notes"): event.notes or label.shown_reason(event.reason),
        _("Given to"): ", ".join(event.experts),
        _("Purpose"): _(PURPOSES[event.purpose]),
        _("Project"): event.project,
        _("Rubric"): event.rubric,
    }


def _label(rubric: Rubric | None, key: str) -> str:
    dimension = None if rubric is None else rubric.dimension(key)
    return key if dimension is None else translated(dimension.label)


def _in_words(rubric: Rubric | None, key: str, value: float) -> str:
    """The value with what its own rubric calls it: "5 (understandable)"."""
    dimension = None if rubric is None else rubric.dimension(key)
    if dimension is None or not dimension.low <= value <= dimension.high:
        return _value(value)
    return _("{value} ({level})").format(value=_value(value), level=translated(dimension.level_of(value).label))


def _value(value: float) -> str:
    return number(value, 0 if value == int(value) else 1)


def _mark(mark: Mark, words: Sequence[MarkedWord]) -> str:
    """Its word and sound, its kind, and what was heard."""
    place = number(mark.word + 1)
    if mark.word < len(words):
        place = words[mark.word].text
        phones = words[mark.word].phones
        if mark.phone is not None and mark.phone < len(phones):
            place = _("{word}, {sound} (sound {n})").format(
                word=place, sound=bare(phones[mark.phone]), n=number(mark.phone + 1)
            )
        elif mark.phone is not None:
            place = _("{word}, sound {n}").format(word=place, n=number(mark.phone + 1))
    heard = f" → {mark.heard}" if mark.heard else ""
    return f"{place}: {_(MARK_NAMES.get(mark.kind, mark.kind))}{heard}"


def _comments(event: RatingEvent) -> list[str]:
    """What was written at a moment of the recording."""
    return [
        _("{time} s: {comment}").format(time=number(segment.start_s, 2), comment=segment.label)
        for segment in event.segments
        if segment.tier == COMMENTS and segment.label
    ]
