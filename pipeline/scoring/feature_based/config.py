"""What a training run of a feature-vector scorer is told, and the presets for it."""

from dataclasses import dataclass
from typing import Any

from pipeline import presets
from pipeline.regressors.trees import LIMITS, SEARCHES, TreeSettings

MODELS = ("mlp", "forest", "boosting")
LABELS = ("real", "mock")
AUTO, BY_SPEAKER, BY_WORD, BY_RECORDING = "auto", "speaker", "word", "recording"
SPLITS = (AUTO, BY_SPEAKER, BY_WORD, BY_RECORDING)


@dataclass(frozen=True)
class TrainConfig(TreeSettings):
    """`set` or `csv` says on what; `part` keeps one part of the corpus. The hidden sizes are those of the word scorer:
    57 -> 128 -> 64 -> 32 -> 1, each hidden layer with batch norm, ReLU and dropout. `trees` to `trials` are for forest
    and boosting. `split` says what folds keep together: all of a speaker, of a word or of a recording; auto takes
    speakers where there are three, else words."""

    set: str = ""
    csv: str = ""
    part: str = ""
    labels: str = "real"
    model: str = "mlp"
    extractor: str = "acoustic57"
    name: str = ""
    seed: int = 0
    folds: int = 5
    split: str = AUTO
    epochs: int = 120
    patience: int = 20
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    dropout: float = 0.3
    hidden: tuple[int, ...] = (128, 64, 32)
    validation_share: float = 0.15

    def __post_init__(self) -> None:
        """Raises TrainingError naming all that is wrong at once."""
        wrong: list[str] = []
        if bool(self.set) == bool(self.csv):
            wrong.append("give either a set or a csv file")
        wrong += presets.not_among(self, {"labels": LABELS, "model": MODELS, "search": SEARCHES, "split": SPLITS})
        if self.model == "mlp" and self.search != "none":
            wrong.append("a search is for the models forest and boosting")
        limits: dict[str, tuple[float, float]] = {
            **LIMITS, "folds": (2, 50), "epochs": (1, 10_000), "patience": (1, 10_000), "batch_size": (4, 4096),
            "seed": presets.SEEDS,
        }  # fmt: skip
        wrong += presets.outside(self, limits)
        for key in ("learning_rate", "validation_share"):
            if not 0.0 < getattr(self, key) < 1.0:
                wrong.append(f"{key} must lie between 0 and 1, got {getattr(self, key)}")
        if not 0.0 <= self.weight_decay < 1.0:
            wrong.append(f"weight_decay must lie between 0 and 1, got {self.weight_decay}")
        if not 0.0 <= self.dropout < 1.0:
            wrong.append(f"dropout must lie between 0 and 1, got {self.dropout}")
        if not self.hidden or min(self.hidden) < 1:
            wrong.append(f"hidden needs at least one positive size, got {self.hidden}")
        presets.refuse(wrong)


def load_preset(name: str) -> dict[str, Any]:
    """The settings of `presets/<name>.yaml`. Raises TrainingError for an unknown preset or setting."""
    return presets.load_preset(presets.PRESETS, name, TrainConfig)
