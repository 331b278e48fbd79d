"""Step 3: a training as it runs: loss, gradient, learning rate, and the validation clips."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from dashboard.charts import run_charts
from dashboard.components.job_panel import job_panel
from dashboard.components.page import errors_in_words
from dashboard.components.report_files import download_json, download_table
from dashboard.components.run_actions import offer_deletion
from dashboard.components.run_list import stored
from dashboard.components.tables import data_table
from dashboard.markup import message, plain
from dashboard.sections.wakeword.steps import EVALUATION, offer_step
from dashboard.sections.wakeword.threshold import all_rest_on
from dashboard.services import jobs
from pipeline import artifacts
from pipeline.i18n import N_, _, duration, ngettext, number, percent, translated
from pipeline.runs import RunDirectory, RunState
from pipeline.runs.comparison import section_of
from pipeline.wakeword.data.clips import SPOKEN
from pipeline.wakeword.diagnosis import diagnosis

STEPS = (("gradient_norm", N_("Gradient norm")), ("rate", N_("Learning rate")))
VALIDATION = (
    ("miss", N_("Words missed (%)"), 100.0),
    ("ranking", N_("Ranking loss"), 1.0),
)  # fmt: skip
AT_HALF = (("f1", N_("F1")), ("fpr", N_("False positive rate")), ("fnr", N_("False negative rate")))
WEIGHTS = ((N_("current weights"), "present"), (N_("averaged weights"), "averaged"))


def draw(run: RunDirectory) -> None:
    if run.state.status == "finished":
        offer_step(EVALUATION)
    job_panel(run, details)
    report = run.path / "report.json"
    if report.is_file():
        with errors_in_words(), stored(_("The report of {run}").format(run=run.id)):
            _report(run, artifacts.read_json(report))
    offer_deletion(run)


def details(run: RunDirectory, state: RunState) -> None:
    metrics = jobs.metrics_of(run)
    if not metrics.columns():
        if state.status == "running":
            st.caption(_("Clips are checked and rendered first. The curves follow with the first steps."))
        return
    rows = metrics.rows("validation")
    columns = st.columns(1 + len(STEPS))
    losses = {_("training"): metrics.steps("loss"), **_curves(rows, {"present_loss": _("validation")})}
    columns[0].plotly_chart(run_charts.overlay(losses, _("Step"), _("Loss")), key="wakeword-loss")
    for column, (name, label) in zip(columns[1:], STEPS, strict=True):
        column.plotly_chart(
            run_charts.steps(metrics.steps(name), _(label), log=name == "gradient_norm"), key=f"wakeword-{name}"
        )
    if not rows:
        return
    columns = st.columns(len(VALIDATION) + 1)
    for column, (name, label, factor) in zip(columns, VALIDATION, strict=False):
        curves = _curves(rows, {f"{prefix}_{name}": _(title) for title, prefix in WEIGHTS}, factor)
        column.plotly_chart(run_charts.overlay(curves, _("Step"), _(label)), key=f"wakeword-validation-{name}")
    with columns[-1]:
        curves = _curves(rows, {f"present_{name}": _(label) for name, label in AT_HALF}, 100.0)
        if curves:  # runs of earlier releases lack them
            figure = run_charts.overlay(curves, _("Step"), _("At a probability of one half (%)"))
            st.plotly_chart(figure, key="wakeword-validation-half")
    names = list(dict.fromkeys(name for row in rows for name in row))
    download_table(names, [[row.get(name) for name in names] for row in rows], f"validation-{run.id}")


def _curves(rows: list[dict[str, Any]], names: dict[str, str], factor: float = 1.0) -> dict[str, Any]:
    """Over the step, of what the validations logged, by title; without those that none has."""
    return {
        title: (np.array([row["at_step"] for row in some]), np.array([factor * row[key] for row in some]))
        for key, title in names.items()
        if (some := [row for row in rows if key in row])
    }


def _report(run: RunDirectory, report: dict[str, Any]) -> None:
    validation = report["validation"]
    columns = st.columns(4)
    columns[0].metric(_("Validation misses"), percent(validation["miss_at_few_alarms"], 1))
    columns[1].metric(_("Validation words"), number(validation["n_words"]))
    columns[2].metric(
        _("Averaged weights") if report["averaged"] else _("Weights"),
        _("step {n}").format(n=number(report["best_step"])),
    )
    columns[3].metric(_("Training time"), translated(duration(report["training_s"] / 3600)))
    note = _(
        "Misses are the mean at 0 to 20 false alarms on the validation clips, which chose the weights. For the quality "
        "of the detector see 4 Evaluation, on clips and hours that had no part in the training."
    )
    bases = {word: figures["threshold"] for word, figures in report.get("words", {}).items()}
    if report.get("threshold"):  # runs of earlier releases lack it
        note += " " + all_rest_on(bases or {"": report["threshold"]})
    if report.get("clips_left_out"):
        n = len(report["clips_left_out"])
        note += " " + ngettext(
            "{n} clip cannot be used and was left out: {file}", "{n} clips cannot be used and were left out, e.g. "
            "{file}", n,
        ).format(n=number(n), file=plain(report["clips_left_out"][0]))  # fmt: skip
    if report.get("files_left_out"):
        n = len(report["files_left_out"])
        note += " " + ngettext(
            "{n} file was left out, as it is no audio or a link out of its folder: {file}.",
            "{n} files were left out, as they are no audio or links out of their folders, e.g. {file}.",
            n,
        ).format(n=number(n), file=plain(report["files_left_out"][0]))
    if report.get("rooms_left_out"):
        note += " " + _("Room impulse responses left out: {reasons}.").format(
            reasons=plain("; ".join(report["rooms_left_out"]))
        )
    if not report["sources_known"]:
        note += " " + _("The clips name no speakers: the same voice may be on both sides.")
    st.caption(note + " " + _("Of the last stage, the averaged weights with the lowest ranking loss are kept."))
    of_words = {name: word["validation"] for name, word in report.get("words", {}).items()}
    if of_words:
        data_table(
            [
                {
                    _("Word"): name, _("Validation misses"): percent(figures["miss_at_few_alarms"], 1),
                    _("Validation words"): number(figures["n_words"]),
                }
                for name, figures in of_words.items()
            ],
        )  # fmt: skip
    for sentence in diagnosis(run.metrics(), report):
        st.warning(message(sentence), icon=":material/troubleshoot:")
    download_json(report, f"training-{run.id}")
    folders = [Path(str(folder)) for folder in section_of(run.config, "data").get("positive") or ()]
    if folders and all((folder / SPOKEN).is_file() for folder in folders):
        st.warning(
            _("All clips of the word are synthetic: nothing was measured on recordings of people."),
            icon=":material/robot_2:",
        )
