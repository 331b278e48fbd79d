"""A fine-tuning run of the speech language model on the Train page: curves beside the paper's values, and Table 3."""

from typing import Any

import streamlit as st

from dashboard import state
from dashboard.charts import run_charts
from dashboard.components.job_panel import job_panel
from dashboard.components.page import errors_in_words
from dashboard.components.run_form import configured, last_fields
from dashboard.components.run_list import stored
from dashboard.markup import message, plain
from dashboard.services import shared as services
from dashboard.services import train as training
from pipeline import artifacts
from pipeline.errors import JobError
from pipeline.evaluation.published import HUMAN, TABLE3
from pipeline.runs import RunDirectory, RunState
from pipeline.runs.comparison import figures_of
from pipeline.speechllm.config import SpeechLlmConfig, list_presets, load_preset
from pipeline.text import lines_of

STEPS = (("loss", "Training loss"), ("rate", "Learning rate"), ("grad_norm", "Gradient norm"))
FIGURES = (
    ("accuracy_pcc", "Accuracy (PCC)"), ("fluency_pcc", "Fluency (PCC)"), ("prosodic_pcc", "Prosody (PCC)"),
    ("total_pcc", "Total (PCC)"), ("per", "Phone error rate"), ("f1", "Phone match (F1)"),
)  # fmt: skip
BEST_EPOCH = 3
PRESET_HELP = (
    "tiny walks the whole way with a random model on a CPU. The others need a GPU (the paper had one of 80 GB) and the "
    "checkpoint; a run that cannot fit says so before it starts."
)


def start_speechllm_training() -> None:
    """The form; a started run is chosen for watching."""
    sets = training.speech_sets()
    if not sets:
        st.info(
            "The speech language model learns from sentences with scores, as speechocean762 has them. Import it on the "
            "Data page or with `pronlab import speechocean762 FOLDER`.",
            icon=":material/upload:",
        )
        return
    with st.form("train-speechllm", border=False):
        left, right = st.columns(2)
        chosen = left.selectbox("Learn from", sets)
        preset = right.selectbox("Preset", list_presets(), index=list_presets().index("tiny"), help=PRESET_HELP)
        model = left.text_input(
            "Model", placeholder="the preset's", help="A folder with a Phi-4-multimodal checkpoint, or a hub name."
        )
        name = right.text_input("Name of the run", placeholder="speechllm-preset", max_chars=60)
        part = left.text_input("Train on part", value=SpeechLlmConfig.part)
        evaluation_part = right.text_input(
            "Measure on part", value=SpeechLlmConfig.evaluation_part, help="Empty: an eighth of the training speakers."
        )
        numbers = st.columns(4)
        epochs = numbers[0].number_input("Epochs", 1, 100, None, placeholder="the preset's")
        rate = numbers[1].number_input("Learning rate", 1e-8, 1.0, None, format="%.1e", placeholder="the preset's")
        limit = numbers[2].number_input("Recordings", 1, 10**6, None, placeholder="all")
        seed = numbers[3].number_input("Seed", 0, 2**31 - 1, 0)
        last = last_fields("speechllm", "r=32\nschedule=cosine\nwarmup_share=0.03")
        with st.container(horizontal=True):
            submitted = st.form_submit_button("Start fine-tuning", type="primary", icon=":material/play_arrow:")
            planned = st.form_submit_button("What would it take?", icon=":material/calculate:")
    if submitted or planned:
        given: dict[str, Any] = {
            "manifest": str(training.manifest_of_set(chosen)), "seed": int(seed), "part": part.strip(),
            "evaluation_part": evaluation_part.strip(), "name": name.strip() or f"speechllm-{preset}-seed{seed}",
        }  # fmt: skip
        chosen_only = {"model": model.strip() or None, "epochs": epochs, "rate": rate, "limit": limit}
        given |= {key: value for key, value in chosen_only.items() if value is not None}
        with errors_in_words():
            config = configured(SpeechLlmConfig, load_preset(preset), given, last)
            if planned:
                state.remember("plan", training.plan(config).id)
            else:
                state.choose(state.RUN, training.start("speechllm", config, last.where))
    _plan()


