"""The Train page's sections for the speech scorer: start a fine-tuning, watch its curves, put its model into use."""

from typing import Any

import streamlit as st

from dashboard import state
from dashboard.charts import run_charts
from dashboard.components.confirm import confirm
from dashboard.components.page import errors_in_words
from dashboard.components.run_form import configured, last_fields
from dashboard.markup import plain
from dashboard.services import train as training
from pipeline.evaluation.published import HUMAN, PAPER
from pipeline.runs import RunDirectory, RunState
from pipeline.runs.comparison import figures_of
from pipeline.scoring.speech.model_files import FOLDER as SPEECH
from pipeline.scoring.speech.training.config import SpeechTrainConfig, list_presets, load_preset

# What is drawn of the held-out figures: name, axis, and which published column stands beside it.
CURVES = (
    ("utterance_total", "Sentence total (PCC)", "total"),
    ("utterance_fluency", "Fluency (PCC)", "fluency"),
    ("phone", "Phone (PCC)", None),
    ("mdd_f1", "Mispronunciations (F1, best threshold)", None),
    ("greedy_per", "Phone error rate, greedy", None),
)
LABELS = {
    "accuracy": "Accuracy", "fluency": "Fluency", "prosodic": "Prosody", "total": "Total", "word_accuracy": "Word",
    "phone": "Phone", "per": "PER", "greedy_per": "PER, greedy", "wer": "WER", "int8_cost": "Cost of 8 bit (PCC)",
}  # fmt: skip


def start_speech_training() -> None:
    """The form; a started run is chosen for watching."""
    sets = training.speech_sets()
    if not sets:
        st.info(
            "A speech scorer learns from phones and their scores, as speechocean762 has them. Import it on the Data "
            "page or with `pronlab import speechocean762 FOLDER`.",
            icon=":material/upload:",
        )
        return
    with st.form("train-speech", border=False):
        left, right = st.columns(2)
        chosen = left.selectbox("Set", sets)
        preset = right.selectbox("Preset", list_presets(), index=list_presets().index("whisper_base"))
        encoder = left.text_input(
            "Encoder", placeholder="PRONLAB_ENCODER_PATH or the preset's", help="A local folder or a hub name."
        )
        name = right.text_input("Name of the run", placeholder="speech-preset", max_chars=60)
        numbers = st.columns(4)
        epochs = numbers[0].number_input("Epochs (0: the preset's)", 0, 1000, 0)
        seed = numbers[1].number_input("Seed", 0, 2**31 - 1, 0)
        fold = numbers[2].number_input("Held-out fold", 0, SpeechTrainConfig.folds - 1, 0)
        part = numbers[3].text_input("Part of the corpus", value="train")
        last = last_fields("speech", "batch_s=20\nencoder_rate=5e-5")
        submitted = st.form_submit_button("Start fine-tuning", type="primary", icon=":material/play_arrow:")
    if submitted:
        given: dict[str, Any] = {
            "set": chosen, "seed": int(seed), "part": part.strip(),
            "name": name.strip() or f"speech-{preset}-seed{seed}",
        }  # fmt: skip
        if encoder.strip():
            given["encoder"] = encoder.strip()
        if epochs:
            given["epochs"] = int(epochs)
        settings = load_preset(preset)
        if int(fold) < settings.get("folds", SpeechTrainConfig.folds):
            given["fold"] = int(fold)
        with errors_in_words():
            config = configured(SpeechTrainConfig, settings, given, last)
            state.choose(state.RUN, training.start("speech", config, last.where))


def speech_curves(run: RunDirectory, _: RunState) -> None:
    """Held-out figures an epoch, with the paper's and people's as lines."""
    epochs = [
        {"fold": None, "epoch": row.get("epoch"), **figures_of(row)} for row in training.metrics_of(run).rows("epoch")
    ]
    averaged = run.config.get("average")
    if averaged:
        names = plain(", ".join(map(str, averaged)))
        st.caption(f"The mean listener of {names}; the curves are of its score head, fitted anew.")
    if not epochs:
        st.caption("The first epoch is under way; curves follow after it.")
        return
    columns = st.columns(3)
    columns[0].plotly_chart(run_charts.epochs(epochs, "loss", "Training loss", {}), key="speech-loss")
    for number, (name, label, beside) in enumerate(CURVES, start=1):
        lines = {}
        if beside is not None:
            lines = {"paper": float(getattr(PAPER, beside)), "one expert": float(getattr(HUMAN, beside))}
        columns[number % 3].plotly_chart(run_charts.epochs(epochs, name, label, lines), key=f"speech-{name}")


def speech_findings(run: RunDirectory) -> None:
    """Figures on the held-out speakers, and deployment."""
    st.subheader("Figures on the held-out speakers")
    st.dataframe(
        [{LABELS.get(key, key): round(value, 3) for key, value in figures_of(run.state.result).items()}],
        hide_index=True,
    )
    st.caption(
        "PCC with the experts unless the name says otherwise. The epoch and the thresholds were chosen on these "
        "speakers: measure the model on others with `pronlab evaluate`, and see it on the Results page."
    )
    used = training.speech_in_use()
    st.subheader("Deploy")
    st.markdown(
        "No speech model is in use." if used is None else f"In use for English sentences: **{plain(used.model_id)}**."
    )
    if (used is None or used.model_id != run.id) and confirm(
        "Deploy this run",
        f"From now on **{plain(run.id)}** scores English sentences in this installation.",
        answer="Yes, deploy it",
        key="deploy-speech",
        icon=":material/rocket_launch:",
    ):
        training.deploy_run(run)
        st.toast(f"{plain(run.id)} is in use now.")
        st.rerun()
    if training.speech_is_deployed() and confirm(
        "Roll back",
        "The model that was in use before comes back; the present one leaves. Its run stays here.",
        answer="Yes, go back",
        key="rollback-speech",
        icon=":material/undo:",
    ):
        before = training.roll_back(SPEECH)
        st.toast("The released model is in use." if before is None else f"{plain(before)} is in use again.")
        st.rerun()
