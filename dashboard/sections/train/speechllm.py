"""The Train page's sections for the speech language model: start or plan a fine-tuning, its curves, Table 3."""

from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.charts import run_charts
from dashboard.components.curve_settings import curve_settings
from dashboard.components.data_behind import HELD_OUT_SPEAKERS, DataBehind
from dashboard.components.job_panel import job_panel
from dashboard.components.kept_chart import kept_chart
from dashboard.components.page import errors_in_words
from dashboard.components.run_form import configured, last_fields, run_form
from dashboard.components.run_list import stored
from dashboard.components.tables import data_table
from dashboard.markup import message, plain
from dashboard.sections.train.deployment import deployment
from dashboard.sections.train.fine_tuning import first_fields
from dashboard.services import jobs, train
from pipeline import artifacts
from pipeline.devices import GPUS
from pipeline.errors import JobError
from pipeline.i18n import N_, _, number
from pipeline.metrics.published import HUMAN, N_TEST, PAPER_PER_ACCURACY, TABLE3
from pipeline.presets import build
from pipeline.runs import RunDirectory, RunState
from pipeline.runs.comparison import figures_of
from pipeline.runs.words import metric_text
from pipeline.speechllm.config import SpeechLlmConfig, list_presets, load_preset
from pipeline.speechllm.deployed import FOLDER as PLACE
from pipeline.speechllm.model_files import is_stand_in
from pipeline.speechllm.plan_summary import Plan, refusal
from pipeline.text import lines_of

STEPS = (("loss", N_("Training loss")), ("rate", N_("Learning rate")), ("grad_norm", N_("Gradient norm")))
METRICS = (
    ("accuracy_pcc", N_("Accuracy (PCC)")), ("fluency_pcc", N_("Fluency (PCC)")), ("prosodic_pcc", N_("Prosody (PCC)")),
    ("total_pcc", N_("Total (PCC)")), ("per", N_("Phone error rate")), ("f1", N_("Phone match (F1)")),
)  # fmt: skip
TABLE3_ROWS = {
    "accuracy_pcc": N_("Accuracy (PCC)"), "fluency_pcc": N_("Fluency (PCC)"), "prosodic_pcc": N_("Prosody (PCC)"),
    "total_pcc": N_("Total (PCC)"), "wer": N_("Word error rate"), "per": N_("Phone error rate"),
    "f1": N_("Phone match F1"), "precision": N_("Phone match precision"), "recall": N_("Phone match recall"),
}  # fmt: skip
BEST_EPOCH = 3
REFERENCE = N_("the released scores, or the median of the raters where there are none")
EXAMPLE = "r=32\nschedule=cosine\nwarmup_share=0.03"  # not shown


def start_speechllm_training(can_start: bool) -> bool:
    """Draw the form; a started run is chosen for watching. Returns whether one was started. It can be sent where
    `can_start`."""
    sets = train.speech_sets()
    if not sets:
        st.info(
            _(
                "The speech language model learns from sentences with scores, as in speechocean762. Import the corpus "
                "on the Data page or with `pronlab import speechocean762 FOLDER`."
            ),
            icon=":material/upload:",
        )
        return False
    with run_form("train-speechllm"):
        first = first_fields(
            sets,
            list_presets(),
            "tiny",
            _(
                "tiny tries all steps with a random model on a CPU; standin is a small model that learns there. The "
                "others need the checkpoint and a GPU (the paper used one with 80 GB); a run that does not fit is "
                "refused before it starts."
            ),
        )
        left, middle, right, last_column = st.columns(4)
        part = left.text_input(_("Train on part"), value=SpeechLlmConfig.part)
        evaluation_part = middle.text_input(
            _("Measure on part"), value=SpeechLlmConfig.evaluation_part,
            help=_("auto: the part named dev, validation or test. Empty: one eighth of the training speakers."),
        )  # fmt: skip
        model = right.text_input(
            _("Model"), placeholder=_("default: the preset's"),
            help=_("A folder with a Phi-4-multimodal checkpoint, or a hub name."),
        )  # fmt: skip
        gpu = last_column.selectbox(
            _("Estimate for"), [gpu.name for gpu in GPUS], index=None, placeholder=_("this machine"),
            help=_("Estimate memory and time for this GPU. Training always runs on a device that is here."),
        )  # fmt: skip
        numbers = st.columns(4)
        epochs = numbers[0].number_input(_("Epochs"), 1, 100, None, placeholder=_("preset"))
        rate = numbers[1].number_input(_("Learning rate"), 1e-8, 1.0, None, format="%.1e", placeholder=_("preset"))
        limit = numbers[2].number_input(_("Maximum recordings"), 1, 10**6, None, placeholder=_("all"))
        seed = numbers[3].number_input(_("Seed"), 0, 2**31 - 1, 0)
        last = last_fields("speechllm", EXAMPLE, shared=True)
        with st.container(horizontal=True):
            submitted = st.form_submit_button(
                _("Start fine-tuning"), type="primary", icon=":material/play_arrow:", disabled=not can_start
            )
            planned = st.form_submit_button(
                _("Estimate"), icon=":material/calculate:", help=_("Memory and time."), disabled=not can_start
            )
    started = False
    if submitted or planned:
        given: dict[str, Any] = {
            "set": first.set_name, "seed": int(seed), "part": part.strip(),
            "evaluation_part": evaluation_part.strip(), "name": first.run_name("speechllm", int(seed)),
        }  # fmt: skip
        optional = {"model": model.strip() or None, "epochs": epochs, "rate": rate, "limit": limit}
        given |= {key: value for key, value in optional.items() if value is not None}
        with errors_in_words():
            config = configured(SpeechLlmConfig, load_preset(first.preset), given, last)
            if planned:
                state.remember("plan", train.plan(config, gpu or "").id)
            else:
                state.watch(state.RUN, train.start("speechllm", config, last.where))
                started = True
    _plan()
    return started


