"""What a training of trees on a table is told."""

from dataclasses import dataclass
from typing import Any

from pipeline import presets
from pipeline.regressors.trees import LIMITS, MODELS, SEARCHES, TreeSettings


@dataclass(frozen=True)
class TabularConfig(TreeSettings):
    """`source` is the task's: a file, or "" for what the installation has. A search replaces `trees`, `min_leaf`,
    `min_split`, `depth` and `rate`, anew within each fold."""

    task: str = "prompts"
    source: str = ""
    name: str = ""
    seed: int = 0
    folds: int = 5

    def __post_init__(self) -> None:
        """Raises TrainingError naming all that is wrong at once."""
        limits: dict[str, tuple[float, float]] = {
            "folds": (2, 50), **LIMITS, "seed": presets.SEEDS,
        }  # fmt: skip
        wrong = presets.not_among(self, {"model": MODELS, "search": SEARCHES})
        presets.refuse(wrong + presets.outside(self, limits))


FOLDER = presets.PRESETS / "tabular"


def load_preset(name: str) -> dict[str, Any]:
    return presets.load_preset(FOLDER, name, TabularConfig)
