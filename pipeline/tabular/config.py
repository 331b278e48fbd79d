"""What a training of trees on a table is told."""

from dataclasses import dataclass
from typing import Any

from pipeline import presets
from pipeline.errors import TrainingError

MODELS, SEARCHES = ("forest", "boosting"), ("none", "grid", "optuna")


@dataclass(frozen=True)
class TabularConfig:
    """`source` is the task's own: a set, or a file. `depth` 0 means as deep as it goes; `rate` is of boosting alone. A
    search replaces `trees`, `min_leaf`, `depth` and `rate`, anew within each fold."""

    task: str = "prompts"
    source: str = ""
    model: str = "forest"
    name: str = ""
    seed: int = 0
    folds: int = 5
    search: str = "none"
    trials: int = 20
    trees: int = 200
    min_leaf: int = 3
    depth: int = 0
    rate: float = 0.1

    def __post_init__(self) -> None:
        """Raises TrainingError naming all that is wrong at once."""
        wrong = []
        for key, known in (("model", MODELS), ("search", SEARCHES)):
            if getattr(self, key) not in known:
                wrong.append(f"{key} is one of {', '.join(known)}, got {getattr(self, key)!r}")
        limits = {"folds": (2, 50), "trials": (2, 1000), "trees": (1, 5000), "min_leaf": (1, 1000), "depth": (0, 200)}
        wrong += presets.outside(self, limits | {"seed": (0, 2**31 - 1)})
        if not 0.0 < self.rate <= 1.0:
            wrong.append(f"rate lies in 0-1, got {self.rate:g}")
        if wrong:
            raise TrainingError(presets.UNUSABLE + "; ".join(wrong) + ".")


FOLDER = presets.PRESETS / "tabular"


def load_preset(name: str) -> dict[str, Any]:
    return presets.load_preset(FOLDER, name, TabularConfig)