def _plan() -> None:
    """The plan that was last asked for, as soon as it is there."""
    chosen = state.recall("plan")
    if chosen is None:
        return
    try:
        run = jobs.job(chosen)
    except JobError:  # deleted meanwhile
        state.forget("plan")
        return
    with st.container(border=True), errors_in_words(), stored(_("The plan")):
        run_state = job_panel(run)
        if run_state.status == "finished":
            plan = Plan.of(run_state.result["plan"])
            st.markdown(plain(plan.text()))
            reason = refusal(plan, build(SpeechLlmConfig, run.config))
            if reason:
                st.warning(message(reason), icon=":material/memory:")
            else:
                st.success(_("It fits into the memory of this device."), icon=":material/check:")


def speechllm_curves(run: RunDirectory, run_state: RunState) -> None:
    """Loss, rate and gradient per step; metrics per epoch, with the paper's third epoch and a rater as lines, or those
    of the left-out speakers where they choose the epoch."""
    file = run.path / "plan.json"
    if file.is_file():
        lines = "; ".join(lines_of(Plan.of(artifacts.read_json(file)).text()))
        st.caption(plain(_("Plan: {plan}.").format(plan=lines)))
    metrics = jobs.metrics_of(run)
    if not metrics.columns():
        if run_state.status == "running":
            st.caption(_("Recordings and the model are being loaded; the curves appear with the first step."))
        return
    log, smoothing = curve_settings("train")
    revision = f"{run.id} {log}"
    columns = st.columns(3)
    for column, (name, label) in zip(columns, STEPS, strict=True):
        figure = run_charts.steps(
            metrics.steps(name), _(label), smoothing=smoothing, log=log or name == "grad_norm"
        )  # fmt: skip
        with column:
            kept_chart(figure, key=f"speechllm-{name}", revision=revision)
    epochs = [{"fold": None, "epoch": row.get("epoch"), **figures_of(row)} for row in metrics.rows("epoch")]
    if not epochs:
        st.caption(_("The metrics appear after the first epoch."))
        return
    validation = "validation_" if any("validation_choice" in row for row in epochs) else ""
    if validation:
        st.caption(_("Measured after every epoch on training speakers that are left out; they choose the epoch."))
    stand_in = is_stand_in(str(run.config.get("model")))
    trained = {"unfreeze": "unfrozen", "full": "unfrozen", "none": "none"}.get(run.config.get("adapter", ""), "LoRA")
    paper = max(
        (row for row in TABLE3 if row.trained == trained and row.epoch <= BEST_EPOCH), key=lambda row: row.epoch
    )
    for index, (name, label) in enumerate(METRICS):
        if index % 3 == 0:  # a row of its own, so that a narrow screen keeps their order
            columns = st.columns(3)
        targets = {} if stand_in or validation else {_("paper"): float(getattr(paper, name))}
        human = getattr(HUMAN, name.removesuffix("_pcc"), None) if name.endswith("_pcc") else None
        if human is not None:
            targets[_("one rater")] = human
        figure = run_charts.epochs(epochs, f"{validation}{name}", _(label), targets, smoothing=smoothing, log=log)
        with columns[index % 3]:
            kept_chart(figure, key=f"speechllm-{name}", revision=revision)


