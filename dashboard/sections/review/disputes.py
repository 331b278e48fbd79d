"""Disputed recordings: one of them to hear, its ratings, and the reviewer's decision."""

from collections.abc import Callable

import streamlit as st

from dashboard import state
from dashboard.components import discussion
from dashboard.components.page import errors_in_words
from dashboard.components.player import player
from dashboard.components.speakers import shown_speaker
from dashboard.markup import message, plain
from dashboard.sections.review import history, marked_words
from dashboard.services import projects, shared
from pipeline.errors import AudioError, LabelError
from pipeline.i18n import _, ngettext, number, translated
from pipeline.people.access import Action, Identity
from pipeline.projects.known_answers import median_of
from pipeline.projects.project import Project
from pipeline.projects.review import DISPUTED_FROM, Dispute, ProjectReview
from pipeline.records import RatingAction

MAX_LISTED = 200
FROM_THE_FORM = "Ctrl+Enter"  # not shown: Streamlit has its own words for keys


def draw(review: ProjectReview, project: Project, me: Identity) -> None:
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    column = row.container(width=400)
    limit = row.number_input(
        _("Minimum difference"), 1, 100, int(project.max_spread or DISPUTED_FROM), key="review-limit", width=190,
        help=_("In points of 100, between the highest and the lowest rating."),
    )  # fmt: skip
    everything = row.toggle(_("Show decided recordings too"), key="review-all")
    disputes = review.disputes(float(limit), open_only=not everything)
    if not disputes:
        column.success(_("No recording has ratings that differ by more than that."), icon=":material/check:")
        return
    names = {
        _("{text} · {speaker} · {points} points").format(
            text=d.recording.text, speaker=shown_speaker(d.recording.speaker), points=number(d.spread)
        ): d
        for d in disputes[:MAX_LISTED]
    }
    label = ngettext(
        "{n} recording, the largest difference first", "{n} recordings, the largest difference first", len(disputes)
    ).format(n=number(len(disputes)))
    chosen = column.selectbox(label, list(names), key="review-recording")
    draw_one(review, names[chosen], project, me, lambda: _step(list(names), chosen))


def _step(names: list[str], chosen: str) -> None:
    """To the dispute before and after this one, by a key too."""
    row = st.container(horizontal=True, gap="small")
    place = names.index(chosen)
    for key, label, shortcut, other in (
        ("review-before", _("Previous dispute"), "P", place - 1),
        ("review-next", _("Next dispute"), "N", place + 1),
    ):
        there = 0 <= other < len(names)
        row.button(
            label, key=key, shortcut=shortcut, disabled=not there, on_click=state.choose,
            args=("review-recording", names[other] if there else chosen),
        )  # fmt: skip


def draw_one(
    review: ProjectReview, dispute: Dispute, project: Project, me: Identity, step: Callable[[], None] | None = None
) -> None:
    """`step` draws the way to other recordings."""
    recording = dispute.recording
    left, right = st.columns([4, 3])
    with left:
        try:
            audio, reference = shared.loaded_audio(shared.audio_of(recording)), shared.reference_of(recording)
            tiers = {name: event.segments for name, event in dispute.ratings.items()}
            player(audio, key="review-player", label=recording.text, reference=reference, tiers=tiers)
        except AudioError as error:
            st.error(message(error), icon=":material/error:")
        if step is not None:
            step()
        marked_words.draw(dispute)
    with right:
        _state(dispute)
        if me.may(Action.MANAGE_PROJECTS):
            _known_answer(dispute, project)
        if me.may(Action.REVIEW):
            _accept(review, dispute)
            _decision(review, dispute)
        else:
            st.caption(_("Only reviewers and admins can decide."))
    history.ratings(review, dispute)
    discussion.draw(recording, raters=list(dispute.ratings))
    history.events(review.history(recording.id), recording, review)


