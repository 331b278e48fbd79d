"""The sections of the Train page."""

import streamlit as st

from dashboard import state
from dashboard.charts import run_charts, score_charts
from dashboard.components.confirm import confirm
from dashboard.components.filters import choose_set
from dashboard.components.job_panel import job_panel
from dashboard.components.page import errors_in_words
from dashboard.components.run_actions import offer_deletion
from dashboard.components.run_list import stored
from dashboard.components.worst_cases import worst_cases
from dashboard.markup import document, message, plain
from dashboard.sections.train.speech import speech_curves, speech_findings
from dashboard.sections.train.speechllm import speechllm_curves, speechllm_findings
from dashboard.services import compare as comparison
from dashboard.services import train as training
from pipeline.metrics.regression import TARGETS
from pipeline.runs import RunDirectory, RunState
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.speech.model_files import SpeechInfo

LABEL_WORDS = {
    "real": "real: the ratings of this set",
    "mock": "mock: made-up scores, only to try the machinery",
}
MODEL_WORDS = {
    "mlp": "mlp: a small neural network (128-64-32)",
    "forest": "forest: a random forest, the classical baseline",
}


def start_training() -> None:
    """The form; a started run is chosen for watching."""
    chosen = choose_set()
    if chosen is None:
        return
    extractors = {choice.name: choice for choice in training.extractors()}
    with st.form("train", border=False):
        left, right = st.columns(2)
        labels = left.selectbox("Labels", list(LABEL_WORDS), format_func=LABEL_WORDS.__getitem__)
        model = right.selectbox("Model", list(MODEL_WORDS), format_func=MODEL_WORDS.__getitem__)
        extractor = left.selectbox(
            "Features", list(extractors), format_func=lambda name: f"{name}: {extractors[name].description}"
        )
        name = right.text_input("Name of the run", placeholder="features-model", max_chars=60)
        numbers = st.columns(4)
        epochs = numbers[0].number_input("Epochs at most", 1, 10_000, TrainConfig.epochs)
        folds = numbers[1].number_input("Folds over speakers", 2, 50, TrainConfig.folds)
        seed = numbers[2].number_input("Seed", 0, 2**31 - 1, TrainConfig.seed)
        part = numbers[3].text_input("Part of the corpus", placeholder="all", help="For instance train.")
        submitted = st.form_submit_button("Start training", type="primary", icon=":material/play_arrow:")
    if submitted:
        if extractors[extractor].problem is not None:
            st.error(message(extractors[extractor].problem), icon=":material/error:")
            return
        config = TrainConfig(
            set=chosen.name,
            part=part.strip(),
            labels=labels,
            model=model,
            extractor=extractor,
            name=name.strip() or f"{extractor}-{model}",
            seed=int(seed),
            folds=int(folds),
            epochs=int(epochs),
        )
        state.choose(state.RUN, training.start("word", config))


def models_here() -> None:
    """Which models score now, with their figures and cards."""
    rows = training.models()
    speech = training.speech_in_use()
    if not rows and speech is None:
        st.caption("No model is in use: the heuristic rule scores everything.")
        return
    st.dataframe(
        [_speech_row(info) for info in ([] if speech is None else [speech])]
        + [
            {
                "Scores": f"{row.info.rubric}s",
                "Model": row.info.model_id,
                "Role": row.role,
                "MAE": _two_digits(row.info.test.get("mae")),
                "PCC": row.info.test.get("pcc"),
                "n": row.info.n_recordings,
                "Features": row.info.extractor,
                "Trained on": f"{row.info.trained_on} {row.info.part}".strip(),
            }
            for row in rows
        ],
        hide_index=True,
        column_config={
            "PCC": st.column_config.NumberColumn(format="%.2f"),
        },
    )
    st.caption("Figures over speakers that the model had not heard. Deploying a run puts it in use for its kind.")
    cards = ({} if speech is None else {speech.model_id: training.speech_card()}) | {
        row.info.model_id: row.card for row in rows
    }
    chosen = st.selectbox("Read a model's card", list(cards), index=None, placeholder="Choose a model")
    if chosen is not None:
        with st.container(border=True):
            st.markdown(document(cards[chosen]).replace("\n# ", "\n### ").removeprefix("# "))


def _speech_row(info: SpeechInfo) -> dict[str, object]:
    figure = training.speech_total(info)
    return {
        "Scores": "English sentences",
        "Model": info.model_id,
        "Role": f"in use ({'deployed here' if training.speech_is_deployed() else 'as released'})",
        "MAE": "",
        "PCC": figure and figure["pcc"],
        "n": figure and figure["n"],
        "Features": f"speech: {info.encoder}",
        "Trained on": f"{info.trained_on} {info.part}".strip(),
    }


