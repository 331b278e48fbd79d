"""Recordings that experts skipped or flagged: why, to hear, and what becomes of them."""

from datetime import datetime

import streamlit as st

from dashboard.components.page import errors_in_words
from dashboard.components.player import player
from dashboard.components.speakers import shown_speaker
from dashboard.components.tables import data_table
from dashboard.markup import message
from dashboard.sections.review import history
from dashboard.services import label, shared
from pipeline.errors import AudioError, LabelError
from pipeline.i18n import _, minute, ngettext, number
from pipeline.people.access import Action, Identity
from pipeline.projects.review import ProjectReview, SetAside


def draw(review: ProjectReview, me: Identity) -> None:
    listed = review.set_aside()
    if not listed:
        st.success(
            _("Nothing is set aside. Recordings that experts skip or flag are listed here."), icon=":material/check:"
        )
        return
    names = {_name(entry): entry for entry in listed}
    title = ngettext("{n} recording", "{n} recordings", len(listed)).format(n=number(len(listed)))
    chosen = names[st.selectbox(title, list(names), key="set-aside-recording", width=560)]
    recording = chosen.recording
    left, right = st.columns([4, 3])
    with left:
        try:
            audio, reference = shared.loaded_audio(shared.audio_of(recording)), shared.reference_of(recording)
            player(audio, key="set-aside-player", label=recording.text, reference=reference)
        except AudioError as error:
            st.error(message(error), icon=":material/error:")
    with right:
        data_table(
            [
                {
                    _("Expert"): name,
                    _("Action"): _(history.ACTIONS[event.action]),
                    _("Reason"): label.shown_reason(event.reason),
                    _("Time"): minute(datetime.fromisoformat(event.at)),
                }
                for name, event in chosen.events.items()
            ],
            column_config={_("Expert"): st.column_config.Column(pinned=True)},
        )
        if me.may(Action.REVIEW):
            _decide(review, chosen)
        else:
            st.caption(_("Only reviewers and admins can decide."))
    history.events(review.history(recording.id), recording, review)


def _name(entry: SetAside) -> str:
    reasons = ", ".join(sorted({label.shown_reason(event.reason) for event in entry.events.values()}))
    return _("{text} · {speaker} · {reason}").format(
        text=entry.recording.text, speaker=shown_speaker(entry.recording.speaker), reason=reasons
    )


def _decide(review: ProjectReview, entry: SetAside) -> None:
    key = entry.recording.id
    with st.form(f"set-aside-{key}"):
        experts = st.multiselect(
            _("Experts"), review.experts(), key=f"set-aside-{key}-experts",
            placeholder=_("Choose whom to reassign it to"),
            help=_("Reassigned to these experts alone: nobody else is given the recording any more."),
        )  # fmt: skip
        reason = st.text_input(
            _("Reason"), placeholder=_("What you heard; required to exclude"), key=f"set-aside-{key}-why"
        )
        with st.container(horizontal=True):
            returned = st.form_submit_button(
                _("Back to the queue"), type="primary", icon=":material/undo:",
                help=_("Those who set it aside can be given it again. The others can in any case."),
            )  # fmt: skip
            reassigned = st.form_submit_button(_("Reassign"), icon=":material/person_check:")
            excluded = st.form_submit_button(_("Exclude"), icon=":material/block:")
    with errors_in_words():
        if returned:
            review.hand_back(key, reason)
        elif reassigned:
            review.reassign(key, experts, reason)
        elif excluded:
            if not reason.strip():
                raise LabelError(_("A reason is needed to exclude a recording."))
            review.exclude(key, reason)
        else:
            return
        st.toast(_("Saved."))
        st.rerun()
