"""Label: an expert listens, rates, goes on, all by keyboard; nothing is called saved before it is on disk."""

from typing import Any

import streamlit as st

from dashboard import services, state
from dashboard.components.desk import RatingTask, rating_desk
from dashboard.components.filters import choose_set
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.labelling import REASONS, Labelling, Session, Shown
from pipeline.corpus.sets import RecordingSet
from pipeline.errors import AudioError
from pipeline.labels.rubrics import RUBRICS
from pipeline.records import RatingEvent

DESK = "desk"


@errors_in_words()
def render() -> None:
    header("Label", "Listen, rate, next. Other people's ratings and machine scores stay hidden here.")
    left, right = st.columns(2)
    with left:
        chosen = choose_set()
    with right:
        evaluator = choose_evaluator()
    if chosen is None:
        return
    if evaluator is None:
        empty_state("Say who you are to begin: your ratings are kept under that name.")
        return
    labelling = services.labelling(chosen.name, evaluator)
    key = f"labelling:{chosen.name}:{evaluator}"
    session: Session = state.recall(key, Session())
    shown = labelling.shown(session)
    if shown is None:
        all_done(chosen, evaluator)
        return
    desk(labelling, chosen, evaluator, session, shown, key)


def choose_evaluator() -> str | None:
    """One of the known names or a new one, kept in the URL."""
    known = services.index().evaluators()
    current = state.chosen(state.RATER)
    names = sorted({*known, *([current] if current else [])})
    name = st.selectbox(
        "Who are you?", names, index=None, key=state.RATER, bind="query-params", accept_new_options=True,
        placeholder="Choose or type your name",
    )  # fmt: skip
    return services.clean_name(name) if name else None


def desk(labelling: Labelling, chosen: RecordingSet, evaluator: str, session: Session, shown: Shown, key: str) -> None:
    recording = shown.recording
    progress = services.index().progress(chosen.name, evaluator)
    try:
        audio = services.loaded_audio(services.audio_of(recording))
    except AudioError as error:
        st.error(f"{error} It cannot be rated; flag it to go on.", icon=":material/error:")
        if st.button("Flag as unreadable and go on", type="primary"):
            action = {"nonce": f"unreadable:{recording.id}", "kind": "flag", "item": recording.id}
            state.remember(key, labelling.act(session, {**action, "reason": "Cannot be read"}))
            st.rerun()
        return
    done = progress.total - progress.left
    task = RatingTask(
        view=f"{evaluator}/{recording.id}/{session.turn}",
        item=recording.id,
        evaluator=evaluator,
        label=recording.text,
        hint=f"{recording.speaker}{said_before(shown.previous)}",
        rubric=RUBRICS[recording.rubric],
        words=recording.extra.get("words", []),
        previous=shown.previous,
        done=done,
        total=progress.total,
        can_undo=done > 0,
        has_previous=session.place < done,
        has_next=session.place > 0 or session.reopened is not None,
        reasons=REASONS,
    )

    def act() -> None:
        action: Any = state.component_value(DESK, "action")
        if action:
            state.remember(key, labelling.act(state.recall(key, Session()), action))

    rating_desk(audio, task, session.answer, key=DESK, on_action=act)


def said_before(event: RatingEvent | None) -> str:
    """What the expert did with this recording earlier, for the line above the player."""
    if event is None:
        return ""
    what = {"rate": "rated", "skip": "skipped", "flag": "flagged"}[str(event.action)]
    return f" · you {what} this before{f': {event.reason}' if event.reason else ''}"


def all_done(chosen: RecordingSet, evaluator: str) -> None:
    progress = services.index().progress(chosen.name, evaluator)
    st.success(
        f"All {progress.total} recordings of {chosen.title} are done: {progress.rated} rated, {progress.skipped} "
        f"skipped, {progress.flagged} flagged. Thank you, {evaluator}.",
        icon=":material/celebration:",
    )
    empty_state(
        "Compare the ratings with the scorers, or choose another set above.",
        page="compare",
        page_label="See the Compare page",
    )


if __name__ == "__main__":
    render()
