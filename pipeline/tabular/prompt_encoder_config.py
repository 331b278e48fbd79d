"""What the fine-tuning of a text encoder to the scores of prompts is told."""

from dataclasses import dataclass
from typing import Any

from pipeline import presets

TINY = "tiny"


@dataclass(frozen=True)
class PromptModelConfig:
    """`model` is a folder with a BERT-like encoder and its tokenizer, or `tiny`: a random one of two layers. `source`
    is a file of prompts; "" takes the collected ones. `balance` weights the prompts so that every band of scores counts
    alike."""

    source: str = ""
    model: str = TINY
    name: str = ""
    seed: int = 0
    epochs: int = 6
    batch_size: int = 16
    learning_rate: float = 3e-5
    weight_decay: float = 0.01
    warmup_share: float = 0.1
    max_tokens: int = 256
    validation_share: float = 0.15
    test_share: float = 0.2
    patience: int = 3
    balance: bool = False

    def __post_init__(self) -> None:
        """Raises TrainingError naming all that is wrong at once."""
        limits: dict[str, tuple[float, float]] = {
            "epochs": (1, 1000), "batch_size": (1, 1024), "max_tokens": (8, 8192), "patience": (1, 1000),
            "learning_rate": (1e-8, 0.9), "weight_decay": (0, 1), "warmup_share": (0, 1),
            "validation_share": (0.01, 0.9), "test_share": (0.01, 0.9), "seed": presets.SEEDS,
        }  # fmt: skip
        presets.refuse(presets.outside(self, limits))


FOLDER = presets.PRESETS / "prompts"


def load_preset(name: str) -> dict[str, Any]:
    return presets.load_preset(FOLDER, name, PromptModelConfig)
