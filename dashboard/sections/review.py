"""The sections of the Review page: disputes, one of them open, how experts work, and the consensus."""

import json
from collections.abc import Sequence

import streamlit as st

from dashboard import state
from dashboard.components.page import errors_in_words
from dashboard.components.rating_form import player
from dashboard.markup import message, plain
from dashboard.services import shared as services
from pipeline import csvfile
from pipeline.errors import AudioError
from pipeline.people.access import Action, Identity
from pipeline.projects.project import CONSENSUS, Project
from pipeline.projects.review import Dispute, Panel
from pipeline.records import RatingAction, RatingEvent
from pipeline.rubrics import RUBRICS
from pipeline.text import lines_of

METHODS = {
    "median": "median", "trimmed_mean": "mean without the highest and the lowest",
    "severity": "corrected for each expert's severity",
}  # fmt: skip
ACTS = {
    "rate": "rated", "skip": "skipped", "flag": "flagged", "undo": "took back", "decide": "decided",
    "exclude": "excluded", "request": "asked for another rating",
}  # fmt: skip


def disputes(panel: Panel, project: Project, me: Identity) -> None:
    limit = st.slider(
        "Ratings further apart than (points of 100)", 1, 100, int(project.max_spread or 20), key="review-limit"
    )
    everything = st.toggle("With those that were decided", key="review-all")
    found = panel.disputes(float(limit), open_only=not everything)
    if not found:
        st.success("No recording is disputed beyond that.", icon=":material/check:")
        return
    st.caption(f"{len(found)} recording{'' if len(found) == 1 else 's'}, the widest apart first.")
    names = {f"{d.recording.text} · {d.recording.speaker} · {d.spread:.0f} apart": d for d in found[:200]}
    chosen = st.selectbox("Recording", list(names), key="review-recording")
    one(panel, names[chosen], project, me)


def one(panel: Panel, dispute: Dispute, project: Project, me: Identity) -> None:
    """The recording to hear, everything that was said, and what the reviewer says."""
    recording = dispute.recording
    try:
        player(services.loaded_audio(services.audio_of(recording)), key="review-player", label=recording.text)
    except AudioError as error:
        st.error(message(error), icon=":material/error:")
    st.dataframe([_line(name, event, recording.text) for name, event in dispute.ratings.items()], hide_index=True)
    if dispute.verdict is not None:
        what = (
            "excluded it" if dispute.verdict.action is RatingAction.EXCLUDE else f"set it to {dispute.verdict.score:g}"
        )
        st.info(f"{plain(dispute.verdict.evaluator)} has {what}.", icon=":material/gavel:")
    if dispute.requested:
        st.caption(f"{dispute.requested} further ratings were asked for.")
    if not me.may(Action.REVIEW):
        st.caption("Deciding takes the role reviewer.")
    else:
        _verdict(panel, dispute, project)
    with st.expander("History", icon=":material/history:"):
        st.dataframe([_event(event) for event in panel.history(recording.id)], hide_index=True)


def _verdict(panel: Panel, dispute: Dispute, project: Project) -> None:
    key = dispute.recording.id
    rubric = RUBRICS[panel.rubric]
    with st.form(f"decide-{key}"):
        columns = st.columns(len(rubric.dimensions))
        values: dict[str, float | None] = {}
        for column, dimension in zip(columns, rubric.dimensions, strict=True):
            values[dimension.key] = column.number_input(
                f"{dimension.label} ({dimension.low:g}-{dimension.high:g})", float(dimension.low),
                float(dimension.high), None, step=float(dimension.step), key=f"decide-{key}-{dimension.key}",
            )  # fmt: skip
        said = st.text_input("Why", placeholder="what you heard; needed to exclude", key=f"decide-{key}-why")
        with st.container(horizontal=True):
            decided = st.form_submit_button("Decide", type="primary", icon=":material/gavel:")
            asked = st.form_submit_button("Ask for another rating", icon=":material/person_add:")
            excluded = st.form_submit_button("Exclude", icon=":material/block:")
            undone = st.form_submit_button("Undo my last word", icon=":material/undo:")
    with errors_in_words():
        if decided:
            panel.decide(key, {name: value for name, value in values.items() if value is not None}, said)
        elif asked:
            panel.request(key, said)
        elif excluded:
            panel.exclude(key, said)
        elif undone:
            panel.undo(key)
        else:
            return
        st.toast("Saved.")
        st.rerun()