def _state(dispute: Dispute) -> None:
    """What reviewers decided so far."""
    verdict = dispute.verdict
    if verdict is not None:
        text = (
            _("Excluded by {name}.").format(name=plain(verdict.evaluator))
            if verdict.action is RatingAction.EXCLUDE
            else _("{name} decided: {score}.").format(name=plain(verdict.evaluator), score=number(verdict.score or 0.0))
        )
        st.info(text, icon=":material/gavel:")
    if dispute.requested:
        text = ngettext("{n} more rating requested.", "{n} more ratings requested.", dispute.requested)
        st.caption(text.format(n=number(dispute.requested)))


def _known_answer(dispute: Dispute, project: Project) -> None:
    """What was decided can be what experts are compared with."""
    key, verdict = dispute.recording.id, dispute.verdict
    if key in project.gold:
        st.caption(_("Experts are compared with a known answer for this recording."))
    elif verdict is not None and verdict.action is RatingAction.DECIDE:
        with errors_in_words():
            if st.button(_("Make this decision a known answer"), icon=":material/verified:", key=f"known-{key}"):
                projects.add_known_answers(project.name, [key])
                st.toast(_("Saved."))
                st.rerun()


def _accept(review: ProjectReview, dispute: Dispute) -> None:
    """Decide as one rater did, or on the median, with one key: the digit of the rater, or M."""
    answers = [
        (str(n), name, review.values_of(event))
        for n, (name, event) in enumerate(dispute.ratings.items(), start=1)
        if event.action is RatingAction.RATE
    ]
    answers.append(("M", _("Median"), median_of(dispute, review)))
    key = dispute.recording.id
    with st.container(horizontal=True, gap="small"):
        for shortcut, name, values in answers:
            if values is None:
                continue
            accepted = st.button(
                _("{name}: {values}").format(name=plain(name), values=" / ".join(map(_value, values.values()))),
                key=f"accept-{key}-{shortcut}", shortcut=shortcut if len(shortcut) == 1 else None,
                help=_("Decide on this"),
            )  # fmt: skip
            if accepted:
                with errors_in_words():
                    review.decide(key, values)
                    st.toast(_("Saved."))
                    st.rerun()


def _value(value: float) -> str:
    return number(value, 0 if value == int(value) else 1)


def _decision(review: ProjectReview, dispute: Dispute) -> None:
    key = dispute.recording.id
    dimensions = review.rubric.dimensions
    with st.form(f"decide-{key}"):
        values: dict[str, float | None] = {}
        for index, dimension in enumerate(dimensions):
            low, high = float(dimension.low), float(dimension.high)
            if index % 2 == 0:  # a row of its own, so that Tab goes from left to right as the eye does
                columns = st.columns(min(2, len(dimensions)))
            values[dimension.key] = columns[index % 2].number_input(
                f"{translated(dimension.label)} ({number(low)}–{number(high)})", low, high, None,
                step=float(dimension.step), key=f"decide-{key}-{dimension.key}",
            )  # fmt: skip
        reason = st.text_input(
            _("Reason"), placeholder=_("What you heard; required to exclude"), key=f"decide-{key}-why"
        )
        with st.container(horizontal=True):
            decided = st.form_submit_button(
                _("Decide"), type="primary", icon=":material/gavel:", shortcut=FROM_THE_FORM
            )
            requested = st.form_submit_button(_("Request another rating"), icon=":material/person_add:")
            excluded = st.form_submit_button(_("Exclude"), icon=":material/block:")
            undone = (dispute.verdict is not None or dispute.requested > 0) and st.form_submit_button(
                _("Undo my last decision"), icon=":material/undo:"
            )
    with errors_in_words():
        if decided:
            given = {name: value for name, value in values.items() if value is not None}
            if len(given) < len(dimensions):
                text = ngettext(
                    "Give a score before you decide.", "Give all {n} scores before you decide.", len(values)
                )
                raise LabelError(text.format(n=number(len(values))))
            review.decide(key, given, reason)
        elif requested:
            review.request(key, reason)
        elif excluded:
            review.exclude(key, reason)
        elif undone:
            review.undo(key)
        else:
            return
        st.toast(_("Saved."))
        st.rerun()
