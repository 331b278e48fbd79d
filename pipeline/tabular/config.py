"""What a training of trees on a table is told."""

from dataclasses import dataclass
from typing import Any

from pipeline import presets
from pipeline.regressors.trees import TreeSettings

MODELS, SEARCHES = ("forest", "boosting"), ("none", "grid", "optuna")


@dataclass(frozen=True)
class TabularConfig(TreeSettings):
    """`source` is the task's own: a set, or a file. A search replaces `trees`, `min_leaf`, `depth` and `rate`, anew
    within each fold."""

    task: str = "prompts"
    source: str = ""
    name: str = ""
    seed: int = 0
    folds: int = 5

    def __post_init__(self) -> None:
        """Raises TrainingError naming all that is wrong at once."""
        limits: dict[str, tuple[float, float]] = {
            "folds": (2, 50), "trials": (2, 1000), "trees": (1, 5000), "min_leaf": (1, 1000), "depth": (0, 200),
            "rate": (1e-6, 1), "seed": presets.SEEDS,
        }  # fmt: skip
        wrong = presets.not_among(self, {"model": MODELS, "search": SEARCHES})
        presets.refuse(wrong + presets.outside(self, limits))


FOLDER = presets.PRESETS / "tabular"


def load_preset(name: str) -> dict[str, Any]:
    return presets.load_preset(FOLDER, name, TabularConfig)
