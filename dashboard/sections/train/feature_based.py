"""The Train page's sections for feature-based scorers: start a training, its curves, its results."""

from pathlib import Path

import streamlit as st

from dashboard import state
from dashboard.charts import run_charts, score_charts
from dashboard.components.curve_settings import curve_settings
from dashboard.components.data_behind import DataBehind
from dashboard.components.filters import choose_set
from dashboard.components.kept_chart import kept_chart
from dashboard.components.run_form import run_form
from dashboard.components.tables import fitted
from dashboard.components.worst_cases import worst_cases
from dashboard.markup import message, plain
from dashboard.sections.train.deployment import deployment
from dashboard.services import compare, jobs, train
from dashboard.services.train import ExtractorChoice
from pipeline.i18n import N_, _
from pipeline.metrics.regression import TARGETS
from pipeline.model_names import short_name
from pipeline.runs import RunDirectory, RunState
from pipeline.runs.messages import translated
from pipeline.scoring.feature_based.config import AUTO, BY_RECORDING, BY_SPEAKER, BY_WORD, TrainConfig
from pipeline.scoring.feature_based.split import HELD_OUT

LABELS = {
    "real": N_("ratings of this set"),
    "mock": N_("mock: made-up scores"),
}
MODELS = {
    "mlp": N_("small neural network"),
    "forest": N_("random forest"),
    "boosting": N_("gradient-boosted trees"),
}
SPLITS = {
    AUTO: N_("speakers if there are three"), BY_SPEAKER: N_("speakers"), BY_WORD: N_("words"),
    BY_RECORDING: N_("recordings"),
}  # fmt: skip
SEARCHES = {"none": N_("none"), "grid": N_("small grid"), "full": N_("full grid"), "optuna": N_("Optuna")}
BOOSTING_DEPTH = 3


def start_feature_based_training(can_start: bool) -> bool:
    """Draw the form; a started run is chosen for watching. Returns whether one was started. It can be sent where
    `can_start`."""
    chosen = choose_set()
    if chosen is None:
        return False
    extractors = {choice.name: choice for choice in train.extractors()}
    preselected, why = train.features_for(chosen.name)
    if why:
        st.caption(":material/info: " + message(why))  # not shown
    with run_form("train"):
        left, middle, right = st.columns(3)
        model = left.selectbox(_("Model"), list(MODELS), format_func=lambda name: _(MODELS[name]))
        extractor = middle.selectbox(
            _("Features"), list(extractors), index=list(extractors).index(preselected),
            key=f"train-features-{chosen.name}",
            help="  \n".join(_extractor_text(choice) for choice in extractors.values()),
        )  # fmt: skip
        name = right.text_input(_("Name of the run"), placeholder=_("default: features and model"), max_chars=60)
        numbers = st.columns([2, 1, 1, 1, 1], vertical_alignment="bottom")
        labels = numbers[0].selectbox(_("Labels"), list(LABELS), format_func=lambda name: _(LABELS[name]))
        epochs = numbers[1].number_input(_("Maximum epochs"), 1, 10_000, TrainConfig.epochs)
        folds = numbers[2].number_input(
            _("Folds"), 2, 50, TrainConfig.folds,
            help=_("No speaker is in two folds. Fewer are used where there are fewer speakers."),
        )  # fmt: skip
        seed = numbers[3].number_input(_("Seed"), 0, 2**31 - 1, TrainConfig.seed)
        part = numbers[4].text_input(
            _("Part of the set"), placeholder=_("all"), help=_("Only this part of the corpus, such as train.")
        )
        with st.expander(_("More settings")):
            more = st.columns([2, 2, 2], vertical_alignment="bottom")
            split = more[0].selectbox(
                _("Folds keep together"), list(SPLITS), format_func=lambda name: _(SPLITS[name]),
                help=_("With one or two speakers, words or recordings are held out: then no new voice is tried."),
            )  # fmt: skip
            search = more[1].selectbox(
                _("Search for settings"), list(SEARCHES), format_func=lambda name: _(SEARCHES[name]),
                help=_("For forests and boosted trees only."),
            )  # fmt: skip
            balance = more[2].checkbox(
                _("Balance the bands"),
                help=_("Weights recordings so that bands with few of them count as much as the others."),
            )
        submitted = st.form_submit_button(
            _("Start training"), type="primary", icon=":material/play_arrow:", disabled=not can_start
        )
    if submitted:
        problem = extractors[extractor].problem
        if problem is not None:
            st.error(message(problem), icon=":material/error:")
            return False
        config = TrainConfig(
            set=chosen.name,
            part=part.strip(),
            labels=labels,
            model=model,
            extractor=extractor,
            name=name.strip() or f"{extractor}-{model}",
            seed=int(seed),
            folds=int(folds),
            split=split,
            search=search if model != "mlp" else "none",
            balance=balance,
            epochs=int(epochs),
            depth=BOOSTING_DEPTH if model == "boosting" else TrainConfig.depth,
        )
        state.watch(state.RUN, train.start("word", config))
    return submitted