def experts(panel: Panel) -> None:
    found = panel.quality()
    if not found:
        st.caption("Nobody has rated in this project yet.")
        return
    for expert in found:
        for warning in expert.warnings:
            st.warning(f"**{plain(expert.name)}** {plain(warning)}.", icon=":material/person_alert:")
    st.dataframe(
        [
            {
                "Expert": expert.name,
                "Ratings": expert.n,
                "Calibration": _beside(expert.calibration.n, expert.calibration.mae, expert.calibration.bias),
                "Silent gold": _beside(expert.gold.n, expert.gold.mae, expert.gold.bias),
                "Repeats": _beside(expert.repeats.n, expert.repeats.mae, expert.repeats.bias),
                "Drift": "" if expert.drift is None else f"{expert.drift:+.1f}",
                "Seconds a rating": "" if expert.median_s is None else f"{expert.median_s:.0f}",
                "Faster than the audio": f"{expert.hurried:.0%}",
            }
            for expert in found
        ],
        hide_index=True,
    )
    st.caption(
        "Points of 100: mean distance from the known answers (calibration, silent gold) or from the expert's own first "
        "rating (repeats), with the bias. Drift: by how much the last ratings are higher than the first."
    )


def consensus(panel: Panel, project: Project) -> None:
    method = st.selectbox(
        "How it is derived", CONSENSUS, index=CONSENSUS.index(project.consensus), format_func=METHODS.__getitem__,
        key="review-method",
    )  # fmt: skip
    table = panel.consensus(method)
    st.dataframe(table, hide_index=True)
    st.caption(
        f"{len(table)} recordings. Derived from the ratings each time it is asked for; a reviewer's decision stands "
        "over every method, and excluded recordings are left out."
    )
    st.download_button(
        "CSV", csvfile.of_frame(table), f"{project.name}-{method}.csv", "text/csv", icon=":material/download:"
    )


def choose_project() -> Project | None:
    names = services.project_names()
    if not names:
        return None
    if state.chosen(state.PROJECT) not in names:
        state.choose(state.PROJECT, names[0])
    return services.project(st.selectbox("Project", names, key=state.PROJECT, bind="query-params"))


def _line(name: str, event: RatingEvent, text: str) -> dict[str, object]:
    marks = ", ".join(
        f"{_word(text, mark.word)}{'' if mark.phone is None else f' ({mark.phone + 1}.)'}: {mark.kind}"
        for mark in event.marks
    )
    return {
        "Expert": name,
        "What": ACTS[str(event.action)],
        "Score": "" if event.score is None else f"{event.score:g}",
        **{key: f"{value:g}" for key, value in event.dimensions.items()},
        "Notes": event.notes or event.reason,
        "Marks": marks,
        "Seconds": "" if event.took_s is None else f"{event.took_s:.0f}",
    }


def _word(text: str, number: int) -> str:
    words = text.split()
    return words[number] if number < len(words) else str(number + 1)


def _event(event: RatingEvent) -> dict[str, object]:
    said = {"": "", **({"": json.dumps(event.dimensions)} if event.dimensions else {})}
    return {
        "When (UTC)": event.at[:19].replace("T", " "),
        "Who": event.evaluator,
        "What": ACTS[str(event.action)],
        "Score": "" if event.score is None else f"{event.score:g}",
        "Values": said[""],
        "Notes": event.notes or event.reason,
        "Purpose": str(event.purpose),
        "Project": event.project,
    }


def _beside(n: int, mae: float | None, bias: float | None) -> str:
    return "" if mae is None else f"{mae:.1f} ({bias:+.1f}), n {n}"


def names_of(values: str) -> Sequence[str]:
    """Names as people type them: one a line, or commas between."""
    return tuple(dict.fromkeys(name.strip() for name in lines_of(values.replace(",", "\n")) if name.strip()))