def _plan() -> None:
    """The plan that was last asked for, as soon as it is there."""
    chosen = state.recall("plan")
    if chosen is None:
        return
    try:
        run = services.job(chosen)
    except JobError:  # deleted meanwhile
        state.forget("plan")
        return
    with st.container(border=True), errors_in_words(), stored("The plan"):
        run_state = job_panel(run)
        if run_state.status == "finished":
            st.markdown(plain(run_state.result["text"]))
            refusal = run_state.result["refusal"]
            if refusal:
                st.warning(message(refusal), icon=":material/memory:")
            else:
                st.success("It fits into the memory of this machine's device.", icon=":material/check:")


def speechllm_curves(run: RunDirectory, run_state: RunState) -> None:
    """Loss, rate and gradient by step; after each epoch the figures, with the paper's third epoch and one expert."""
    plan = run.path / "plan.json"
    if plan.is_file():
        st.caption(f"Plan: {plain('; '.join(lines_of(artifacts.read_json(plan)['text'])))}.")
    metrics = training.metrics_of(run)
    if not metrics.columns():
        if run_state.status == "running":
            st.caption("Recordings and the model are being loaded; curves follow with the first step.")
        return
    columns = st.columns(3)
    for column, (name, label) in zip(columns, STEPS, strict=True):
        column.plotly_chart(
            run_charts.steps(metrics.steps(name), label, log=name == "grad_norm"), key=f"speechllm-{name}"
        )
    epochs = [{"fold": None, "epoch": row.get("epoch"), **figures_of(row)} for row in metrics.rows("epoch")]
    if not epochs:
        st.caption("Figures follow after the first epoch.")
        return
    trained = "unfrozen" if run.config.get("adapter") == "unfreeze" else "LoRA"
    paper = next(row for row in TABLE3 if (row.trained, row.epoch) == (trained, BEST_EPOCH))
    columns = st.columns(3)
    for number, (name, label) in enumerate(FIGURES):
        lines = {"paper": float(getattr(paper, name))}
        human = getattr(HUMAN, name.removesuffix("_pcc"), None) if name.endswith("_pcc") else None
        if human is not None:
            lines["one expert"] = human
        columns[number % 3].plotly_chart(run_charts.epochs(epochs, name, label, lines), key=f"speechllm-{name}")


def speechllm_findings(run: RunDirectory) -> None:
    """Table 3 of the finished run beside the paper's."""
    file = run.path / "table3.json"
    if not file.is_file():
        return
    content: dict[str, Any] = artifacts.read_json(file)
    figures = content["figures"]
    st.subheader("Table 3")
    st.dataframe(
        [
            {
                "Figure": name.replace("_pcc", " (PCC)"),
                "Ours": _number(row["ours"]),
                "Paper": _number(row["paper"]),
                "Difference": "" if row["difference"] is None else f"{row['difference']:+.3f}",
                "Within 5 %": {True: "yes", False: "no", None: ""}[row["within_5_percent"]],
            }
            for name, row in content["table3"].items()
        ],
        hide_index=True,
    )
    unread = ", ".join(f"{figures['unread'][task]} of {n} {task.upper()}" for task, n in figures["n"].items())
    st.caption(
        f"Answers that could not be read count against the model: {unread}. F1, precision and recall match phones, as "
        f"in the paper; the field's mispronunciation F1 is {_number(figures['mdd']['f1']) or 'not defined here'}."
    )
    st.download_button(
        "Table 3 as Markdown", (run.path / "table3.md").read_text(encoding="utf-8"), f"{run.id}-table3.md",
        icon=":material/download:",
    )  # fmt: skip


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
