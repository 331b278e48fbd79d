"""The sections of the Runs page: the list, notes and tags, and any number of runs side by side."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.charts import run_charts
from dashboard.components.job_panel import STATUS_WORDS
from dashboard.components.page import errors_in_words
from dashboard.components.run_actions import offer_deletion
from dashboard.components.run_list import SHOWN, say_damaged
from dashboard.markup import plain
from dashboard.sections.train.speech import LABELS as SPEECH_FIGURES
from dashboard.services import shared as services
from dashboard.services import train as training
from pipeline.records import to_json
from pipeline.runs import DamagedRun, RunDirectory, RunRecord
from pipeline.runs.comparison import Comparison, as_csv, as_markdown, compare_runs, curves, section_of, setting_text
from pipeline.runs.metrics import is_number
from pipeline.runs.notes import Notes, read_notes

TRAINS = {
    "word": "single recordings", "speech": "speech scorer", "speechllm": "speech language model",
    "letter-to-sound": "letters to sounds", "wakeword": "wake word", "wakeword-search": "wake-word settings",
    "table": "trees on a table", "prompts": "scorer of prompts",
}  # fmt: skip
FIGURES = SPEECH_FIGURES | {
    "utterance_accuracy": "Accuracy, by epoch", "utterance_fluency": "Fluency, by epoch",
    "utterance_prosodic": "Prosody, by epoch", "utterance_total": "Total, by epoch",
    "mdd_f1": "Mispronunciations, best F1", "loss": "Training loss", "train_loss": "Training loss",
    "val_mae": "Validation MAE (points)", "mae": "MAE (points)", "rmse": "RMSE (points)", "pcc": "PCC",
    "accuracy_pcc": "Accuracy", "fluency_pcc": "Fluency", "prosodic_pcc": "Prosody", "total_pcc": "Total",
    "f1": "Phone match F1", "precision": "Phone match precision", "recall": "Phone match recall",
    "loss by step": "Training loss, by step", "rate by step": "Learning rate, by step",
    "grad_norm by step": "Gradient norm, by step",
}  # fmt: skip


def unreadable(damaged: Sequence[DamagedRun]) -> None:
    """Name the folders that cannot be read, and offer to delete them."""
    say_damaged(damaged)
    with st.container(horizontal=True):
        for one in damaged[:SHOWN]:
            offer_deletion(RunDirectory(one.path), f"Delete {one.path.name}")


def choose_runs(runs: Sequence[RunRecord]) -> list[RunDirectory]:
    """The list with its filters; those that were picked from it, or by the link."""
    rows = [(run, read_notes(run.directory.path)) for run in runs]
    kinds = sorted({run.state.kind for run in runs})
    tags = sorted({tag for _, notes in rows for tag in notes.tags})
    left, middle, right = st.columns([2, 2, 2])
    text = left.text_input("Find", placeholder="name, note or setting", key="runs-find").strip().lower()
    kind = middle.multiselect("Trains", kinds, format_func=lambda name: TRAINS.get(name, name), key="runs-kind")
    tag = right.multiselect("Tags", tags, key="runs-tags", placeholder="any" if tags else "none yet", disabled=not tags)
    shown = [
        (run, notes)
        for run, notes in rows
        if (not kind or run.state.kind in kind)
        and set(tag) <= set(notes.tags)
        and (not text or text in f"{run.directory.id} {notes.note} {setting_text(run.config)}".lower())
    ]
    if not shown:
        st.info("No run fits. Take away a filter.", icon=":material/filter_alt_off:")
    else:
        picked = st.dataframe(
            _without_empty([_line(*row) for row in shown]),
            hide_index=True,
            on_select="rerun",
            selection_mode="multi-row",
            key="runs-table",
            column_config={"Note": st.column_config.TextColumn(width="medium")},
        )
        ids = [shown[number][0].directory.id for number in picked.selection.rows if number < len(shown)]
        if ids and ids != state.recall("runs-picked"):
            state.choose(state.RUNS, ids)
        state.remember("runs-picked", ids)
    by_id = {run.directory.id: run.directory for run in runs}
    state.keep_known(state.RUNS, list(by_id))
    chosen = st.multiselect(
        "Chosen runs", list(by_id), key=state.RUNS, bind="query-params", placeholder="Tick rows above, or type a name"
    )
    return [by_id[run_id] for run_id in chosen]


def _without_empty(lines: list[dict[str, object]]) -> list[dict[str, object]]:
    """Without the columns in which no run has anything."""
    return [{key: line[key] for key in line if any(other[key] != "" for other in lines)} for line in lines]


def _line(run: RunRecord, notes: Notes) -> dict[str, object]:
    config, run_state = run.config, run.state
    figures, table3 = section_of(run_state.result, "metrics"), section_of(run_state.result, "table3")
    pcc = figures.get("pcc", figures.get("total", section_of(table3, "total_pcc").get("ours")))
    return {
        "Run": run.directory.id,
        "Status": STATUS_WORDS[run_state.status][0],
        "Trains": TRAINS.get(run_state.kind, run_state.kind),
        "PCC": _number(pcc, 3),
        **{label: _number(figures.get(name), 2) for name, label in (("mae", "MAE"), ("rmse", "RMSE"), ("r2", "R²"))},
        "PER": _number(figures.get("per", section_of(table3, "per").get("ours")), 3),
        "Tags": " ".join(notes.tags),
        "Note": notes.note.split("\n")[0],
        "Set": " ".join(filter(None, [_source(config), setting_text(config.get("part"))])),
        "Labels": "MOCK" if config.get("labels") == "mock" else "real",
        "From": _origin(config),
        "Started (UTC)": run_state.created_at[:16].replace("T", " "),
    }


def one_run(run: RunDirectory) -> None:
    """What people write about it, and the way to its page or out of the list."""
    run_state, notes = run.state, read_notes(run.path)
    with st.form(f"notes-{run.id}", border=True):
        st.markdown(f"**{plain(run.id)}** · {STATUS_WORDS[run_state.status][0].lower()} · {run.size_mb:.0f} MB on disk")
        note = st.text_area("Note", notes.note, placeholder="What is it for, what did it show?", height=90)
        tags = st.text_input("Tags", " ".join(notes.tags), placeholder="baseline paper-r64", help="Words, with spaces.")
        saved = st.form_submit_button("Save note", icon=":material/save:")
    if saved:
        with errors_in_words():
            services.write_notes(run, Notes(note.strip(), tuple(dict.fromkeys(tags.split()))))
            st.toast("Saved.")
            st.rerun()
    with st.container(horizontal=True):
        st.page_link(
            "views/train.py", label="Watch and judge it", icon=":material/monitoring:", query_params={state.RUN: run.id}
        )
        offer_deletion(run)


def side_by_side(runs: Sequence[RunDirectory]) -> None:
    found = compare_runs(runs)
    _figures(found)
    _curves(runs)
    _differences(found)
    _export(found)


def _figures(found: Comparison) -> None:
    st.subheader("What they reached")
    names = list(dict.fromkeys(name for row in found.runs for name in row.figures))
    if not names:
        st.caption("None of them has measured anything yet.")
        return
    st.dataframe(
        [
            {"Figure": FIGURES.get(name, name), **{row.id: str(row.figures.get(name, "")) for row in found.runs}}
            for name in names
        ],
        hide_index=True,
    )
    st.caption(
        "On speakers that were held out in training, at last; in brackets the best epoch where it was not the last. "
        "Runs on other sets, parts or labels cannot be compared."
    )


def _curves(runs: Sequence[RunDirectory]) -> None:
    by_run = {run.id: curves(training.metrics_of(run)) for run in runs}
    names = sorted(
        {name for found in by_run.values() for name in found},
        key=lambda name: (-sum(name in found for found in by_run.values()), name),
    )
    if not names:
        return
    st.subheader("Curves")
    name = st.selectbox("Figure", names, format_func=lambda key: FIGURES.get(key, key), key="runs-curve")
    drawn = {run_id: found[name] for run_id, found in by_run.items() if name in found}
    if not drawn:
        return
    axis = next(iter(drawn.values()))[0]
    st.plotly_chart(
        run_charts.overlay({run_id: curve for run_id, (_, curve) in drawn.items()}, axis, FIGURES.get(name, name)),
        key="runs-overlay",
    )
    if missing := [run_id for run_id in by_run if run_id not in drawn]:
        st.caption(f"Not measured in {plain(', '.join(missing))}.")


def _differences(found: Comparison) -> None:
    st.subheader("Settings that differ")
    if not found.differences:
        st.caption("These runs have the same settings.")
        return
    st.dataframe(
        [
            {"Setting": key, **{run_id: setting_text(value) for run_id, value in values.items()}}
            for key, values in found.differences.items()
        ],
        hide_index=True,
    )


def _export(found: Comparison) -> None:
    with st.container(horizontal=True):
        for label, content, name in (
            ("CSV", as_csv(found), "runs.csv"),
            ("Markdown", as_markdown(found), "runs.md"),
            ("JSON", json.dumps(to_json(found), ensure_ascii=False, indent=2), "runs.json"),
        ):
            st.download_button(label, content, name, icon=":material/download:", key=f"runs-{name}")


def _source(config: dict[str, Any]) -> str:
    """The data it learns from: a set, a table, a manifest's corpus, or the folders of a wake word's clips."""
    given = config.get("set") or config.get("csv") or config.get("source")
    if given:
        return setting_text(given)
    if config.get("manifest"):
        return Path(setting_text(config["manifest"])).parent.name
    folders = section_of(config, "data").get("positive")
    return Path(setting_text(folders[0])).parent.name if isinstance(folders, list | tuple) and folders else ""


def _origin(config: dict[str, Any]) -> str:
    """What its model is made from: an extractor, or an encoder or model by name; a section has it in `name`."""
    given = config.get("extractor") or config.get("encoder") or config.get("model") or ""
    if isinstance(given, dict):
        return setting_text(given.get("name", given))
    return Path(setting_text(given)).name


def _number(value: object, digits: int) -> str:
    return f"{value:.{digits}f}" if is_number(value) else ""
