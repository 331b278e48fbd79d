"""What runs and their metrics are called, in the reader's language."""

from pipeline.i18n import N_, _, interval, number
from pipeline.runs.comparison import MISS_AT, OverSeeds, Reached
from pipeline.runs.messages import translated
from pipeline.runs.state import RunState

KINDS = {
    "word": N_("Feature-based scorer"),
    "speech": N_("Speech scorer"),
    "speechllm": N_("Speech language model"),
    "letter-to-sound": N_("Letter-to-sound model"),
    "sounds": N_("Model of sounds"),
    "wakeword": N_("Wake word"),
    "wakeword-search": N_("Wake word search"),
    "table": N_("Trees on a table"),
    "prompts": N_("Prompt scorer"),
    "external": N_("Training elsewhere"),
    "plan": N_("Plan"),
    "import": N_("Import"),
    "score-set": N_("Scoring a set"),
    "wakeword-evaluate": N_("Evaluation"),
    "wakeword-robustness": N_("Robustness test"),
    "wakeword-export": N_("Export"),
    "wakeword-learn-phones": N_("Learning a word's phones"),
    "wakeword-speak": N_("Speaking"),
    "rate-range": N_("Finding a learning rate"),
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
    "gradient_norm": N_("Gradient norm"), "validation_mae": N_("Validation MAE (points)"),
    "miss_at_few_alarms": N_("Missed words at few false alarms, validation"), "eer": N_("Equal error rate of clips"),
    "ranking": N_("Ranking of validation words"), "n_words": N_("Validation words"),
    "validation_accuracy_pcc": N_("Accuracy, validation"), "validation_fluency_pcc": N_("Fluency, validation"),
    "validation_prosodic_pcc": N_("Prosody, validation"), "validation_total_pcc": N_("Total, validation"),
    "validation_per": N_("PER, validation"), "validation_wer": N_("WER, validation"),
    "validation_f1": N_("Phone match F1, validation"), "validation_choice": N_("Total and 1 - PER, validation mean"),
    "n_rest": N_("Validation clips of other sound"), "best_value": N_("Error of the best trial"),
}  # fmt: skip
PER_STEP = " by step"  # not shown


# Of a wake word, by the false alarms per hour: measured on hours of sound.
MISSES = N_("Missed words at up to {alarms} false alarms per hour")


def reached_text(reached: Reached | None) -> str:
    """The last value, and the best with its epoch where that was another one; empty where it was not measured."""
    if reached is None:
        return ""
    last, best = (metric_text(value, 0 if value.is_integer() else 3) for value in (reached.last, reached.best))
    if last == best:
        return last
    return _("{last} ({best}, epoch {epoch})").format(last=last, best=best, epoch=reached.best_epoch)


def over_seeds_text(over: OverSeeds | None) -> str:
    """The mean over seeds with its interval, empty where no seed has measured it."""
    if over is None:
        return ""
    if over.interval is None:
        return metric_text(over.mean)
    low, high = over.interval
    if low == high:
        return metric_text(over.mean, 0 if over.mean.is_integer() else 3)
    return f"{metric_text(over.mean)} {interval(metric_text(low), metric_text(high))}"


def reason(state: RunState, longest: int = 160) -> str:
    """Why a run failed or was lost, in one line of at most that many characters; empty for others."""
    if state.status not in ("failed", "lost") or not state.error:
        return ""
    words = " ".join(translated(state.error).split())
    return words if len(words) <= longest else f"{words[: longest - 1].rstrip()}…"


def kind_name(kind: str) -> str:
    """What a run of this kind trains or does."""
    return _(KINDS[kind]) if kind in KINDS else kind


def metric_name(name: str) -> str:
    if name.endswith(PER_STEP):
        return _("{metric}, per step").format(metric=metric_name(name.removesuffix(PER_STEP)))
    prefix, _brace, suffix = MISS_AT.partition("{}")
    if name.startswith(prefix) and name.endswith(suffix):
        return _(MISSES).format(alarms=name.removeprefix(prefix).removesuffix(suffix))
    return _(METRICS[name]) if name in METRICS else name


def metric_text(value: float | None, digits: int = 3) -> str:
    """A metric as tables show it, empty where it was not measured."""
    return "" if value is None else number(value, digits)
