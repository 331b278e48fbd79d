"""Label: an expert listens, rates, goes on, all by keyboard; nothing is called saved before it is on disk."""

from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard import identity, state
from dashboard.components.filters import choose_set
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.components.rating_form import RatingTask, rating_desk
from dashboard.markup import document, message, plain
from dashboard.services import shared as services
from dashboard.services.label import REASONS, Labelling, Session, Shown
from pipeline.corpus.sets import RecordingSet
from pipeline.errors import AudioError
from pipeline.people.access import Action, Identity
from pipeline.projects.project import Project
from pipeline.projects.queue import Nothing, ProjectProgress
from pipeline.records import RatingEvent
from pipeline.rubrics import RUBRICS

DESK = "desk"
WHOLE_SET = "a whole set"
LEFT = "left"


@errors_in_words()
def render() -> None:
    header("Label", "Listen, rate, next. Other people's ratings and machine scores stay hidden here.")
    left, right = st.columns(2)
    with right:
        me = choose_evaluator()
    with left:
        project = choose_project(me)
        chosen = services.set_of(project) if project is not None else choose_set()
    if chosen is None:
        return
    if me is None:
        empty_state("Say who you are to begin: your ratings are kept under that name.")
        return
    labelling = services.labelling(chosen.name, me, project)
    key = f"labelling:{chosen.name}:{'' if project is None else project.name}:{me.name}"
    session: Session = state.recall(key, Session())
    progress = labelling.progress()
    if project is not None and progress is not None:
        about(project, progress)
        compared(project, me)
    if state.recall(LEFT) == key:
        st.success("The recording is free for others again. Your ratings are saved.", icon=":material/check:")
        if st.button("Go on rating", type="primary", icon=":material/play_arrow:"):
            state.forget(LEFT)
            st.rerun()
        return
    shown = labelling.shown(session)
    if isinstance(shown, Nothing):
        nothing_left(chosen, me, project, shown)
        return
    session = replace(session, task=shown.task)
    state.remember(key, session)
    desk(labelling, chosen, me, session, shown, progress, key)
    if shown.task is not None:
        keep_reserved(labelling, me, key)
        if st.button("Leave", icon=":material/logout:", help="Gives the recording on the desk back to the others."):
            labelling.leave()
            state.forget(key)
            state.remember(LEFT, key)
            st.rerun()


def choose_project(me: Identity | None) -> Project | None:
    """One that is open to this expert, or the whole set; None for the latter. Not asked where there is no project."""
    names = [name for name in services.project_names() if me is None or services.project(name).includes(me.name)]
    if not names:
        return None
    if state.chosen(state.PROJECT) not in [WHOLE_SET, *names]:
        # A link to a set means that set.
        state.choose(state.PROJECT, WHOLE_SET if state.chosen(state.SET) else names[0])
    chosen = st.selectbox("Work on", [*names, WHOLE_SET], key=state.PROJECT, bind="query-params")
    return None if chosen == WHOLE_SET else services.project(chosen)


def about(project: Project, found: ProjectProgress) -> None:
    """How far everybody is, and what the project asks for."""
    deadline = f" · until {project.deadline}" if project.deadline else ""
    st.progress(
        found.done / found.needed if found.needed else 1.0,
        f"{plain(project.title or project.name)}: {found.done} of {found.needed} ratings, yours {found.mine}"
        f"{plain(deadline)}",
    )
    if project.instructions:
        with st.expander("Instructions", icon=":material/menu_book:", expanded=found.mine == 0):
            st.markdown(document(project.instructions))


def compared(project: Project, me: Identity) -> None:
    """After calibration: one's own ratings beside the known answers."""
    mine = services.calibration_of(project, me)
    if not project.calibration or len(mine) < project.calibration:
        return
    away = sum(abs(row.own - row.known) for row in mine) / len(mine)
    bias = sum(row.own - row.known for row in mine) / len(mine)
    with st.expander(f"Your calibration: {away:.0f} points from the known answers", icon=":material/straighten:"):
        st.dataframe(
            [{"Recording": row.text, "You": f"{row.own:g}", "Known answer": f"{row.known:g}"} for row in mine],
            hide_index=True,
        )
        how = (
            "as the known answers do"
            if abs(bias) < 3
            else f"{abs(bias):.0f} points {'higher' if bias > 0 else 'lower'}"
        )
        st.caption(f"On the whole you rate {how}. Points of 100.")