def _two_digits(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def one_run(run: RunDirectory) -> None:
    """Live while it runs; with its findings and a way to deploy it once it is finished."""
    if _is_mock(run):
        st.warning(
            "**Mock labels**: the scores are made up, so these figures say nothing about speech.",
            icon=":material/science:",
        )
    details, findings = OF_KIND.get(run.state.kind, (None, None))
    with st.container(border=True):
        run_state = job_panel(run, details)
    if run_state.status == "finished" and findings is not None:
        with errors_in_words(), stored(f"What {run.id} found"):
            findings(run)
    offer_deletion(run)


def _curves(run: RunDirectory, _: RunState) -> None:
    metrics = training.metrics_of(run).rows("epoch")
    if not metrics:
        return
    mae = next(target for target in TARGETS if target.metric == "mae")
    left, right = st.columns(2)
    with left:
        st.plotly_chart(
            run_charts.epochs(metrics, "train_loss", "Training loss (MSE of score/100)", {}), key="train-loss"
        )
    with right:
        targets = {"acceptable": mae.acceptable, "good": mae.good, "excellent": mae.excellent}
        st.plotly_chart(run_charts.epochs(metrics, "val_mae", "Validation MAE (points)", targets), key="val-mae")


def _findings(run: RunDirectory) -> None:
    report = training.report_of(run)
    if report is None:
        return
    for warning in report.warnings:
        st.warning(message(warning), icon=":material/info:")
    st.subheader("Figures")
    st.dataframe(comparison.metric_rows({"this model": report.metrics, **report.baselines}, None), hide_index=True)
    st.caption(
        f"Over {report.metrics.n} recordings, each predicted by a model that had not heard its speaker; in brackets: "
        "95 % bootstrap interval over speakers. The columns beside are simpler methods on the same folds."
    )
    table = training.held_out_predictions(run)
    left, right = st.columns(2)
    with left:
        st.subheader("Predicted against actual")
        st.plotly_chart(score_charts.predicted_against_expert(table), key="train-scatter")
    with right:
        st.subheader("What the model listens to")
        if any(report.importance.values()):
            names, values = list(report.importance), list(report.importance.values())
            st.plotly_chart(score_charts.importance(names, values), key="train-importance")
        else:
            st.caption("No importance of single features was measured: an embedding's dimensions say nothing alone.")
    st.subheader("The ten worst")
    worst_cases(table, run.id)
    _deployment(run, report)


def _deployment(run: RunDirectory, report: training.Report) -> None:
    """What scores now, putting this run's model in its place, and the way back."""
    st.subheader("Deploy")
    rubric = training.rubric_of(run)
    used = training.in_use(rubric)
    if used is None:
        st.markdown(f"No model is in use for {rubric} recordings; the heuristic rule scores them.")
    else:
        info, deployed = used
        mae = info.test.get("mae")
        st.markdown(
            f"In use for {rubric} recordings: **{plain(info.model_id)}** "
            f"({'deployed here' if deployed else 'as released'}), test MAE {comparison.number(mae)}. "
            f"This run: {comparison.number(report.metrics.mae)}."
        )
    with st.container(horizontal=True):
        mock = " **It was trained on mock labels: its scores will be made up.**" if _is_mock(run) else ""
        is_used = used is not None and used[1] and used[0].model_id == run.id
        if not is_used and confirm(
            "Deploy this run",
            f"From now on **{plain(run.id)}** scores {rubric} recordings in this installation.{mock}",
            answer="Yes, deploy it",
            key="deploy",
            icon=":material/rocket_launch:",
        ):
            training.deploy_run(run)
            st.toast(f"{plain(run.id)} is in use now.")
            st.rerun()
        if (
            used is not None
            and used[1]
            and confirm(
                "Roll back",
                "The model that was in use before comes back; the present one leaves. Its run stays here.",
                answer="Yes, go back",
                key="rollback",
                icon=":material/undo:",
            )
        ):
            before = training.roll_back(rubric)
            st.toast("The released model is in use." if before is None else f"{plain(before)} is in use again.")
            st.rerun()


def _is_mock(run: RunDirectory) -> bool:
    return run.config.get("labels") == "mock"


OF_KIND = {
    "word": (_curves, _findings),
    "speech": (speech_curves, speech_findings),
    "speechllm": (speechllm_curves, speechllm_findings),
}
