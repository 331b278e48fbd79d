"""The Label page of a pair project: which of the two is better?"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import identity, state
from dashboard.components.page import errors_in_words
from dashboard.components.pair_desk import PairContent, pair_desk
from dashboard.markup import message
from dashboard.sections.label import finished, project_info
from dashboard.services import label, pairs, shared
from pipeline.errors import AudioError
from pipeline.i18n import _, day, ngettext, number
from pipeline.people.access import Action, Identity
from pipeline.projects.pairs.queue import PairItem, PairProgress, hear_share
from pipeline.projects.project import Project
from pipeline.projects.queue import EmptyQueue

DESK = "pair-desk"


def draw(
    me: Identity, project: Project, key: str, leave: Callable[[pairs.PairLabelling], None], header: DeltaGenerator
) -> None:
    """`key` is where the session is remembered; `leave` draws the button that gives the pair back."""
    labelling = pairs.pair_labelling(project, me)
    progress = labelling.progress()
    project_info.instructions(project, beside=header, is_new=progress.done == 0)
    current = labelling.open_pair()
    if isinstance(current, EmptyQueue):
        finished.no_pairs_left(me, project, progress, current)
        return
    session = _of_pair(state.recall(key, pairs.PairSession()), current)
    state.remember(key, session)
    _desk(labelling, me, project, session, current, progress, key)
    leave(labelling)
    _keep_reserved(labelling, me, key)


def _of_pair(session: pairs.PairSession, item: PairItem) -> pairs.PairSession:
    """The session with the pair that is open; another turn where it is another pair."""
    same = session.item is None or session.item.lease.recording_id == item.lease.recording_id
    return pairs.PairSession(
        session.turn if same else session.turn + 1, item, session.previous if same else None, session.last_nonce,
        session.answer,
    )  # fmt: skip


def _desk(
    labelling: pairs.PairLabelling,
    me: Identity,
    project: Project,
    session: pairs.PairSession,
    item: PairItem,
    progress: PairProgress,
    key: str,
) -> None:
    try:
        left, right = (shared.loaded_audio(shared.audio_of(recording)) for recording in (item.left, item.right))
    except AudioError as error:
        _unreadable(labelling, session, item, error.words, key)
        return
    content = PairContent(
        view=f"{me.name}/{project.name}/{session.turn}",
        texts=(item.left.text, item.right.text),
        previous="" if session.previous is None else str(session.previous.answer),
        ties=project.ties,
        progress=_progress(project, progress),
        share=progress.done / max(1, progress.done + progress.left),
        can_undo=labelling.can_undo(),
        hear_share=hear_share(project),
        reasons=[(reason, label.shown_reason(reason)) for reason in pairs.SKIP_REASONS],
    )

    def act() -> None:
        action: Any = state.component_value(DESK, "action")
        if action and identity.is_still(me, Action.RATE):
            state.remember(key, labelling.act(state.recall(key, pairs.PairSession()), action))

    pair_desk(left, right, content, session.answer, key=DESK, on_action=act)


def _unreadable(
    labelling: pairs.PairLabelling, session: pairs.PairSession, item: PairItem, error: str, key: str
) -> None:
    words = _("{error} The pair cannot be compared. Skip it to continue.").format(error=error)
    st.error(message(words), icon=":material/error:")
    if st.button(_("Skip and continue"), type="primary", icon=":material/skip_next:"):
        action = {"nonce": f"unreadable/{item.lease.token}", "kind": "skip", "reason": label.UNREADABLE}
        state.remember(key, labelling.act(session, action))
        st.rerun()


def _progress(project: Project, mine: PairProgress) -> str:
    """What is left for this rater, and apart from it what the others gave; a repeat counts as any other."""
    parts = [ngettext("{n} pair left for you", "{n} pairs left for you", mine.left).format(n=number(mine.left))]
    if mine.by_others:
        others = ngettext("{n} answer by others", "{n} answers by others", mine.by_others)
        parts.append(others.format(n=number(mine.by_others)))
    if project.deadline:
        parts.append(_("until {day}").format(day=day(datetime.fromisoformat(project.deadline))))
    return " · ".join(parts)


@st.fragment(run_every=120.0)
@errors_in_words()
def _keep_reserved(labelling: pairs.PairLabelling, me: Identity, key: str) -> None:
    """While the page is open, nobody else gets the pair."""
    if identity.is_still(me, Action.RATE):
        labelling.keep(state.recall(key, pairs.PairSession()))
