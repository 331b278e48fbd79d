"""Step 4, a folder: every clip with its score, and whether the detector goes off."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.components.report_files import download_json, download_table
from dashboard.components.run_list import stored
from dashboard.components.tables import fitted
from dashboard.sections.wakeword.clips import TITLES
from dashboard.services import wakeword_clips, wakeword_detectors, wakeword_training
from pipeline.i18n import N_, _, number, percent
from pipeline.runs import RunDirectory
from pipeline.wakeword.data.clip_library import PARTS
from pipeline.wakeword.file_names import FOLDER_SCORES

COLUMNS = ("clip", "duration_s", "score", "detected")
ORDERS = {"lowest": N_("lowest scores first"), "highest": N_("highest scores first"), "name": N_("by name")}


def draw(run: RunDirectory, word: str) -> None:
    places = _places(wakeword_training.words_of(run.config))
    columns = st.columns([3, 2, 1], vertical_alignment="bottom")
    place = columns[0].selectbox(
        _("Folder"), list(places), key=f"folder-place-{run.id}", placeholder=_("Choose a folder")
    )
    threshold = columns[1].number_input(
        _("Threshold (logit)"), -50.0, 50.0, None, 0.5, key="folder-threshold",
        placeholder=number(wakeword_detectors.finished_run(run).info.of_word(word).threshold, 2),
    )  # fmt: skip
    if (
        columns[2].button(_("Evaluate"), icon=":material/playlist_play:", disabled=place is None, key="folder-start")
        and place
    ):
        options = [str(places[place])] + (["--threshold", str(threshold)] if threshold is not None else [])
        wakeword_detectors.start_work("detect", run, *options, *(["--word", word] if word else []))
        st.rerun()


def results(run: RunDirectory, word: str) -> None:
    """The newest folder's, of several words as that of `word`."""
    with stored(_("The folder of {run}").format(run=run.id)):
        finished = wakeword_detectors.finished_run(run)
        report = finished.report_of(FOLDER_SCORES, word)
        if not report:
            st.caption(_("Lists each clip of the folder: whether the word was detected in it, and its highest score."))
            return
        _table(report, run)
        if wakeword_detectors.learnt_word(finished.folder) is not None:
            st.caption(_("By the detector alone: its judge of phones is asked about single recordings."))


def _table(report: dict[str, Any], run: RunDirectory) -> None:
    low, high = report["interval"]
    st.markdown(
        _("Detected in **{k} of {n}** clips of {folder}: {share} (95%: {low} to {high}), at threshold {threshold}.")
        .format(
            k=number(report["detected"]), n=number(report["n"]), folder=f"`{Path(report['folder']).name}`",
            share=percent(report["share"], 1), low=percent(low, 1), high=percent(high, 1),
            threshold=number(report["threshold"], 2),
        )
    )  # fmt: skip
    order = st.segmented_control(
        _("Order"), list(ORDERS), default="lowest", required=True, key="folder-order", label_visibility="collapsed",
        format_func=lambda name: _(ORDERS[name]), wrap=True,
    )  # fmt: skip
    clips = sorted(
        report["clips"],
        key=lambda clip: clip["clip"] if order == "name" else clip["score"] * (1 if order == "lowest" else -1),
    )
    score, length = _("Score (logit)"), _("Length (s)")
    fitted(
        [
            {
                _("Clip"): clip["clip"], _("Detected"): _("yes") if clip["detected"] else _("no"),
                score: number(clip["score"], 2), length: number(clip["duration_s"], 2),
            }
            for clip in clips
        ],
        right=(score, length), most_rows=10,
    )  # fmt: skip
    with st.container(horizontal=True):
        download_table(COLUMNS, [[clip[name] for name in COLUMNS] for clip in report["clips"]], f"folder-{run.id}")
        download_json(report, f"folder-{run.id}")


def _places(own: Sequence[str]) -> dict[str, Path]:
    """The folders of all words, the run's `own` first, and the recording sets, by what they are called."""
    places: dict[str, Path] = {}
    for word in sorted(wakeword_clips.words(), key=lambda word: word not in own):
        clips = wakeword_clips.library(word)
        places |= {
            f"{word}: {_(TITLES[part])}": clips.folder(part) for part in PARTS if part != "rir" and clips.files(part)
        }
    return places | wakeword_clips.speech_folders()