def _extractor_text(choice: ExtractorChoice) -> str:
    description = choice.description if choice.problem is None else _("cannot be used here")
    return plain(f"{choice.name}: {description}")


def feature_based_curves(run: RunDirectory, _state: RunState) -> None:
    """Training loss and validation MAE per epoch and fold; trees have no epochs."""
    metrics = jobs.metrics_of(run).rows("epoch")
    if not metrics:
        return
    mae = next(target for target in TARGETS if target.metric == "mae")
    log, smoothing = curve_settings("train")
    left, right = st.columns(2)
    revision = f"{run.id} {log}"
    with left:
        loss = _("Training loss (MSE)")
        figure = run_charts.epochs(metrics, "train_loss", loss, {}, smoothing=smoothing, log=log)
        kept_chart(figure, key="train-loss", revision=revision)
    targets = {_("acceptable"): mae.acceptable, _("good"): mae.good, _("excellent"): mae.excellent}
    with right:
        error = _("Validation MAE (points)")
        figure = run_charts.epochs(metrics, "val_mae", error, targets, smoothing=smoothing, log=log)
        kept_chart(figure, key="val-mae", revision=revision)


def feature_based_results(run: RunDirectory) -> None:
    """Predictions on held-out speakers, importance, metrics beside the baselines, the worst, and deployment."""
    report = train.report_of(run)
    if report is None:
        return
    loud, warnings = (report.warnings[:1], report.warnings[1:]) if report.split != BY_SPEAKER else ((), report.warnings)
    for warning in loud:
        st.error(message(translated(warning)), icon=":material/record_voice_over:")
    if warnings:
        st.warning("  \n".join(message(translated(warning)) for warning in warnings), icon=":material/info:")
    table = train.held_out_predictions(run)
    config = run.config
    st.caption(
        DataBehind(
            str(config.get("set") or Path(str(config.get("csv"))).name), str(config.get("part") or ""), len(table),
            table["speaker"].nunique(), train.reference_of(run), HELD_OUT[report.split],
        ).text()
    )  # fmt: skip
    left, right = st.columns(2)
    with left:
        st.header(_("Predicted against expert scores"))
        st.plotly_chart(score_charts.predicted_against_expert(table), key="train-scatter")
    with right:
        st.header(_("Feature importance"))
        if any(report.importance.values()):
            names, values = list(report.importance), list(report.importance.values())
            label = _("MAE rise when shuffled")
            st.plotly_chart(score_charts.importance(names, values, label=label), key="train-importance")
        else:
            st.caption(_("Not measured: a single dimension of an embedding has no meaning."))
    st.header(_("Metrics"))
    baselines = {_(name): figures for name, figures in report.baselines.items()}
    rows = compare.metric_rows({_("this model"): report.metrics, **baselines}, None)
    fitted(rows)
    st.caption(
        _(
            "In brackets: 95% bootstrap interval over {groups}. The other columns are baselines on the same folds."
        ).format(groups=_(SPLITS[report.split]))
    )
    st.header(_("Largest errors"))
    worst_cases(table, short_name(run.id))
    mock = _("**It was trained on mock labels: its scores will be made up.**") if is_mock(run) else ""
    deployment(run, str(train.rubric_of(run)), mae=report.metrics.mae, warning=mock)


def is_mock(run: RunDirectory) -> bool:
    """Whether the run learns from made-up scores."""
    return run.config.get("labels") == "mock"
