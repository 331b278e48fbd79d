"""The Train page's sections for the speech scorer: start a fine-tuning, its curves, its results."""

from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.charts import run_charts
from dashboard.components.curve_settings import curve_settings
from dashboard.components.data_behind import HELD_OUT_SPEAKERS, DataBehind
from dashboard.components.kept_chart import kept_chart
from dashboard.components.page import errors_in_words
from dashboard.components.run_form import configured, last_fields, run_form
from dashboard.components.tables import data_table
from dashboard.markup import plain
from dashboard.sections.train.deployment import deployment
from dashboard.sections.train.fine_tuning import first_fields
from dashboard.services import jobs, train
from pipeline.i18n import N_, _
from pipeline.metrics.published import HUMAN, PAPER
from pipeline.runs import RunDirectory, RunState
from pipeline.runs.comparison import figures_of
from pipeline.runs.words import metric_name, metric_text
from pipeline.scoring.speech.model_files import FOLDER as SPEECH
from pipeline.scoring.speech.training.config import SpeechTrainConfig, list_presets, load_preset

# What is drawn of the held-out metrics: name, axis, and which published metric is drawn with it.
CURVES = (
    ("utterance_total", N_("Sentence total (PCC)"), "total"),
    ("utterance_fluency", N_("Fluency (PCC)"), "fluency"),
    ("phone", N_("Phone (PCC)"), None),
    ("mdd_f1", N_("Mispronunciations (F1, best threshold)"), None),
    ("greedy_per", N_("Phone error rate, greedy"), None),
)
PUBLISHED = {"accuracy": "accuracy", "fluency": "fluency", "prosodic": "prosodic", "total": "total"}
EXAMPLE = "batch_s=20\nencoder_rate=5e-5"  # not shown


def start_speech_training(can_start: bool) -> bool:
    """Draw the form; a started run is chosen for watching. Returns whether one was started. It can be sent where
    `can_start`."""
    sets = train.speech_sets()
    if not sets:
        st.info(
            _(
                "A speech scorer learns from phones and their scores, as in speechocean762. Import the corpus on the "
                "Data page or with `pronlab import speechocean762 FOLDER`."
            ),
            icon=":material/upload:",
        )
        return False
    with run_form("train-speech"):
        first = first_fields(sets, list_presets(), "whisper_base")
        numbers = st.columns([2, 1, 1, 1, 1])
        encoder = numbers[0].text_input(
            _("Encoder"), placeholder=_("default: the preset's"),
            help=_("A local folder or a hub name. Default: PRONLAB_ENCODER_PATH, else the preset's."),
        )  # fmt: skip
        epochs = numbers[1].number_input(_("Epochs"), 1, 1000, None, placeholder=_("preset"))
        seed = numbers[2].number_input(_("Seed"), 0, 2**31 - 1, 0)
        fold = numbers[3].number_input(_("Held-out fold"), 0, SpeechTrainConfig.folds - 1, 0)
        part = numbers[4].text_input(_("Part of the set"), value=SpeechTrainConfig.part)
        last = last_fields("speech", EXAMPLE)
        submitted = st.form_submit_button(
            _("Start fine-tuning"), type="primary", icon=":material/play_arrow:", disabled=not can_start
        )
    if submitted:
        given: dict[str, Any] = {
            "set": first.set_name, "seed": int(seed), "part": part.strip(), "name": first.run_name("speech", int(seed)),
        }  # fmt: skip
        if encoder.strip():
            given["encoder"] = encoder.strip()
        if epochs:
            given["epochs"] = int(epochs)
        settings = load_preset(first.preset)
        if int(fold) < settings.get("folds", SpeechTrainConfig.folds):
            given["fold"] = int(fold)
        with errors_in_words():
            config = configured(SpeechTrainConfig, settings, given, last)
            state.watch(state.RUN, train.start("speech", config, last.where))
            return True
    return False


def speech_curves(run: RunDirectory, _state: RunState) -> None:
    """Held-out metrics per epoch, with the paper's and a rater's as lines."""
    epochs = [
        {"fold": None, "epoch": row.get("epoch"), **figures_of(row)} for row in jobs.metrics_of(run).rows("epoch")
    ]
    averaged = run.config.get("average")
    if averaged:
        names = plain(", ".join(map(str, averaged)))
        st.caption(_("The mean weights of {runs}; the curves are of its score head, trained anew.").format(runs=names))
    if not epochs:
        st.caption(_("The curves appear after the first epoch."))
        return
    log, smoothing = curve_settings("train")
    revision = f"{run.id} {log}"
    columns = st.columns(3)
    with columns[0]:
        figure = run_charts.epochs(epochs, "loss", _("Training loss"), {}, smoothing=smoothing, log=log)
        kept_chart(figure, key="speech-loss", revision=revision)
    for index, (name, label, published) in enumerate(CURVES, start=1):
        lines = {}
        if published is not None:
            lines = {_("paper"): float(getattr(PAPER, published)), _("one rater"): float(getattr(HUMAN, published))}
        if index % 3 == 0:  # a row of its own, so that a narrow screen keeps their order
            columns = st.columns(3)
        with columns[index % 3]:
            figure = run_charts.epochs(epochs, name, _(label), lines, smoothing=smoothing, log=log)
            kept_chart(figure, key=f"speech-{name}", revision=revision)


def speech_results(run: RunDirectory) -> None:
    """Metrics on the held-out speakers, and deployment."""
    st.header(_("Metrics on held-out speakers"))
    st.caption(_data(run).text())
    data_table(
        [
            {
                _("Metric"): metric_name(name),
                _("This run"): metric_text(value),
                _("Paper"): _published(PAPER, name),
                _("One rater"): _published(HUMAN, name),
            }
            for name, value in figures_of(run.state.result).items()
        ],
        column_config={_("Metric"): st.column_config.TextColumn(pinned=True)},
    )
    st.caption(
        _(
            "PCC with the experts' scores unless the metric says otherwise. The epoch and the thresholds were chosen "
            "on these speakers: measure the model on other speakers with `pronlab evaluate` and see the Results page."
        )
    )
    deployment(run, SPEECH)


def _data(run: RunDirectory) -> DataBehind:
    report, config = train.raw_report(run), run.config
    manifest = Path(str(config.get("manifest") or ""))
    part = str(run.state.result.get("part", ""))  # the settings may leave it open
    n, n_speakers = report.get("n_held_out"), report.get("n_speakers_held_out")
    return DataBehind(
        str(config.get("set") or manifest.parent.name), part,
        int(n) if isinstance(n, int) else None, int(n_speakers) if isinstance(n_speakers, int) else None, "median",
        HELD_OUT_SPEAKERS,
    )  # fmt: skip


def _published(source: Any, name: str) -> str:
    return metric_text(getattr(source, PUBLISHED[name])) if name in PUBLISHED else ""
