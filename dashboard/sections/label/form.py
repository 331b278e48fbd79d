"""The rating form with the recording to rate; in its place a button to flag a recording that cannot be read."""

from datetime import datetime
from typing import Any

import streamlit as st

from dashboard import identity, state
from dashboard.components.rating_form import FormContent, Shown, rating_form
from dashboard.components.speakers import shown_speaker
from dashboard.markup import message
from dashboard.services import label, shared, tiers
from pipeline.audio.load import Audio
from pipeline.corpus.sets import RecordingSet
from pipeline.errors import AudioError
from pipeline.i18n import _, day, ngettext, number
from pipeline.people.access import Action, Identity
from pipeline.projects.project import Project
from pipeline.projects.quality import HEARD_WHOLE
from pipeline.projects.queue import QueueProgress
from pipeline.records import RatingAction, RatingEvent, Recording

FORM = "rating-form"
HEARD_SOME = 0.5  # of a recording, before anybody can judge it


def draw(
    labelling: label.Labelling,
    chosen: RecordingSet,
    me: Identity,
    session: label.Session,
    current: label.OpenRecording,
    project: Project | None,
    mine: QueueProgress | None,
    key: str,
) -> None:
    """`mine` is this rater's progress in the project; `key` is where the session is remembered."""
    recording = current.recording
    try:
        audio = shared.loaded_audio(shared.audio_of(recording))
    except AudioError as error:
        _unreadable(labelling, session, recording.id, error.words, key)
        return
    done = labelling.n_earlier()
    progress, share = _progress(chosen, me, project, mine)
    content = FormContent(
        evaluator=me.name,
        rubric=current.rubric,
        previous=current.previous,
        progress=progress,
        share=share,
        can_undo=done > 0,
        has_previous=session.place < done,
        hear_share=HEARD_WHOLE if project is not None and project.hear_all else HEARD_SOME,
        has_next=session.place > 0 or session.reopened is not None,
        reasons={
            kind: [(reason, label.shown_reason(reason)) for reason in reasons]
            for kind, reasons in label.REASONS.items()
        },
    )

    def act() -> None:
        action: Any = state.component_value(FORM, "action")
        if action and identity.is_still(me, Action.RATE):
            session = labelling.act(state.recall(key, label.Session()), action)
            state.remember(key, session)
            if session.reopened != state.watched(state.RECORDING):
                state.watch(state.RECORDING, None)

    first = tiers.first_tiers(chosen, recording, audio, align=_has_tiers_open())
    shown = _shown(chosen, recording, audio, first, me, session.turn, _earlier(current.previous))
    ahead = _ahead(labelling, chosen, me, session, current)
    rating_form(shown, content, session.answer, ahead=ahead, key=FORM, on_action=act)
    if first.is_coming:
        _wait_for_alignment(chosen, recording, audio)


def _has_tiers_open() -> bool:
    return bool(state.component_value(FORM, "tiers"))


@st.fragment(run_every=1.0)
def _wait_for_alignment(chosen: RecordingSet, recording: Recording, audio: Audio) -> None:
    """Draw the page again when the recording is aligned."""
    if not tiers.first_tiers(chosen, recording, audio, align=True).is_coming:
        st.rerun()
    st.caption(_("Words and sounds are being aligned; until then they are evenly divided."))


def _shown(
    chosen: RecordingSet,
    recording: Recording,
    audio: Audio,
    first: tiers.FirstTiers,
    me: Identity,
    turn: int,
    earlier: str = "",
) -> Shown:
    return Shown(
        view=f"{me.name}/{recording.id}/{turn}",
        item=recording.id,
        label=recording.text,
        hint=" · ".join(filter(None, [shown_speaker(recording.speaker), earlier])),
        language=tiers.language(chosen, recording),
        words=tiers.words_of(recording),
        tiers=first.segments,
        sounds=tiers.sounds_to_choose(chosen, recording),
        audio=audio,
        reference=shared.reference_of(recording),
    )


def _ahead(
    labelling: label.Labelling,
    chosen: RecordingSet,
    me: Identity,
    session: label.Session,
    current: label.OpenRecording,
) -> Shown | None:
    """The recording that is likely to be next, as it will be shown on the next turn; None where it is rated with
    another rubric, or cannot be read: it then comes with the server's answer."""
    recording = labelling.ahead(session, current)
    if recording is None or labelling.rubric(recording).reference != current.rubric.reference:
        return None
    try:
        audio = shared.loaded_audio(shared.audio_of(recording))
        first = tiers.first_tiers(chosen, recording, audio, align=_has_tiers_open())
        return _shown(chosen, recording, audio, first, me, session.turn + 1)
    except AudioError:
        return None


def _unreadable(labelling: label.Labelling, session: label.Session, item: str, error: str, key: str) -> None:
    words = _("{error} It cannot be rated. Flag it to continue.").format(error=error)
    st.error(message(words), icon=":material/error:")
    if st.button(_("Flag and continue"), type="primary", icon=":material/flag:"):
        action = {"nonce": f"unreadable/{item}", "kind": "flag", "item": item, "reason": label.UNREADABLE}
        state.remember(key, labelling.act(session, action))
        state.watch(state.RECORDING, None)
        st.rerun()


def _progress(
    chosen: RecordingSet, me: Identity, project: Project | None, mine: QueueProgress | None
) -> tuple[str, float]:
    """The text above the form and the share of its bar. In a project: what is left for this rater, and apart from it
    what the others gave; a gold item or a repeat counts as any other, so that no figure tells which it is."""
    if mine is None or project is None:
        in_set = label.progress_in_set(chosen.name, me)
        done = in_set.total - in_set.left
        text = _("{done} of {total}").format(done=number(done), total=number(in_set.total))
        return text, done / max(1, in_set.total)
    parts = [ngettext("{n} left for you", "{n} left for you", mine.left).format(n=number(mine.left))]
    if mine.by_others:
        others = ngettext("{n} rating by others", "{n} ratings by others", mine.by_others)
        parts.append(others.format(n=number(mine.by_others)))
    if project.deadline:
        parts.append(_("until {day}").format(day=day(datetime.fromisoformat(project.deadline))))
    return " · ".join(parts), mine.done / max(1, mine.done + mine.left)


def _earlier(event: RatingEvent | None) -> str:
    """What the rater did with this recording before."""
    if event is None:
        return ""
    text = {
        RatingAction.RATE: _("you rated this before"),
        RatingAction.SKIP: _("you skipped this before"),
        RatingAction.FLAG: _("you flagged this before"),
    }[event.action]
    return f"{text}: {label.shown_reason(event.reason)}" if event.reason else text