@st.fragment(run_every=120.0)
@errors_in_words()
def keep_reserved(labelling: Labelling, me: Identity, key: str) -> None:
    """While the page is open, nobody else gets the recording."""
    if identity.is_still(me, Action.RATE):
        labelling.keep(state.recall(key, Session()))


def choose_evaluator() -> Identity | None:
    """Who the installation knows to sit here; else one of the known names or a new one, kept in the URL."""
    if not identity.is_open():
        return identity.allowed(Action.RATE)
    known = services.known_raters()
    current = state.chosen(state.RATER)
    names = sorted({*known, *([current] if current else [])})
    name = st.selectbox(
        "Who are you?", names, index=None, key=state.RATER, bind="query-params", accept_new_options=True,
        placeholder="Choose or type your name",
    )  # fmt: skip
    return identity.people().identify(name) if name else None


def desk(
    labelling: Labelling,
    chosen: RecordingSet,
    me: Identity,
    session: Session,
    shown: Shown,
    whole: ProjectProgress | None,
    key: str,
) -> None:
    recording = shown.recording
    progress = services.progress_of(chosen.name, me)
    try:
        audio = services.loaded_audio(services.audio_of(recording))
    except AudioError as error:
        st.error(message(f"{error} It cannot be rated; flag it to go on."), icon=":material/error:")
        if st.button("Flag as unreadable and go on", type="primary"):
            action = {"nonce": f"unreadable:{recording.id}", "kind": "flag", "item": recording.id}
            state.remember(key, labelling.act(session, {**action, "reason": "Cannot be read"}))
            st.rerun()
        return
    done = progress.total - progress.left
    task = RatingTask(
        view=f"{me.name}/{recording.id}/{session.turn}",
        item=recording.id,
        evaluator=me.name,
        label=recording.text,
        hint=f"{recording.speaker}{said_before(shown.previous)}",
        rubric=RUBRICS[recording.rubric],
        words=recording.extra.get("words", []),
        previous=shown.previous,
        done=done if whole is None else whole.done,
        total=progress.total if whole is None else whole.needed,
        can_undo=done > 0,
        has_previous=session.place < done,
        has_next=session.place > 0 or session.reopened is not None,
        reasons=REASONS,
    )

    def act() -> None:
        action: Any = state.component_value(DESK, "action")
        if action and identity.is_still(me, Action.RATE):
            state.remember(key, labelling.act(state.recall(key, Session()), action))

    rating_desk(audio, task, session.answer, key=DESK, on_action=act)


def said_before(event: RatingEvent | None) -> str:
    """What the expert did with this recording earlier, for the line above the player."""
    if event is None:
        return ""
    what = {"rate": "rated", "skip": "skipped", "flag": "flagged"}[str(event.action)]
    return f" · you {what} this before{f': {event.reason}' if event.reason else ''}"


def nothing_left(chosen: RecordingSet, me: Identity, project: Project | None, why: Nothing) -> None:
    """Why there is nothing to rate now, and what to do instead."""
    if project is None:
        all_done(chosen, me)
    elif why.reason == "over":
        st.info(
            f"{plain(project.title or project.name)} is over. Thank you, {plain(me.name)}.",
            icon=":material/event_busy:",
        )
    elif why.reason == "wait":
        st.info(
            "Others have the last recordings on their desks. If one of them comes back, it is yours: "
            f"at the latest in {max(1, round((why.seconds or 0) / 60))} minutes.",
            icon=":material/hourglass_top:",
        )
        st.button("Look again", icon=":material/refresh:")
    else:
        st.success(
            f"Nothing is left for you in {plain(project.title or project.name)}. Thank you, {plain(me.name)}.",
            icon=":material/celebration:",
        )


def all_done(chosen: RecordingSet, me: Identity) -> None:
    progress = services.progress_of(chosen.name, me)
    st.success(
        f"All {progress.total} recordings of {plain(chosen.title)} are done: {progress.rated} rated, "
        f"{progress.skipped} skipped, {progress.flagged} flagged. Thank you, {plain(me.name)}.",
        icon=":material/celebration:",
    )
    empty_state(
        "Compare the ratings with the scorers, or choose another set above.",
        page="compare",
        page_label="See the Compare page",
    )


if __name__ == "__main__":
    render()
