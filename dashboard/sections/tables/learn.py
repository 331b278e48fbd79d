"""What can be learned from, starting a training, and its results."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.charts import score_charts
from dashboard.components.confirm import confirm
from dashboard.components.packages import say_missing
from dashboard.components.page import empty_state, errors_in_words
from dashboard.components.run_form import run_form
from dashboard.components.run_list import say_damaged, stored
from dashboard.components.tables import data_table
from dashboard.markup import message, plain
from dashboard.services import tables
from pipeline.i18n import N_, _, number, series
from pipeline.metrics.regression import TARGETS
from pipeline.presets import build
from pipeline.regressors.trees import MODELS, SEARCHES
from pipeline.runs import ACTIVE, RunDirectory
from pipeline.runs.messages import translated
from pipeline.tabular.config import TabularConfig
from pipeline.tabular.prompt_encoder_config import PromptModelConfig, load_preset

EVERY_S = 1.0
PROMPTS = "prompts"
ENCODER = "encoder"
MODEL_TITLES = {
    "forest": N_("random forest"), "boosting": N_("gradient boosting"), ENCODER: N_("text encoder (BERT)"),
}  # fmt: skip
SEARCH_TITLES = {
    "none": N_("none: default settings"), "grid": N_("grid: every combination of a few"),
    "full": N_("full grid: over 80 combinations, some minutes"),
    "optuna": N_("Optuna: 20 trials"),
}  # fmt: skip
FIGURES = {
    "mae": N_("MAE"), "rmse": N_("RMSE"), "r2": N_("R²"), "pcc": N_("PCC"), "within_10": N_("Within 10 points"),
    "n": N_("n"),
}  # fmt: skip
# Names that reports give to the baselines.
BASELINES = {
    "level 0 (rules)": N_("rules"),  # not shown
    "heuristic rule": N_("heuristic rule"),  # not shown
    "training mean": N_("training mean"),  # not shown
    "ridge regression": N_("ridge regression"),  # not shown
}
STATUS = {"finished": N_("finished"), "stopped": N_("stopped"), "failed": N_("failed"), "lost": N_("lost")}


def clean(task: str, source: str) -> None:
    cleaning = tables.cleaning(task, source)
    columns = st.columns(4)
    columns[0].metric(_("Items"), number(cleaning.n))
    columns[1].metric(_("Usable"), number(len(cleaning.kept)))
    columns[2].metric(_("People"), number(cleaning.n_groups))
    columns[3].metric(_("Contradictions"), number(len(cleaning.conflicts)))
    for warning in cleaning.warnings:
        st.warning(message(warning), icon=":material/balance:")
    left, right = st.columns([3, 2])
    with left:
        st.plotly_chart(
            score_charts.score_histogram({_("labels"): [row.label or 0.0 for row in cleaning.kept]}, of=_("Items")),
            key="table-labels",
        )
    with right:
        st.markdown(_("**Left out**"))
        if cleaning.dropped:
            data_table([{_("Reason"): _(reason), _("Items"): n} for reason, n in cleaning.dropped.items()])
        else:
            st.caption(_("Nothing."))


def train(task: str, source: str) -> None:
    unmeasured = tables.unmeasured(task)
    if unmeasured:
        st.caption(":material/info: " + message(unmeasured))  # not shown
    models = [*MODELS, ENCODER] if task == PROMPTS else list(MODELS)
    model = st.segmented_control(
        _("Model"), models, default=models[0], required=True, format_func=lambda name: _(MODEL_TITLES[name]),
        key="table-model", wrap=True,
    )  # fmt: skip
    can_start = say_missing(tables.ENCODERS if model == ENCODER else tables.TREES)
    with run_form("table-train"), errors_in_words():
        config = _encoder_config(source) if model == ENCODER else _trees_config(task, source, str(model or models[0]))
        if st.form_submit_button(_("Train"), type="primary", icon=":material/play_arrow:", disabled=not can_start):
            st.toast(_("{run} has started.").format(run=plain(tables.start(config()))))
    _watch(task)


def _trees_config(task: str, source: str, model: str) -> Callable[[], TabularConfig]:
    left, middle, right = st.columns([3, 2, 3], vertical_alignment="bottom")
    search = left.selectbox(_("Search for settings"), SEARCHES, format_func=lambda name: _(SEARCH_TITLES[name]))
    folds = middle.number_input(_("Folds"), 2, 20, 5, help=_("All items of a person are in one fold."))
    balance = _balance(right)
    values = {
        "task": task, "source": source, "model": model, "search": search, "folds": folds, "balance": balance,
        "depth": 3 if model == "boosting" else 0, "name": f"{task}-{model}",
    }  # fmt: skip
    return lambda: build(TabularConfig, values)


def _encoder_config(source: str) -> Callable[[], PromptModelConfig]:
    left, middle, right = st.columns([3, 2, 3], vertical_alignment="bottom")
    folder = left.text_input(
        _("Folder of the encoder"), placeholder=_("tiny: random, to try it out"),
        help=_("A folder on this machine with a BERT-like encoder and its tokenizer."),
    ).strip()  # fmt: skip
    epochs = middle.number_input(_("Maximum epochs"), 1, 1000, None, placeholder=_("preset"))
    balance = _balance(right)
    settings = load_preset("bert_base" if folder else "tiny")
    values: dict[str, Any] = {**settings, "source": source, "balance": balance}
    if folder:
        values["model"] = folder
    if epochs:
        values["epochs"] = int(epochs)
    return lambda: build(PromptModelConfig, {**values, "name": f"prompts-{Path(str(values['model'])).name}"})


def _balance(where: DeltaGenerator) -> bool:
    return where.checkbox(
        _("Balance the bands"), help=_("Weights items so that bands with few items count as much as the others.")
    )


@st.fragment(run_every=EVERY_S)
@errors_in_words()
def _watch(task: str) -> None:
    listing = tables.runs(task)
    say_damaged(listing.damaged)
    active = [run for run in listing.records if run.state.status in ACTIVE]
    for run in active:
        doing = translated(run.state.message) if run.state.message else _("Starting …")
        st.progress(min(1.0, max(0.0, run.state.progress or 0.0)), text=plain(f"{run.directory.id}: {doing}"))
    if active:
        return
    newest = next(iter(listing.records), None)
    if newest is None:
        st.caption(_("There are no runs yet. A training takes seconds to a minute."))
        return
    status = _(STATUS.get(newest.state.status, newest.state.status))
    if newest.state.status in ("failed", "lost"):
        reason = translated(newest.state.error or "")
        st.error(message(f"{newest.directory.id}: {status}. {reason}"), icon=":material/error:")
    else:
        st.caption(_("{run}: {status}. See Results.").format(run=plain(newest.directory.id), status=status))


def results(task: str) -> None:
    listing = tables.runs(task)
    say_damaged(listing.damaged)
    runs = {run.directory.id: run for run in listing.records if tables.has_report(run.directory)}
    if not runs:
        empty_state(_("No training has finished yet. Start one under Train."))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            _("Run"), list(runs), format_func=lambda name: f"{name} ({runs[name].state.created_at[:16]})"
        )
        run = runs[chosen].directory
        _deployment(task, run)
    with stored(_("The report of {run}").format(run=run.id)):
        _result(tables.report(run))


def _result(report: dict[str, Any]) -> None:
    rows = {_("this model"): report["metrics"]}
    rows |= {_(BASELINES.get(name, name)): metrics for name, metrics in report["baselines"].items()}
    data_table(
        [{_("Scorer"): name, **_figures(metrics)} for name, metrics in rows.items()],
        decimals={_(label): 0 if name == "n" else 2 for name, label in FIGURES.items()},
        column_config={_("Scorer"): st.column_config.TextColumn(pinned=True)},
    )
    low, high = report["metrics"]["intervals"]["mae"]
    tested = (
        _("Out of fold: each person's items are scored by models that were not trained on that person.")
        if "importance" in report
        else _("On held-out people: the model was trained on others.")
    )
    goals = next(target for target in TARGETS if target.metric == "mae")
    st.caption(
        _(
            "{tested} 95% confidence interval of the MAE, over people: {low} to {high}. Below {acceptable} is "
            "acceptable, below {good} good, below {excellent} excellent."
        ).format(
            tested=tested, low=number(low, 1), high=number(high, 1), acceptable=number(goals.acceptable),
            good=number(goals.good), excellent=number(goals.excellent),
        )
    )  # fmt: skip
    if "importance" in report:  # of trees
        left, right = st.columns(2)
        left.markdown(_("**Feature importance** (share of the gain of its splits)"))
        left.plotly_chart(_importance(report["importance"], _("Share")), key="table-importance")
        right.markdown(_("**Permutation importance** (rise of the MAE when shuffled, out of fold)"))
        right.plotly_chart(_importance(report["permutation"], _("Points of MAE")), key="table-permutation")
    st.header(_("Error analysis"))
    if "errors" in report:
        _errors(report["errors"])


def _importance(values: dict[str, float], label: str) -> Any:
    return score_charts.importance(list(values), list(values.values()), most=15, label=label)


def _figures(metrics: dict[str, Any]) -> dict[str, Any]:
    return {_(label): metrics[name] for name, label in FIGURES.items()}


def _deployment(task: str, run: RunDirectory) -> None:
    deployed = tables.in_use(task)
    name = _("the rules") if deployed is None else plain(deployed.model_id)
    st.markdown(_("Deployed: **{model}**").format(model=name), width="content")
    if (deployed is None or deployed.model_id != run.id) and confirm(
        _("Deploy"), _("From now on {run} scores this task.").format(run=plain(run.id)), answer=_("Yes, deploy it"),
        key=f"table-deploy-{run.id}", icon=":material/rocket_launch:",
    ):  # fmt: skip
        tables.deploy(run)
        st.rerun()
    if deployed is not None and confirm(
        _("Roll back"), _("The model that was deployed before is deployed again."), answer=_("Yes, roll back"),
        key="table-back", icon=":material/undo:",
    ):  # fmt: skip
        model = tables.roll_back(task)
        st.toast(_("Deployed: {model}").format(model=plain(model) if model else _("the rules")))
        st.rerun()


def _errors(errors: dict[str, Any]) -> None:
    data_table(
        [
            {
                _("Item"): item["content"],
                _("Label"): item["label"],
                _("Predicted"): item["predicted"],
                _("Person"): item["group"],
            }
            for item in errors["worst"]
        ],
        decimals=dict.fromkeys((_("Label"), _("Predicted")), 1),
        column_config={_("Item"): st.column_config.TextColumn(width="large")},
    )
    left, middle, right = st.columns(3)
    one = dict.fromkeys((_("MAE"), _("Bias")), 1)
    with left:
        data_table([{_("Person"): row["name"], **_bias(row)} for row in errors["by_group"]], decimals=one)
    with middle:
        bands = [(row["name"], _bias(row)) for row in errors["by_band"]]
        data_table([{_("Band of the label"): _(band), **figures} for band, figures in bands], decimals=one)
    with right:
        data_table(
            [
                {
                    _("Feature"): row["feature"],
                    _("MAE by quarter of its values"): series(number(mae, 1) for mae in row["mae_by_quarter"]),
                }
                for row in errors["by_feature"]
            ]
        )


def _bias(row: dict[str, Any]) -> dict[str, Any]:
    return {_("n"): row["n"], _("MAE"): row["mae"], _("Bias"): row["bias"]}