def speechllm_results(run: RunDirectory) -> None:
    """Table 3 of the finished run: beside the paper's, or alone where a stand-in was trained."""
    file = run.path / "table3.json"
    if not file.is_file():
        return
    content: dict[str, Any] = artifacts.read_json(file)
    figures = content["figures"]
    stand_in = is_stand_in(str(run.config.get("model")))
    st.header(_("Stand-in: the figures of Table 3") if stand_in else _("Table 3"))
    if stand_in:
        st.caption(
            _(
                "This run trained a small model that is built here in the place of Phi-4. Its figures show whether the "
                "way from prompt to answer works; they reproduce nothing, so the paper's are not beside them."
            )
        )
    st.caption(_data(run, figures).text())
    within = {True: _("yes"), False: _("no"), None: ""}
    data_table(
        [
            {
                _("Metric"): _(TABLE3_ROWS[name]) if name in TABLE3_ROWS else name,
                _("This run"): metric_text(row["ours"]),
                **(
                    {}
                    if stand_in
                    else {
                        _("Paper"): metric_text(row["paper"]),
                        _("Difference"): _signed(row["difference"]),
                        _("Within 5%"): within[row["within_5_percent"]],
                    }
                ),
            }
            for name, row in content["table3"].items()
        ],
        column_config={_("Metric"): st.column_config.TextColumn(pinned=True)},
    )
    unparsed = figures["unparsed"] if "unparsed" in figures else figures["unread"]  # of runs of earlier versions
    unread = ", ".join(
        _("{unread} of {n} {task}").format(unread=number(unparsed[task]), n=number(n), task=task.upper())
        for task, n in figures["n"].items()
    )
    if not stand_in:
        st.caption(_("The paper's figures are on the part test, {n} recordings.").format(n=number(N_TEST)))
    per_accuracy = figures.get("per_accuracy") or {}
    if per_accuracy.get("reference") is not None and not stand_in:
        st.caption(
            _(
                "Correlation of a recording's phone error rate with the raters' accuracy: {ours} (paper: {paper})."
            ).format(ours=_signed(per_accuracy["reference"]), paper=_signed(PAPER_PER_ACCURACY["reference"]))
        )
    st.caption(
        _(
            "Answers that could not be read count as errors: {unread}. F1, precision and recall match phones, as in "
            "the paper; the usual mispronunciation F1 is {f1}."
        ).format(unread=unread, f1=metric_text(figures["mdd"]["f1"]) or _("undefined"))
    )
    st.download_button(
        _("Download Table 3"), (run.path / "table3.md").read_text(encoding="utf-8"), f"{run.id}-table3.md",
        icon=":material/download:",
    )  # fmt: skip
    _deployment(run)


def _data(run: RunDirectory, figures: dict[str, Any]) -> DataBehind:
    config = run.config
    source = str(config.get("set") or Path(str(config.get("manifest") or "")).parent.name)
    n = int(figures["n"].get("apa", 0))
    return DataBehind(source, str(figures.get("part") or ""), n, None, REFERENCE, HELD_OUT_SPEAKERS)


def _deployment(run: RunDirectory) -> None:
    memory = train.scoring_memory(run)
    if memory is None:
        return
    needed = _("Scoring takes about {gb} GB of memory on a GPU.").format(gb=number(memory.gb, 1))
    if memory.gpu:
        needed = _("Scoring takes about {gb} GB of memory on a GPU, for instance {gpu}.").format(
            gb=number(memory.gb, 1), gpu=memory.gpu
        )
    elif memory.fits_processor:
        needed = _("Scoring takes about {gb} GB of memory.").format(gb=number(memory.gb, 1))
    deployment(run, PLACE, warning=needed)


def _signed(value: float | None) -> str:
    return "" if value is None else f"{'+' if value >= 0 else '−'}{number(abs(value), 3)}"
