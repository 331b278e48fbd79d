"""The ratings of one recording as a table, and everything that happened to it."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from dashboard.components.tables import fitted, without_empty
from dashboard.services import label, tiers
from pipeline.i18n import N_, _, minute, number
from pipeline.labels.marked_words import MarkedWord
from pipeline.labels.segments import COMMENTS
from pipeline.phones import bare
from pipeline.projects.review import Dispute
from pipeline.records import Mark, Purpose, RatingAction, RatingEvent
from pipeline.rubrics import MARKS, RUBRICS

ACTIONS = {
    RatingAction.RATE: N_("rated"), RatingAction.SKIP: N_("skipped"), RatingAction.FLAG: N_("flagged"),
    RatingAction.UNDO: N_("undid"), RatingAction.DECIDE: N_("decided"), RatingAction.EXCLUDE: N_("excluded"),
    RatingAction.REQUEST: N_("requested another rating"), RatingAction.RETURN: N_("handed back"),
}  # fmt: skip
PURPOSES = {
    Purpose.WORK: "", Purpose.CALIBRATION: N_("calibration"), Purpose.GOLD: N_("known answer"),
    Purpose.REPEAT: N_("repeat"),
}  # fmt: skip
MARK_NAMES = dict(MARKS)
LABELS = {dimension.key: dimension.label for rubric in RUBRICS.values() for dimension in rubric.dimensions}


def ratings(dispute: Dispute) -> None:
    """One row per rater: their current rating."""
    words = tiers.words_of(dispute.recording)
    rows = [_rating(name, event, words) for name, event in dispute.ratings.items()]
    fitted(without_empty(rows), right=[_("Score"), _("Seconds")])


def events(history: Sequence[RatingEvent]) -> None:
    with st.expander(_("History"), icon=":material/history:"):
        st.dataframe([_event(event) for event in history], hide_index=True)


def _rating(name: str, event: RatingEvent, words: Sequence[MarkedWord]) -> dict[str, object]:
    marks = [*(_mark(mark, words) for mark in event.marks), *_comments(event)]
    return {
        _("Expert"): name,
        _("Score"): "" if event.score is None else number(event.score),
        **{_(LABELS.get(key, key)): _value(value) for key, value in event.dimensions.items()},
        _("Action"): _(ACTIONS[event.action]),
        _("Notes"): event.notes or label.shown_reason(event.reason),
        _("Marks"): ", ".join(marks),
        _("Seconds"): "" if event.took_s is None else number(event.took_s, 1),
    }


def _event(event: RatingEvent) -> dict[str, object]:
    values = ", ".join(f"{_(LABELS.get(key, key))} {_value(value)}" for key, value in event.dimensions.items())
    return {
        _("Time (UTC)"): minute(datetime.fromisoformat(event.at)),
        _("Name"): event.evaluator,
        _("Action"): _(ACTIONS[event.action]),
        _("Score"): "" if event.score is None else number(event.score),
        _("Dimensions"): values,
        _("Notes"): event.notes or label.shown_reason(event.reason),
        _("Purpose"): _(PURPOSES[event.purpose]),
        _("Project"): event.project,
    }


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
