"""What pages call runs: their states, kinds and metrics, in the reader's language."""

from dataclasses import dataclass
from typing import Literal

from pipeline.i18n import N_, _, number


@dataclass(frozen=True)
class Status:
    name: str
    icon: str
    colour: Literal["gray", "blue", "orange", "green", "red"]


STATUSES = {
    "queued": Status(N_("Waiting"), "hourglass_empty", "gray"),
    "running": Status(N_("Running"), "sync", "blue"),
    "stopping": Status(N_("Stopping"), "front_hand", "orange"),
    "finished": Status(N_("Finished"), "check_circle", "green"),
    "stopped": Status(N_("Stopped"), "stop_circle", "orange"),
    "failed": Status(N_("Failed"), "error", "red"),
    "lost": Status(N_("Lost"), "help", "red"),
}

KINDS = {
    "word": N_("Feature-based scorer"),
    "speech": N_("Speech scorer"),
    "speechllm": N_("Speech language model"),
    "letter-to-sound": N_("Letter-to-sound model"),
    "wakeword": N_("Wake word"),
    "wakeword-search": N_("Wake word search"),
    "table": N_("Trees on a table"),
    "prompts": N_("Prompt scorer"),
    "plan": N_("Plan"),
    "import": N_("Import"),
    "score-set": N_("Scoring a set"),
    "wakeword-evaluate": N_("Evaluation"),
    "wakeword-robustness": N_("Robustness test"),
    "wakeword-export": N_("Export"),
    "wakeword-speak": N_("Speaking"),
}

METRICS = {
    "accuracy": N_("Accuracy"), "fluency": N_("Fluency"), "prosodic": N_("Prosody"), "total": N_("Total"),
    "word_accuracy": N_("Word"), "phone": N_("Phone"), "per": N_("PER"), "greedy_per": N_("PER, greedy"),
    "wer": N_("WER"), "int8_cost": N_("Loss by 8-bit weights (PCC)"),
    "utterance_accuracy": N_("Accuracy, per epoch"), "utterance_fluency": N_("Fluency, per epoch"),
    "utterance_prosodic": N_("Prosody, per epoch"), "utterance_total": N_("Total, per epoch"),
    "mdd_f1": N_("Mispronunciation F1, best"), "loss": N_("Training loss"), "train_loss": N_("Training loss"),
    "val_mae": N_("Validation MAE (points)"), "mae": N_("MAE (points)"), "rmse": N_("RMSE (points)"),
    "bias": N_("Bias (points)"), "r2": N_("R²"), "pcc": N_("PCC"), "spearman": N_("Spearman correlation"),
    "within_5": N_("Share within 5 points"), "within_10": N_("Share within 10 points"), "n": N_("Recordings"),
    "accuracy_pcc": N_("Accuracy"), "fluency_pcc": N_("Fluency"), "prosodic_pcc": N_("Prosody"),
    "total_pcc": N_("Total"), "f1": N_("Phone match F1"), "precision": N_("Phone match precision"),
    "recall": N_("Phone match recall"), "rate": N_("Learning rate"), "grad_norm": N_("Gradient norm"),
    "gradient_norm": N_("Gradient norm"),
}  # fmt: skip
PER_STEP = " by step"  # not shown


def status_name(status: str) -> str:
    return _(STATUSES[status].name)


def kind_name(kind: str) -> str:
    """What a run of this kind trains or does."""
    return _(KINDS[kind]) if kind in KINDS else kind


def metric_name(name: str) -> str:
    if name.endswith(PER_STEP):
        return _("{metric}, per step").format(metric=metric_name(name.removesuffix(PER_STEP)))
    return _(METRICS[name]) if name in METRICS else name


def metric_text(value: float | None, digits: int = 3) -> str:
    """A metric as tables show it, empty where it was not measured."""
    return "" if value is None else number(value, digits)
